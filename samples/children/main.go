// Children: an orchestration of orchestrations.
package main

import (
	"context"
	"log"

	"github.com/durable-go/functions/durable"
	countsales "github.com/durable-go/functions/samples/children/CountSales"
	region "github.com/durable-go/functions/samples/children/Region"
	report "github.com/durable-go/functions/samples/children/Report"
)

func main() {
	app := durable.NewApp()
	app.Register(report.Orchestrator, region.Orchestrator, countsales.Activity)
	app.HandleHTTP("HttpStart", durable.HTTPStart(app.Client()))
	log.Fatal(app.Run(context.Background()))
}
