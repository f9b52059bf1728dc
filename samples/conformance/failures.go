package main

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/durable-go/functions/durable"
)

func errThrown(message string) error { return errors.New(message) }

// caughtError is what an orchestrator makes of an error that it caught.
type caughtError struct {
	Caught string `json:"caught"`
	Name   string `json:"name"`
}

func caught(err error) caughtError { return caughtError{err.Error(), "Error"} }

// retry is a policy in the terms of the JavaScript SDK.
func retry(milliseconds, attempts int, backoff float64) interface {
	durable.ActivityOption
	durable.ChildOption
	durable.MapOption
} {
	return durable.WithRetry(durable.RetryPolicy{
		MaxAttempts: attempts, FirstInterval: time.Duration(milliseconds) * time.Millisecond, Backoff: backoff,
	})
}

// callFlaky makes an orchestrator that calls Flaky under a policy.
func callFlaky(name string, times, milliseconds, most int, backoff float64) durable.Registration {
	return durable.NewOrchestrator(name, func(ctx *durable.Context, in attempts) (string, error) {
		return flaky.Call(ctx, attempts{in.Key, times}, retry(milliseconds, most, backoff)).Await()
	})
}

var actThrow = durable.NewOrchestrator("ActThrow", func(ctx *durable.Context, _ value) (durable.None, error) {
	return throw.Call(ctx, "act").Await()
})

var rewindable = durable.NewOrchestrator("Rewindable", func(ctx *durable.Context, in value) ([]string, error) {
	results := make([]string, 3)
	for i, step := range []*durable.Activity[string, string]{hello, flagFail, hello} {
		result, err := step.Call(ctx, []string{"one", flagOf(in), "three"}[i]).Await()
		if err != nil {
			return nil, err
		}
		results[i] = result
	}
	return results, nil
})

// flagOf takes the flag's name from {"flag": name}, or from the name itself.
func flagOf(in value) (name string) {
	var object struct {
		Flag string `json:"flag"`
	}
	if json.Unmarshal(in, &object) == nil {
		return object.Flag
	}
	_ = json.Unmarshal(in, &name)
	return name
}

// Orchestrators that fail, or call what fails.
var failures = []durable.Registration{
	actThrow, rewindable,
	durable.NewOrchestrator("ActThrowCaught", func(ctx *durable.Context, _ value) (any, error) {
		out, err := throw.Call(ctx, "act").Await()
		if err != nil {
			return caught(err), nil
		}
		return out, nil
	}),
	durable.NewOrchestrator("ActThrowString", func(ctx *durable.Context, _ value) (durable.None, error) {
		return throwString.Call(ctx, durable.None{}).Await()
	}),
	durable.NewOrchestrator("ActThrowThenContinue", func(ctx *durable.Context, _ value) (map[string]string, error) {
		_, err := throw.Call(ctx, "act").Await()
		message, _, _ := strings.Cut(err.Error(), "\n")
		h, err := hello.Call(ctx, "after").Await()
		return map[string]string{"m": message, "h": h}, err
	}),
	durable.NewOrchestrator("OrchThrow", func(*durable.Context, value) (durable.None, error) {
		return durable.None{}, errThrown("orchestrator failed")
	}),
	durable.NewOrchestrator("OrchThrowAfter", func(ctx *durable.Context, _ value) (durable.None, error) {
		if _, err := hello.Call(ctx, "x").Await(); err != nil {
			return durable.None{}, err
		}
		ctx.SetCustomStatus(map[string]int{"step": 1})
		return durable.None{}, errThrown("after activity")
	}),
	durable.NewOrchestrator("OrchThrowString", func(*durable.Context, value) (durable.None, error) {
		return durable.None{}, errThrown("a plain string")
	}),
	durable.NewOrchestrator("RewindParent", func(ctx *durable.Context, in string) ([]string, error) {
		flag, _ := json.Marshal(map[string]string{"flag": in}) // a string always encodes
		return rewindable.Call(ctx, flag, durable.WithInstanceID(ctx.InstanceID()+"-sub")).Await()
	}),
	callFlaky("RetryThird", 3, 500, 3, 1),
	callFlaky("RetryBackoff", 3, 300, 3, 3),
	callFlaky("RetryExhausted", 9, 300, 2, 1),
}
