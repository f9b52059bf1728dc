// Command changing is an app whose orchestrators are changed while instances of
// them run: those of a recording of the official Durable Functions, for the
// end-to-end tests.
package main

import (
	"context"
	"log"
	"time"

	hello "github.com/durable-go/functions/Hello"
	httpstart "github.com/durable-go/functions/HttpStart"
	orchestrator "github.com/durable-go/functions/Orchestrator"
	"github.com/durable-go/functions/durable"
)

// code says what the orchestrators are made of: "first", "changed", or
// "removed", where NonDetAct is not there. A build sets it.
var code = "first"

var echo = durable.NewActivity("Echo", func(_ context.Context, text string) (string, error) { return text, nil })

func main() {
	app := durable.NewApp()
	app.Register(orchestrator.Orchestrator, hello.Activity, echo)
	if code == "changed" {
		app.Register(newNonDet, newNonDetAct, newNonDetTimer, newWaitTwoSeq)
	} else {
		app.Register(nonDet, nonDetTimer, waitTwoSeq)
	}
	if code == "first" {
		app.Register(nonDetAct)
	}
	app.HandleHTTP("HttpStart", httpstart.Handler(app.Client()))
	log.Fatal(app.Run(context.Background()))
}

func wait(ctx *durable.Context) (any, error) { return durable.WaitForEvent[any](ctx, "Go").Await() }

// The code with which the instances are started.
var (
	nonDet = durable.NewOrchestrator("NonDet", func(ctx *durable.Context, _ any) (string, error) {
		if _, err := wait(ctx); err != nil {
			return "", err
		}
		return hello.Activity.Call(ctx, "v1").Await()
	})
	nonDetAct = durable.NewOrchestrator("NonDetAct", func(ctx *durable.Context, _ any) (string, error) {
		r, err := hello.Activity.Call(ctx, "v1").Await()
		if err != nil {
			return "", err
		}
		_, err = wait(ctx)
		return r, err
	})
	nonDetTimer = durable.NewOrchestrator("NonDetTimer", func(ctx *durable.Context, _ any) (string, error) {
		if _, err := hello.Activity.Call(ctx, "v1").Await(); err != nil {
			return "", err
		}
		_, err := wait(ctx)
		return "v1", err
	})
	waitTwoSeq = durable.NewOrchestrator("WaitTwoSeq", func(ctx *durable.Context, _ any) ([]any, error) {
		a, err := wait(ctx)
		if err != nil {
			return nil, err
		}
		b, err := wait(ctx)
		return []any{a, b}, err
	})
)

// The code that follows.
var (
	newNonDet = durable.NewOrchestrator("NonDet", func(ctx *durable.Context, _ any) (string, error) {
		if _, err := echo.Call(ctx, "new first").Await(); err != nil {
			return "", err
		}
		if _, err := wait(ctx); err != nil {
			return "", err
		}
		return hello.Activity.Call(ctx, "v2").Await()
	})
	newNonDetAct = durable.NewOrchestrator("NonDetAct", func(ctx *durable.Context, _ any) (string, error) {
		r, err := echo.Call(ctx, "v2").Await()
		if err != nil {
			return "", err
		}
		_, err = wait(ctx)
		return r, err
	})
	newNonDetTimer = durable.NewOrchestrator("NonDetTimer", func(ctx *durable.Context, _ any) (string, error) {
		if err := ctx.Sleep(time.Second); err != nil {
			return "", err
		}
		_, err := wait(ctx)
		return "v2", err
	})
	newWaitTwoSeq = durable.NewOrchestrator("WaitTwoSeq", func(*durable.Context, any) (string, error) {
		return "returns at once", nil
	})
)
