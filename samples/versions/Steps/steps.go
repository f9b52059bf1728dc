// Package steps is the activities of an order.
package steps

import (
	"context"
	"log/slog"

	"github.com/durable-go/functions/durable"
)

// step makes an activity that stands in for a step of an order.
func step(name string) *durable.Action[string] {
	return durable.NewAction(name, func(ctx context.Context, order string) error {
		slog.InfoContext(ctx, name, "order", order)
		return nil
	})
}

// The steps.
var (
	Pack     = step("Pack")
	Insure   = step("Insure")
	Ship     = step("Ship")
	SendMail = step("SendMail")
)
