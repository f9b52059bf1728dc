package durable_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// A saga: each step that has been done notes how to undo it, and a failure
// undoes them, the last one first. The example Defer does it in deferred functions.
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

// A deferred function undoes a step where the orchestrator ends with an error. It
// also runs when the orchestrator leaves memory while it waits; there is no error
// then.
func Example_defer() {
	reserve := durable.NewAction("Reserve", func(_ context.Context, item string) error {
		fmt.Println("reserve", item)
		return nil
	})
	release := durable.NewAction("Release", func(_ context.Context, item string) error {
		fmt.Println("release", item)
		return nil
	})
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, item string) (_ durable.None, err error) {
		if _, err := reserve.Call(ctx, item).Await(); err != nil {
			return durable.None{}, err
		}
		defer func() {
			if err != nil {
				_, failed := release.Call(ctx, item).Await()
				err = errors.Join(err, failed)
			}
		}()
		_, err = durable.WaitForEvent[durable.None](ctx, "Paid", durable.WithTimeout(24*time.Hour)).Await()
		return durable.None{}, err
	})
	durabletest.Example(func(env *durabletest.Env) {
		_, err := durabletest.Start(env, order, "tea").Result()
		fmt.Println(errors.Is(err, durable.ErrTimeout))
	}, order, reserve, release)
	// Output:
	// reserve tea
	// release tea
	// true
}
