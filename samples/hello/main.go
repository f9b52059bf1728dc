// The lab: an HTTP function that starts an orchestration, which greets three
// cities. Each function has its folder; this file only lists them.
package main

import (
	"context"
	"log"

	"github.com/durable-go/functions/durable"
	hello "github.com/durable-go/functions/samples/hello/Hello"
	httpstart "github.com/durable-go/functions/samples/hello/HttpStart"
	orchestrator "github.com/durable-go/functions/samples/hello/Orchestrator"
)

func main() {
	app := durable.NewApp()
	app.Register(orchestrator.Orchestrator, hello.Activity)
	app.HandleHTTP("HttpStart", httpstart.Handler(app.Client()))
	log.Fatal(app.Run(context.Background()))
}
