// A monitor: a job is looked at from time to time until it is done.
package main

import (
	"context"
	"log"

	"github.com/durable-go/functions/durable"
	checkjob "github.com/durable-go/functions/samples/monitor/CheckJob"
	watchjob "github.com/durable-go/functions/samples/monitor/WatchJob"
)

func main() {
	app := durable.NewApp()
	app.Register(watchjob.Orchestrator, checkjob.Activity)
	app.HandleHTTP("HttpStart", durable.HTTPStart(app.Client()))
	log.Fatal(app.Run(context.Background()))
}
