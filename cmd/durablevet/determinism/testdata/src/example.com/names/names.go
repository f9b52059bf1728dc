// Command names has names that are wrong.
package main

import (
	"context"
	"log"

	"example.com/flows"
	"github.com/durable-go/functions/durable"
)

var list = []durable.Registration{
	durable.NewActivity[int, int]("a b", nil), // want `DUR016 names: "a b" is not a name for an activity`
	durable.NewActivity[int, int]("", nil),    // want `"" is not a name for an activity`
	durable.NewOrchestrator[int, int]("Twice", nil),
	durable.NewOrchestrator[int, int]("twice", nil), // want `there is another orchestrator "twice" at names.go:15`
	durable.NewActivity[int, int]("Twice", nil),
}

func flow(ctx *durable.Context, n int) error {
	_, _ = durable.Step(ctx, "1st", func(context.Context) (int, error) { return 0, nil }).Await() // want `"1st" is not a name for a step`
	_, _ = durable.WaitForEvent[int](ctx, "").Await()                                             // want `the name of an event has 1 to 256 bytes, not 0`
	_, _ = durable.CallActivity[string](ctx, "ChargeCrad", 5).Await()                             // want `there is no activity "ChargeCrad"; there is`
	_, _ = durable.CallOrchestrator[string](ctx, "PlaceOrders", 5).Await()                        // want `there is no orchestrator "PlaceOrders"; there is "PlaceOrder"`
	_, _ = durable.CallActivity[string](ctx, "chargecard", 5).Await()
	_, _ = durable.CallActivity[string](ctx, "SomewhereElse", 5).Await()
	_, err := durable.WaitForEvent[int](ctx, "an event").Await()
	return err
}

func main() {
	app := durable.NewApp()
	app.Register(flows.Charge, flows.Flow, flows.Twin, flows.Declared) // want `flows.Charge and flows.Twin are both the activity "CHARGECARD"` `activity "Declared" is declared, not implemented` `there is no activity "ChrageCard" \(at flows.go:\d+ of package flows\); there is "C`
	app.Register(flows.Declared.Implement(nil), flows.Other)
	log.Fatal(app.Run(context.Background()))
}
