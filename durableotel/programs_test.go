package durableotel_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/durable-go/functions/durable"
)

// The functions of the app that was recorded with the official extension.

var (
	hello = durable.NewActivity("Hello", func(_ context.Context, name string) (string, error) { return "Hello " + name + "!", nil })
	throw = durable.NewActivity("Throw", func(_ context.Context, what string) (string, error) { return "", errors.New("boom " + what) })
	slow  = durable.NewActivity("Slow", func(ctx context.Context, d time.Duration) (string, error) {
		select {
		case <-time.After(d):
			return "fast", nil
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	})

	flaky = durable.NewActivity("Flaky", func(ctx context.Context, _ string) (string, error) {
		// A run that a crash repeats fails as it did before.
		n := durable.ActivityInfo(ctx).Attempt
		if n < 3 {
			return "", fmt.Errorf("flaky %d", n)
		}
		return "ok", nil
	})

	chain = durable.NewOrchestrator("Orchestrator", func(ctx *durable.Context, _ durable.None) ([]string, error) {
		var out []string
		for _, city := range []string{"Tokyo", "Seattle", "London"} {
			greeting, err := hello.Call(ctx, city).Await()
			if err != nil {
				return nil, err
			}
			out = append(out, greeting)
		}
		return out, nil
	})
	fanOut = durable.NewOrchestrator("FanOut5", func(ctx *durable.Context, _ durable.None) ([]string, error) {
		var tasks []*durable.Task[string]
		for i := range 5 {
			tasks = append(tasks, hello.Call(ctx, fmt.Sprint(i)))
		}
		return durable.All(tasks...)
	})
	actThrow = durable.NewOrchestrator("ActThrow", func(ctx *durable.Context, _ durable.None) (string, error) {
		return throw.Call(ctx, "act").Await()
	})
	actThrowCaught = durable.NewOrchestrator("ActThrowCaught", func(ctx *durable.Context, _ durable.None) (string, error) {
		_, err := throw.Call(ctx, "act").Await()
		return fmt.Sprint(err != nil), nil
	})
	parentActFail = durable.NewOrchestrator("ParentActFail", func(ctx *durable.Context, _ durable.None) (string, error) {
		return actThrow.Call(ctx, durable.None{}).Await()
	})
	anyActivityWins = durable.NewOrchestrator("AnyActivityWins", func(ctx *durable.Context, _ durable.None) (string, error) {
		a, timer := slow.Call(ctx, 300*time.Millisecond), ctx.NewTimer(30*time.Second)
		if durable.Select(a, timer) == 0 {
			timer.Cancel()
		}
		return a.Await()
	})
	canThree = durable.NewOrchestrator("CanThree", func(ctx *durable.Context, n int) (string, error) {
		if _, err := hello.Call(ctx, fmt.Sprint("gen", n)).Await(); err != nil {
			return "", err
		}
		if n < 3 {
			return durable.ContinueAsNew[string](ctx, n+1)
		}
		return "done", nil
	})
	retryThird = durable.NewOrchestrator("RetryThird", func(ctx *durable.Context, key string) (string, error) {
		return flaky.Call(ctx, key, durable.WithRetry(durable.RetryPolicy{MaxAttempts: 3, FirstInterval: 500 * time.Millisecond})).Await()
	})
	child = durable.NewOrchestrator("Child", func(ctx *durable.Context, _ durable.None) (string, error) {
		return hello.Call(ctx, "child").Await()
	})
	parentID = durable.NewOrchestrator("ParentId", func(ctx *durable.Context, _ durable.None) (string, error) {
		return child.Call(ctx, durable.None{}, durable.WithInstanceID(ctx.InstanceID()+"-child")).Await()
	})
	waitGo = durable.NewOrchestrator("WaitGo", func(ctx *durable.Context, _ durable.None) (string, error) {
		return durable.WaitForEvent[string](ctx, "Go").Await()
	})
	suspendMe = durable.NewOrchestrator("SuspendMe", func(ctx *durable.Context, _ durable.None) (string, error) {
		name, err := durable.WaitForEvent[string](ctx, "Go").Await()
		if err != nil {
			return "", err
		}
		return hello.Call(ctx, name).Await()
	})
	long = durable.NewOrchestrator("Long", func(ctx *durable.Context, _ durable.None) (string, error) {
		return durable.WaitForEvent[string](ctx, "never").Await()
	})
	timer2 = durable.NewOrchestrator("Timer2", func(ctx *durable.Context, _ durable.None) (string, error) {
		return "", ctx.Sleep(2 * time.Second)
	})

	counters = durable.NewEntity[int]("Counter")
	add      = durable.NewOperation(counters, "add", func(n *int, _ *durable.EntityContext, by int) (int, error) { *n += by; return *n, nil })
	get      = durable.NewOperation(counters, "get", func(n *int, _ *durable.EntityContext, _ durable.None) (int, error) { return *n, nil })
	toThrow  = durable.NewOperation(counters, "throw", func(_ *int, _ *durable.EntityContext, what string) (int, error) { return 0, errors.New(what) })

	entityCaller = durable.NewOrchestrator("EntityCaller", func(ctx *durable.Context, key string) (int, error) {
		if _, err := add.Call(ctx, key, 5).Await(); err != nil {
			return 0, err
		}
		if err := add.Signal(ctx, key, 7); err != nil {
			return 0, err
		}
		return get.Call(ctx, key, durable.None{}).Await()
	})
	entityThrowCaller = durable.NewOrchestrator("EntityThrowCaller", func(ctx *durable.Context, key string) (string, error) {
		_, err := toThrow.Call(ctx, key, "bad").Await()
		return fmt.Sprint(err != nil), nil
	})
	entitySignaler = durable.NewOrchestrator("EntitySignaler", func(ctx *durable.Context, key string) (string, error) {
		return "sent", add.Signal(ctx, key, 3)
	})
)

var functions = []durable.Registration{
	hello, throw, slow, flaky, chain, fanOut, actThrow, actThrowCaught, parentActFail, anyActivityWins, canThree, retryThird, child, parentID,
	waitGo, suspendMe, long, timer2, counters, entityCaller, entityThrowCaller, entitySignaler,
}

var (
	failures  atomic.Int32
	failsOnce = durable.NewActivity("FailsOnce", func(context.Context, durable.None) (string, error) {
		if failures.Add(1) == 1 {
			return "", errors.New("the first time")
		}
		return "ok", nil
	})
	rewindable = durable.NewOrchestrator("Rewindable", func(ctx *durable.Context, _ durable.None) (string, error) {
		if _, err := hello.Call(ctx, "x").Await(); err != nil {
			return "", err
		}
		return failsOnce.Call(ctx, durable.None{}).Await()
	})
)
