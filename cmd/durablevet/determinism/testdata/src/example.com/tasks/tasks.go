// Package tasks drops tasks and errors.
package tasks

import (
	"time"

	"github.com/durable-go/functions/durable"
)

var (
	charge = durable.NewActivity[string, int]("Charge", nil)
	ship   = durable.NewAction[string]("Ship", nil)
	child  = durable.DeclareOrchestrator[string, int]("Child")
)

func Bad(ctx *durable.Context) {
	charge.Call(ctx, "x")                   // want `DUR012 unawaited: this task is dropped, so its result and its error are lost.*write _ =`
	child.Call(ctx, "x")                    // want `or start it with StartDetached`
	ctx.NewTimer(time.Second)               // want `this timer is dropped`
	charge.Call(ctx, "x").Await()           // want `the error of Task.Await is dropped`
	ship.Do(ctx, "x")                       // want `the error of Action.Do is dropped`
	durable.All(charge.Call(ctx, "x"))      // want `the error of All is dropped`
	durable.Map(ctx, []string{"x"}, charge) // want `the error of Map is dropped`
	var group durable.WaitGroup
	group.Go(ctx, func(*durable.Context) error { return nil }) // want `nothing waits for group`
}

func Good(ctx *durable.Context) error {
	_ = charge.Call(ctx, "x")
	_, _ = charge.Call(ctx, "x").Await()
	timer := ctx.NewTimer(time.Second)
	task := charge.Call(ctx, "y")
	durable.Select(task, timer)
	durable.Any(task)
	timer.Await()
	var group, handed durable.WaitGroup
	group.Go(ctx, func(*durable.Context) error { return nil })
	handed.Go(ctx, func(*durable.Context) error { return nil })
	if err := wait(&handed); err != nil {
		return err
	}
	return group.Wait()
}

func wait(g *durable.WaitGroup) error { return g.Wait() }
