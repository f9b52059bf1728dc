// Package savecustomers is the activity SaveCustomers.
package savecustomers

import (
	"context"
	"log/slog"

	"github.com/durable-go/functions/durable"
)

// Customer is a row of a file.
type Customer struct {
	Name string `json:"name"`
	City string `json:"city"`
}

// Activity saves customers and returns how many there were. It may run again for the
// same ones, so it writes over what is there: an upsert, where there is a database.
var Activity = durable.NewActivity("SaveCustomers", func(ctx context.Context, customers []Customer) (int, error) {
	slog.InfoContext(ctx, "saved", "customers", len(customers))
	return len(customers), nil
})
