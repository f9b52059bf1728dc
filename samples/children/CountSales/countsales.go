// Package countsales is the activity CountSales.
package countsales

import (
	"context"

	"github.com/durable-go/functions/durable"
)

// Activity counts what was sold in a shop. It stands in for a query.
var Activity = durable.NewActivity("CountSales", func(_ context.Context, shop string) (int, error) {
	return 10 * len(shop), nil
})
