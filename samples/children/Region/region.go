// Package region is the orchestrator Region, which reports of the shops of one region.
package region

import (
	"errors"
	"time"

	"github.com/durable-go/functions/durable"
	countsales "github.com/durable-go/functions/samples/children/CountSales"
)

// Region has shops.
type Region struct {
	Name  string   `json:"name"`
	Shops []string `json:"shops"`
}

// ErrEmpty means that a region has no shops.
var ErrEmpty = errors.New("a region without shops")

func init() { durable.RegisterErrorValue("report.ErrEmpty", ErrEmpty) }

var retry = durable.WithRetry(durable.RetryPolicy{MaxAttempts: 5, FirstInterval: time.Second, Backoff: 2})

// Orchestrator adds up the sales of a region. It can be started on its own as well.
var Orchestrator = durable.NewOrchestrator("Region", func(ctx *durable.Context, r Region) (sum int, err error) {
	if len(r.Shops) == 0 {
		return 0, ErrEmpty
	}
	count := durable.Branch(func(ctx *durable.Context, shop string) (int, error) {
		return countsales.Activity.Call(ctx, shop, retry).Await()
	})
	sales, err := durable.Map(ctx, r.Shops, count, durable.WithMaxConcurrency(20))
	for _, n := range sales {
		sum += n
	}
	return sum, err
})
