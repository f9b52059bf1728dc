// Versions and patches: the code changes while orders are on their way.
package main

import (
	"context"
	"log"

	"github.com/durable-go/functions/durable"
	shiporder "github.com/durable-go/functions/samples/versions/ShipOrder"
	steps "github.com/durable-go/functions/samples/versions/Steps"
)

func main() {
	app := durable.NewApp()
	app.Register(shiporder.Orchestrator, steps.Pack, steps.Insure, steps.Ship, steps.SendMail)
	app.HandleHTTP("HttpStart", durable.HTTPStart(app.Client()))
	log.Fatal(app.Run(context.Background()))
}
