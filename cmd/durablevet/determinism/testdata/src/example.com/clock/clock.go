// Package clock reads the machine's clock.
package clock

import (
	"context"
	"time"

	"example.com/helpers"
	"github.com/durable-go/functions/durable"
)

var now = time.Now

var started = time.Now()

var Direct = durable.NewOrchestrator("Direct", func(ctx *durable.Context, at time.Time) (string, error) {
	t := time.Now()                                                   // want `DUR001 clock: time.Now in an orchestrator: use ctx.Now`
	d := time.Since(at)                                               // want `time.Since in an orchestrator`
	u := time.Until(at.Add(d))                                        // want `time.Until in an orchestrator`
	v := time.Until(*&at)                                             // want `time.Until in an orchestrator`
	time.Sleep(u)                                                     // want `time.Sleep in an orchestrator: use ctx.Sleep`
	<-time.After(v)                                                   // want `time.After in an orchestrator`
	time.AfterFunc(d, func() {})                                      // want `time.AfterFunc in an orchestrator`
	_, cancel := context.WithTimeout(context.Background(), time.Hour) // want `context.WithTimeout in an orchestrator: use durable.WithTimeout`
	cancel()
	return t.Format(time.RFC3339) + time.Unix(0, 0).String(), nil
})

var Indirect = durable.NewOrchestrator("Indirect", func(ctx *durable.Context, _ durable.None) (string, error) {
	s := helpers.Label("x")         // want `DUR001 clock: Label \(through Stamp\) calls time.Now at helpers.go:13, in an orchestrator`
	_, t := helpers.Generic(5)      // want `Generic calls time.Now`
	_, t = helpers.Generic[int](5)  // want `Generic calls time.Now`
	t = helpers.Clock[int]{}.Read() // want `Read calls time.Now`
	t = helpers.Trusted()
	t = now()     // want `now comes from time.Now at clock.go:12`
	t = started   // want `started comes from time.Now at clock.go:14`
	t = local(t)  // want `local calls time.Now at clock.go:\d+`
	f := time.Now // want `time.Now in an orchestrator`
	return helpers.Pure(s) + t.String() + f().String(), nil
})

func local(time.Time) time.Time { return time.Now() }

// helper is an orchestrator's code, so its findings are in it, not where it is
// called.
func helper(ctx *durable.Context) time.Time {
	return time.Now() // want `time.Now in an orchestrator`
}

type flow struct{ ctx *durable.Context }

func (f *flow) now() time.Time {
	return time.Now() // want `time.Now in an orchestrator`
}

var Good = durable.NewOrchestrator("Good", func(ctx *durable.Context, _ durable.None) (time.Time, error) {
	_ = helper(ctx)
	_ = (&flow{ctx}).now()
	_ = ctx.Sleep(time.Second)
	first := durable.SideEffect(ctx, func() time.Time { return time.Now() })
	second, err := durable.Step(ctx, "step", func(context.Context) (time.Time, error) {
		time.Sleep(time.Second)
		return time.Now(), nil
	}).Await()
	read := func(ctx context.Context) (time.Time, error) { return time.Now(), nil }
	_, _ = durable.Step(ctx, "read", read).Await()
	_, _ = durable.Step(ctx, "named", activity).Await()
	_ = durable.SideEffect(ctx, func() time.Time {
		time.Sleep(time.Second) // want `time.Sleep in a recorded closure, which must not wait`
		return time.Now()
	})
	return first.Add(second.Sub(ctx.Now())), err
})

func activity(context.Context) (time.Time, error) { return time.Now(), nil }

var Stamp = durable.NewActivity("Stamp", func(context.Context, durable.None) (time.Time, error) {
	return time.Now(), nil
})

func ordinary() time.Time { return time.Now() }

// Closures in variables of the code around do what they do where they are called.
func makes() *durable.Orchestrator[durable.None, time.Time] {
	tick := func() time.Time { return time.Now() }
	return durable.NewOrchestrator("Made", func(ctx *durable.Context, _ durable.None) (time.Time, error) {
		return tick(), nil // want `tick comes from time.Now`
	})
}
