// Package createshipment is the activity CreateShipment.
package createshipment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/durable-go/functions/durable"
)

// Parcel is what is sent to whom.
type Parcel struct {
	Order    string `json:"order"`
	Article  string `json:"article"`
	Quantity int    `json:"quantity"`
	Address  string `json:"address"`
}

// ErrNoCarrier means that no carrier goes to an address.
var ErrNoCarrier = errors.New("no carrier goes there")

func init() { durable.RegisterErrorValue("order.ErrNoCarrier", ErrNoCarrier) }

// Activity hands a parcel to a carrier and returns the tracking number.
var Activity = durable.NewActivity("CreateShipment", func(ctx context.Context, p Parcel) (string, error) {
	if p.Address == "" || p.Address == "the Moon" {
		return "", durable.NonRetryable(fmt.Errorf("shipping to %q: %w", p.Address, ErrNoCarrier))
	}
	slog.InfoContext(ctx, "shipped", "order", p.Order, "article", p.Article, "address", p.Address)
	return "track-" + p.Order, nil
})
