// Package checkinventory is the activity CheckInventory, which reserves goods, and
// ReleaseInventory, which undoes it.
package checkinventory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/durable-go/functions/durable"
)

// Wanted is what an order asks of the inventory.
type Wanted struct {
	Order    string `json:"order"`
	Article  string `json:"article"`
	Quantity int    `json:"quantity"`
}

// ErrOutOfStock means that there is not as much of an article as is wanted.
var ErrOutOfStock = errors.New("out of stock")

func init() { durable.RegisterErrorValue("order.ErrOutOfStock", ErrOutOfStock) }

// articles stand in for a database.
var articles = map[string]struct{ stock, cents int }{
	"tea":    {stock: 100, cents: 450},
	"kettle": {stock: 10, cents: 3900},
	"anvil":  {stock: 2, cents: 99000},
}

// Activity reserves what is wanted and returns its price in cents.
var Activity = durable.NewActivity("CheckInventory", func(ctx context.Context, w Wanted) (int, error) {
	article, known := articles[w.Article]
	if !known || article.stock < w.Quantity {
		// Another try would find no more.
		return 0, durable.NonRetryable(fmt.Errorf("%d of %q: %w", w.Quantity, w.Article, ErrOutOfStock))
	}
	slog.InfoContext(ctx, "reserved", "order", w.Order, "article", w.Article, "quantity", w.Quantity)
	return article.cents * w.Quantity, nil
})

// Release gives back what Activity has reserved.
var Release = durable.NewAction("ReleaseInventory", func(ctx context.Context, w Wanted) error {
	slog.InfoContext(ctx, "released", "order", w.Order, "article", w.Article, "quantity", w.Quantity)
	return nil
})
