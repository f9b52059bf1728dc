package main

import (
	"strconv"
	"time"

	"github.com/durable-go/functions/durable"
)

// fan is the input of FanOutN and FanSlow.
type fan struct {
	N int `json:"n"`
}

// winner tells which task was first.
type winner struct {
	Winner string `json:"winner"`
	Result value  `json:"result,omitempty"`
}

// Orchestrators that call activities.
var calls = []durable.Registration{
	durable.NewOrchestrator("Orchestrator", func(ctx *durable.Context, _ value) ([]string, error) {
		var outputs []string
		for _, city := range []string{"Tokyo", "Seattle", "London"} {
			greeting, err := hello.Call(ctx, city).Await()
			if err != nil {
				return nil, err
			}
			outputs = append(outputs, greeting)
		}
		return outputs, nil
	}),
	durable.NewOrchestrator("FanOut5", func(ctx *durable.Context, _ value) ([]string, error) {
		return greetings(ctx, 5)
	}),
	durable.NewOrchestrator("FanOutN", func(ctx *durable.Context, in fan) (int, error) {
		all, err := greetings(ctx, in.N)
		return len(all), err
	}),
	durable.NewOrchestrator("FanSlow", fanSlow),
	durable.NewOrchestrator("FanOutFail", fanOutFail),
	durable.NewOrchestrator("AnyActivityWins", func(ctx *durable.Context, _ value) (winner, error) {
		activity := slow.Call(ctx, pause{MS: 300, Value: value(`"fast"`)})
		timer := ctx.NewTimer(30 * time.Second)
		if durable.Select(activity, timer) == 1 {
			return winner{Winner: "timer"}, nil
		}
		timer.Cancel()
		result, err := activity.Await()
		return winner{"activity", result}, err
	}),
	durable.NewOrchestrator("AnyTimerWins", func(ctx *durable.Context, _ value) (winner, error) {
		activity := slow.Call(ctx, pause{MS: 3000, Value: value(`"slow"`)})
		timer := ctx.NewTimer(time.Second)
		names := []string{"activity", "timer"}
		return winner{Winner: names[durable.Select(activity, timer)]}, nil
	}),
	durable.NewOrchestrator("AnyUncancelled", func(ctx *durable.Context, _ value) (string, error) {
		activity := slow.Call(ctx, pause{MS: 200, Value: value(`"fast"`)})
		timer := ctx.NewTimer(5 * time.Second)
		durable.Select(activity, timer)
		return "activity won, timer not cancelled", nil
	}),
	durable.NewOrchestrator("LateAct", func(ctx *durable.Context, _ value) (value, error) {
		return slow.Call(ctx, pause{MS: 2500, Value: value(`"late"`)}).Await()
	}),
	durable.NewOrchestrator("UnknownAct", func(ctx *durable.Context, _ value) (value, error) {
		return durable.CallActivity[value](ctx, "NoSuchActivity", 1).Await()
	}),
}

// greetings calls Hello n times at once.
func greetings(ctx *durable.Context, n int) ([]string, error) {
	tasks := make([]*durable.Task[string], n)
	for i := range tasks {
		tasks[i] = hello.Call(ctx, strconv.Itoa(i))
	}
	return durable.All(tasks...)
}

// fanSlow calls n activities at once that take 20 ms, and returns how many ended.
func fanSlow(ctx *durable.Context, in fan) (int, error) {
	tasks := make([]*durable.Task[int], in.N)
	for i := range tasks {
		tasks[i] = sleep20.Call(ctx, strconv.Itoa(i))
	}
	all, err := durable.All(tasks...)
	return len(all), err
}

// fanOutFail calls five activities, of which the third fails at once.
func fanOutFail(ctx *durable.Context, _ value) ([]value, error) {
	tasks := make([]*durable.Task[value], 5)
	for i := range tasks {
		if i == 2 {
			tasks[i] = durable.CallActivity[value](ctx, throw.Name(), "x")
			continue
		}
		tasks[i] = slow.Call(ctx, pause{MS: 600, Value: value(strconv.Itoa(i))})
	}
	return durable.FirstError(tasks...)
}
