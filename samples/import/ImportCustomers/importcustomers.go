// Package importcustomers is the orchestrator ImportCustomers, which imports a file.
package importcustomers

import (
	"slices"
	"time"

	"github.com/durable-go/functions/durable"
	readfile "github.com/durable-go/functions/samples/import/ReadFile"
	savecustomers "github.com/durable-go/functions/samples/import/SaveCustomers"
)

// batch is how many rows are saved together, atOnce how many batches at a time.
const batch, atOnce = 100, 5

var retry = durable.WithRetry(durable.RetryPolicy{MaxAttempts: 8, FirstInterval: time.Second, Backoff: 2, MaxInterval: time.Minute})

// Orchestrator imports the file at a URL and returns how many customers were in it.
var Orchestrator = durable.NewOrchestrator("ImportCustomers", func(ctx *durable.Context, url string) (int, error) {
	customers, err := readfile.Activity.Call(ctx, url, retry).Await()
	if err != nil {
		return 0, err
	}
	saved := 0
	save := durable.Branch(func(ctx *durable.Context, batch []savecustomers.Customer) (int, error) {
		n, err := savecustomers.Activity.Call(ctx, batch, retry).Await()
		saved += n
		ctx.SetCustomStatus(map[string]int{"saved": saved, "of": len(customers)})
		return n, err
	})
	batches := slices.Collect(slices.Chunk(customers, batch))
	_, err = durable.Map(ctx, batches, save, durable.WithMaxConcurrency(atOnce))
	return saved, err
})
