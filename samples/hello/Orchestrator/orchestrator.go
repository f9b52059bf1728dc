// Package orchestrator is the orchestrator Orchestrator.
package orchestrator

import (
	"github.com/durable-go/functions/durable"
	hello "github.com/durable-go/functions/samples/hello/Hello"
)

// Orchestrator greets three cities, one after the other.
var Orchestrator = durable.NewOrchestrator("Orchestrator", func(ctx *durable.Context, _ durable.None) ([]string, error) {
	var greetings []string
	for _, city := range []string{"Tokyo", "Seattle", "London"} {
		greeting, err := hello.Activity.Call(ctx, city).Await()
		if err != nil {
			return nil, err
		}
		greetings = append(greetings, greeting)
	}
	return greetings, nil
})
