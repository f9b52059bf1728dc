// Command testapp is the lab with functions that misbehave, for the end-to-end
// tests. The activity Hello is one that leaves traces and can be held.
package main

import (
	"context"
	"log"

	httpstart "github.com/durable-go/functions/HttpStart"
	orchestrator "github.com/durable-go/functions/Orchestrator"
	"github.com/durable-go/functions/durable"
)

func main() {
	app := durable.NewApp()
	app.Register(orchestrator.Orchestrator, hello)
	app.Register(fanOut, square, large, big)
	app.Register(exiting, exit, exitingTurn, exitingOperation, cells, panicking, panics, spinning, working, work, spreading, where)
	app.HandleHTTP("HttpStart", httpstart.Handler(app.Client()))
	registerDoors(app)
	log.Fatal(app.Run(context.Background()))
}
