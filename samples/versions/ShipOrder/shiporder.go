// Package shiporder is the orchestrator ShipOrder, whose code has changed while orders
// were on their way.
package shiporder

import (
	"time"

	"github.com/durable-go/functions/durable"
	steps "github.com/durable-go/functions/samples/versions/Steps"
)

// Orchestrator packs an order, waits for the carrier's hour and ships it.
var Orchestrator = durable.NewOrchestrator("ShipOrder", func(ctx *durable.Context, order string) ([]string, error) {
	did := []string{"packed"}
	if err := steps.Pack.Do(ctx, order); err != nil {
		return nil, err
	}
	// Orders of version 2 are insured. One that was started by version 1 stays as it was,
	// also when code of version 2 goes on with it.
	if ctx.CompareVersion("2.0.0") >= 0 {
		if err := steps.Insure.Do(ctx, order); err != nil {
			return nil, err
		}
		did = append(did, "insured")
	}
	if err := ctx.Sleep(time.Second); err != nil {
		return nil, err
	}
	if err := steps.Ship.Do(ctx, order); err != nil {
		return nil, err
	}
	did = append(did, "shipped")
	// A later fix within version 2: orders that had not come to this point when it was
	// deployed send a mail, and those that had been past it do not.
	if durable.Patched(ctx, "mail-after-shipping") {
		if err := steps.SendMail.Do(ctx, order); err != nil {
			return nil, err
		}
		did = append(did, "mailed")
	}
	return did, nil
})
