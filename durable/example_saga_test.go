package durable_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/durable"
)

// A saga: each step that has been done notes how to undo it, and a failure
// undoes them, the last one first. No deferred call does that: see the package
// documentation.
func Example_compensation() {
	do := durable.NewAction("Do", func(_ context.Context, what string) error {
		if what == "book car" {
			return errors.New("no car is left")
		}
		fmt.Println(what)
		return nil
	})
	trip := durable.NewOrchestrator("Trip", func(ctx *durable.Context, steps [][2]string) (durable.None, error) {
		var undo []string
		for _, step := range steps {
			_, err := do.Call(ctx, step[0]).Await()
			if err == nil {
				undo = append(undo, step[1])
				continue
			}
			for i := len(undo) - 1; i >= 0; i-- {
				_, failed := do.Call(ctx, undo[i], durable.WithRetry(durable.RetryPolicy{MaxAttempts: 10, FirstInterval: time.Second})).Await()
				err = errors.Join(err, failed)
			}
			return durable.None{}, err
		}
		return durable.None{}, nil
	})
	run(trip, [][2]string{{"book flight", "cancel flight"}, {"book hotel", "cancel hotel"}, {"book car", ""}}, do)
	// Output:
	// book flight
	// book hotel
	// cancel hotel
	// cancel flight
	// Failed: Orchestrator function 'Trip' failed: Activity function 'Do' failed: no car is left
}
