// Package capture writes captured variables.
package capture

import (
	"context"

	"github.com/durable-go/functions/durable"
)

type order struct{ total int }

func Bad(ctx *durable.Context, o *order) (err error) {
	n, list := 0, map[string]int{}
	_, _ = durable.Step(ctx, "step", func(context.Context) (int, error) {
		n = 5                  // want `DUR010 capture: an activity or a step writes the captured variable n, and a replay does not run it`
		o.total = 5            // want `writes the captured variable o`
		list["a"] = 1          // want `writes the captured variable list`
		_, err = 1, error(nil) // want `writes the captured variable err`
		return n, nil
	}).Await()
	_ = durable.SideEffect(ctx, func() int {
		n++ // want `a side effect writes the captured variable n`
		return n
	})
	return err
}

func Good(ctx *durable.Context, o *order) error {
	results := make([]int, 2)
	var group durable.WaitGroup
	for i := range results {
		group.Go(ctx, func(ctx *durable.Context) (err error) {
			results[i], err = durable.Step(ctx, "step", func(context.Context) (int, error) {
				m := 0
				m++
				return m + o.total, nil
			}).Await()
			return err
		})
	}
	return group.Wait()
}

func counted() *durable.Orchestrator[int, int] {
	runs := 0
	return durable.NewOrchestrator("Counted", func(ctx *durable.Context, n int) (int, error) {
		return durable.SideEffect(ctx, func() int { runs++; return runs }), nil
	})
}
