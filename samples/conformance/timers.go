package main

import (
	"time"

	"github.com/durable-go/functions/durable"
)

// date is a time as JavaScript writes it.
func date(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// Orchestrators that use time.
var timers = []durable.Registration{
	durable.NewOrchestrator("Timer2", func(ctx *durable.Context, _ value) (any, error) {
		start := ctx.Now()
		err := ctx.Sleep(2 * time.Second)
		return struct {
			Start string `json:"start"`
			End   string `json:"end"`
		}{date(start), date(ctx.Now())}, err
	}),
	durable.NewOrchestrator("TimerPast", func(ctx *durable.Context, _ value) (string, error) {
		_, err := ctx.NewTimerAt(ctx.Now().Add(-time.Minute)).Await()
		return "past", err
	}),
	durable.NewOrchestrator("LongTimer", func(ctx *durable.Context, _ value) (string, error) {
		return "x", ctx.Sleep(7 * 24 * time.Hour)
	}),
	durable.NewOrchestrator("NonDetAct", func(ctx *durable.Context, _ value) (string, error) {
		r, err := hello.Call(ctx, "v1").Await()
		if err != nil {
			return "", err
		}
		_, err = wait(ctx, "Go")
		return r, err
	}),
	durable.NewOrchestrator("NonDetTimer", func(ctx *durable.Context, _ value) (string, error) {
		if _, err := hello.Call(ctx, "v1").Await(); err != nil {
			return "", err
		}
		_, err := wait(ctx, "Go")
		return "v1", err
	}),
	durable.NewOrchestrator("Utc", func(ctx *durable.Context, _ value) (any, error) {
		times := []string{date(ctx.Now())}
		for _, name := range []string{"x", "y"} {
			if _, err := hello.Call(ctx, name).Await(); err != nil {
				return nil, err
			}
			times = append(times, date(ctx.Now()))
		}
		return struct {
			A         string `json:"a"`
			B         string `json:"b"`
			C         string `json:"c"`
			Replaying bool   `json:"replaying"`
		}{times[0], times[1], times[2], ctx.IsReplaying()}, nil
	}),
}
