// Package flows has named functions for other packages.
package flows

import "github.com/durable-go/functions/durable"

var (
	Charge   = durable.NewActivity[int, string]("ChargeCard", nil)     // want Charge:"activity ChargeCard"
	Twin     = durable.NewActivity[int, string]("CHARGECARD", nil)     // want Twin:"activity CHARGECARD"
	Declared = durable.DeclareActivity[int, string]("Declared")        // want Declared:"activity Declared"
	Flow     = durable.NewOrchestrator[int, string]("PlaceOrder", nil) // want Flow:"orchestrator PlaceOrder"
	Other    = durable.NewOrchestrator("Other", other)                 // want Other:"orchestrator Other"
)

func other(ctx *durable.Context, n int) (string, error) {
	return durable.CallActivity[string](ctx, "ChrageCard", n).Await()
}
