// Package chargecustomer is the activity ChargeCustomer, and RefundCustomer, which
// undoes it.
package chargecustomer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/durable-go/functions/durable"
)

// Charge is what a customer has to pay.
type Charge struct {
	Customer string `json:"customer"`
	Cents    int    `json:"cents"`
}

// Receipt is a charge that was paid.
type Receipt struct {
	ID string `json:"id"`
	Charge
}

// ErrDeclined means that the bank refuses a payment.
var ErrDeclined = errors.New("the card was declined")

func init() { durable.RegisterErrorValue("order.ErrDeclined", ErrDeclined) }

// limit is what the bank pays at most, in cents.
const limit = 100_000

// Activity charges a customer. It may run again when its process dies before the
// receipt is stored, and is tried again when the bank does not answer in time. So it
// charges under the id of the order, which is the same for each run and each attempt:
// the bank, for which there is only a log line here, takes a payment of a key once.
var Activity = durable.NewActivity("ChargeCustomer", func(ctx context.Context, c Charge) (Receipt, error) {
	if c.Cents > limit {
		return Receipt{}, durable.NonRetryable(fmt.Errorf("%d cents of %s: %w", c.Cents, c.Customer, ErrDeclined))
	}
	key := durable.ActivityInfoFromContext(ctx).InstanceID
	slog.InfoContext(ctx, "charged", "customer", c.Customer, "cents", c.Cents, "key", key)
	return Receipt{ID: "receipt-" + key, Charge: c}, nil
})

// Refund gives the money back.
var Refund = durable.NewAction("RefundCustomer", func(ctx context.Context, r Receipt) error {
	slog.InfoContext(ctx, "refunded", "customer", r.Customer, "cents", r.Cents, "receipt", r.ID)
	return nil
})
