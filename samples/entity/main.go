// An aggregator: an entity sums up what each device measures, and starts an alarm.
package main

import (
	"context"
	"log"

	"github.com/durable-go/functions/durable"
	alarm "github.com/durable-go/functions/samples/entity/Alarm"
	device "github.com/durable-go/functions/samples/entity/Device"
	devices "github.com/durable-go/functions/samples/entity/Devices"
	notify "github.com/durable-go/functions/samples/entity/Notify"
)

func main() {
	app := durable.NewApp()
	app.Register(device.Entity, alarm.Orchestrator, notify.Activity)
	app.HandleHTTP("Devices", devices.Handler(app.Client()))
	log.Fatal(app.Run(context.Background()))
}
