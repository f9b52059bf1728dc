package durable_test

import (
	"context"

	"github.com/durable-go/functions/durable"
)

// A queue delivers a message again when its first delivery was not confirmed. The
// id makes all of them one start.
func ExampleHandleTrigger() {
	type Order struct {
		ID     string `json:"id"`
		Amount int    `json:"amount"`
	}
	processOrder := durable.DeclareOrchestrator[Order, string]("ProcessOrder")

	app := durable.NewApp() // first in main
	client := app.Client()
	durable.HandleTrigger(app, "OnOrder", func(ctx context.Context, o Order, _ durable.Trigger) error {
		_, err := processOrder.Start(ctx, client, o, durable.WithInstanceID("order-"+o.ID))
		return err
	})
}
