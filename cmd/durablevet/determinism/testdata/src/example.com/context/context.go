// Package context uses the Context where it does not belong.
package context

import (
	"context"
	"time"

	"github.com/durable-go/functions/durable"
)

var kept *durable.Context // want `DUR009 context: the variable kept keeps a Context`

var group durable.WaitGroup // want `the variable group keeps a Context`

var session struct{ ctx *durable.Context } // want `the variable session keeps a Context`

var charge = durable.NewActivity[string, int]("Charge", nil)

func Bad(ctx *durable.Context) (int, error) {
	task := charge.Call(ctx, "x")
	_ = durable.SideEffect(ctx, func() string { return ctx.NewGUID() }) // want `the Context is used in a side effect`
	return durable.Step(ctx, "step", func(context.Context) (int, error) {
		ctx.Logger().Info("x") // want `the Context is used in an activity or a step, which does not run in the orchestrator`
		return task.Await()    // want `task is waited for in an activity or a step`
	}, durable.WithRetry(durable.RetryPolicy{MaxAttempts: 2, FirstInterval: time.Second, Handle: func(error) bool {
		return ctx.Now().Hour() < 12 // want `the Context is used in the Handle function of a retry policy`
	}})).Await()
}

// flow has a Context for as long as an orchestrator runs.
type flow struct{ ctx *durable.Context }

func (f flow) charge() (int, error) { return charge.Call(f.ctx, "x").Await() }

func Good(ctx *durable.Context) (int, error) {
	id := ctx.InstanceID()
	_, _ = flow{ctx}.charge()
	_, _ = durable.Go(ctx, func(*durable.Context) (int, error) { return charge.Call(ctx, id).Await() }).Await()
	return durable.Step(ctx, "step", func(ctx context.Context) (int, error) {
		<-ctx.Done()
		return len(id), ctx.Err()
	}).Await()
}
