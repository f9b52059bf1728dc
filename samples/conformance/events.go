package main

import (
	"fmt"
	"time"

	"github.com/durable-go/functions/durable"
)

// wait waits for an event.
func wait(ctx *durable.Context, name string) (value, error) {
	return durable.WaitForEvent[value](ctx, name).Await()
}

var long = durable.NewOrchestrator("Long", func(ctx *durable.Context, _ value) (value, error) { return wait(ctx, "never") })

// Orchestrators that wait for events or continue as new.
var events = []durable.Registration{
	long,
	durable.NewOrchestrator("WaitGo", func(ctx *durable.Context, _ value) (value, error) { return wait(ctx, "Go") }),
	durable.NewOrchestrator("TypeOfEvent", func(ctx *durable.Context, _ value) (string, error) {
		data, err := wait(ctx, "Go")
		return typeOf(data), err
	}),
	durable.NewOrchestrator("WaitLate", func(ctx *durable.Context, _ value) (value, error) {
		if err := ctx.Sleep(2 * time.Second); err != nil {
			return nil, err
		}
		return wait(ctx, "Go")
	}),
	durable.NewOrchestrator("WaitTimeout", waitTimeout),
	durable.NewOrchestrator("WaitTwoPar", func(ctx *durable.Context, _ value) ([]value, error) {
		return durable.All(durable.WaitForEvent[value](ctx, "Go"), durable.WaitForEvent[value](ctx, "Go"))
	}),
	durable.NewOrchestrator("WaitTwoSeq", func(ctx *durable.Context, _ value) ([]value, error) {
		a, err := wait(ctx, "Go")
		if err != nil {
			return nil, err
		}
		b, err := wait(ctx, "Go")
		return []value{a, b}, err
	}),
	durable.NewOrchestrator("SuspendMe", func(ctx *durable.Context, _ value) (string, error) {
		name, err := durable.WaitForEvent[string](ctx, "Go").Await()
		if err != nil {
			return "", err
		}
		return hello.Call(ctx, name).Await()
	}),
	durable.NewOrchestrator("CanThree", func(ctx *durable.Context, n int) (string, error) {
		if _, err := hello.Call(ctx, fmt.Sprint("gen", n)).Await(); err != nil {
			return "", err
		}
		if n < 3 {
			return "", ctx.ContinueAsNew(n + 1)
		}
		return fmt.Sprint("done at ", n), nil
	}),
	durable.NewOrchestrator("CanCustomStatus", func(ctx *durable.Context, n int) (int, error) {
		ctx.SetCustomStatus(fmt.Sprint("gen ", n))
		if n < 2 {
			return 0, ctx.ContinueAsNew(n + 1)
		}
		_, err := wait(ctx, "Go")
		return n, err
	}),
	durable.NewOrchestrator("CanEvents", canEvents),
	durable.NewOrchestrator("CustomStatus", customStatus),
	durable.NewOrchestrator("NonDet", func(ctx *durable.Context, _ value) (string, error) {
		if _, err := wait(ctx, "Go"); err != nil {
			return "", err
		}
		return hello.Call(ctx, "v1").Await()
	}),
}

func waitTimeout(ctx *durable.Context, in struct {
	MS int `json:"ms"`
}) (any, error) {
	event := durable.WaitForEvent[value](ctx, "Go")
	if in.MS == 0 {
		in.MS = 2000
	}
	timer := ctx.NewTimer(time.Duration(in.MS) * time.Millisecond)
	if durable.Select(event, timer) == 1 {
		return "timed out", nil
	}
	timer.Cancel()
	data, err := event.Await()
	return map[string]value{"event": data}, err
}

// items is what CanEvents has collected.
type items struct {
	Items []value `json:"items"`
}

func canEvents(ctx *durable.Context, in items) (items, error) {
	item, err := wait(ctx, "Item")
	if err != nil {
		return in, err
	}
	in.Items = append(in.Items, item)
	if len(in.Items) == 3 {
		return in, nil
	}
	if _, err := slow.Call(ctx, pause{MS: 500, Value: value(`0`)}).Await(); err != nil {
		return in, err
	}
	return items{}, ctx.ContinueAsNew(in)
}

func customStatus(ctx *durable.Context, _ value) (result value, err error) {
	steps := []struct {
		status any
		then   func() error
	}{
		{map[string]any{"step": 1, "text": "first"}, func() error { _, err := hello.Call(ctx, "a").Await(); return err }},
		{"second", func() error { _, err := wait(ctx, "Go"); return err }},
		{nil, func() error { result, err = wait(ctx, "Go"); return err }},
		{[]any{"third", 3}, func() error { return nil }},
	}
	for _, step := range steps {
		ctx.SetCustomStatus(step.status)
		if err := step.then(); err != nil {
			return nil, err
		}
	}
	return result, nil
}
