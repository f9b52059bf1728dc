// Package flows is what bench/lab measures: the lab's orchestrator, and two fan-outs.
package flows

import (
	"context"
	"fmt"
	"time"

	hello "github.com/durable-go/functions/Hello"
	httpstart "github.com/durable-go/functions/HttpStart"
	orchestrator "github.com/durable-go/functions/Orchestrator"
	"github.com/durable-go/functions/durable"
)

// fanOut greets n cities at the same time and returns how many answers came.
var fanOut = durable.NewOrchestrator("FanOut", func(ctx *durable.Context, n int) (int, error) {
	tasks := make([]*durable.Task[string], n)
	for i := range tasks {
		tasks[i] = hello.Activity.Call(ctx, fmt.Sprint("city ", i))
	}
	greetings, err := durable.All(tasks...)
	return len(greetings), err
})

// sleep20 stands for real work.
var sleep20 = durable.NewActivity("Sleep20", func(ctx context.Context, _ int) (int, error) {
	timer := time.NewTimer(20 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return 1, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
})

// fanSlow is fanOut of activities that take 20 ms.
var fanSlow = durable.NewOrchestrator("FanSlow", func(ctx *durable.Context, n int) (int, error) {
	tasks := make([]*durable.Task[int], n)
	for i := range tasks {
		tasks[i] = sleep20.Call(ctx, i)
	}
	results, err := durable.All(tasks...)
	return len(results), err
})

// Register gives an app everything that is measured.
func Register(app *durable.App) {
	app.Register(orchestrator.Orchestrator, fanOut, fanSlow, hello.Activity, sleep20)
	app.HandleHTTP("HttpStart", httpstart.Handler(app.Client()))
}
