// The app that bench/lab measures: the lab's orchestrator, and a fan-out.
package main

import (
	"context"
	"fmt"
	"log"

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

func main() {
	app := durable.NewApp()
	app.Register(orchestrator.Orchestrator, fanOut, hello.Activity)
	app.HandleHTTP("HttpStart", httpstart.Handler(app.Client()))
	log.Fatal(app.Run(context.Background()))
}
