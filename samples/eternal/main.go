// An eternal orchestration: it begins anew with an empty history, until it is stopped.
package main

import (
	"context"
	"log"

	"github.com/durable-go/functions/durable"
	clean "github.com/durable-go/functions/samples/eternal/Clean"
	janitor "github.com/durable-go/functions/samples/eternal/Janitor"
)

func main() {
	app := durable.NewApp()
	app.Register(janitor.Orchestrator.Implement(janitor.Run), clean.Activity)
	app.HandleHTTP("HttpStart", durable.HTTPStart(app.Client()))
	log.Fatal(app.Run(context.Background()))
}
