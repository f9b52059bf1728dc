// Package entry has all the ways into an orchestrator.
package entry

import (
	"context"
	"time"

	"github.com/durable-go/functions/durable"
)

var declared = durable.DeclareOrchestrator[int, time.Time]("Declared")

func run(ctx *durable.Context, n int) (time.Time, error) {
	return time.Now(), nil // want `time.Now in an orchestrator`
}

var registration = declared.Implement(run)

var literal = declared.Implement(func(*durable.Context, int) (time.Time, error) {
	return time.Now(), nil // want `time.Now in an orchestrator`
})

func branches(ctx *durable.Context) error {
	_, _ = durable.Go(ctx, func(*durable.Context) (time.Time, error) {
		return time.Now(), nil // want `time.Now in an orchestrator`
	}).Await()
	var group durable.WaitGroup
	group.Go(ctx, func(ctx *durable.Context) error {
		time.Sleep(time.Second) // want `time.Sleep in an orchestrator`
		return nil
	})
	_, _ = durable.Critical(ctx, func() (time.Time, error) {
		return time.Now(), nil // want `time.Now in an orchestrator`
	})
	_, _ = durable.Critical(ctx, section)
	return group.Wait()
}

func section() (time.Time, error) {
	return time.Now(), nil // want `time.Now in an orchestrator`
}

// Generic orchestrators are seen through.
func generic[T any](name string) *durable.Orchestrator[T, T] {
	return durable.NewOrchestrator(name, func(ctx *durable.Context, v T) (T, error) {
		_ = time.Now() // want `time.Now in an orchestrator`
		return v, nil
	})
}

func middleware(app *durable.App) {
	app.UseOrchestratorMiddleware(func(next durable.OrchestratorHandler) durable.OrchestratorHandler {
		return func(ctx *durable.Context, input []byte) ([]byte, error) {
			began := time.Now()                      // want `time.Now in an orchestrator`
			defer func() { _ = time.Since(began) }() // want `time.Since in an orchestrator`
			return next(ctx, input)
		}
	})
	app.UseActivityMiddleware(func(next durable.ActivityHandler) durable.ActivityHandler {
		return func(ctx context.Context, input []byte) ([]byte, error) {
			_ = time.Now()
			return next(ctx, input)
		}
	})
}

func retried(ctx *durable.Context, charge *durable.Activity[int, int]) (int, error) {
	return charge.Call(ctx, 5, durable.WithRetry(durable.RetryPolicy{
		MaxAttempts: 3, FirstInterval: time.Second,
		Handle: func(err error) bool {
			return time.Now().Hour() < 12 // want `time.Now in an orchestrator`
		},
	})).Await()
}

// Operations of entities may do what activities may.
func operation(ctx *durable.EntityContext, n int) (time.Time, error) { return time.Now(), nil }
