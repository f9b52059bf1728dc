// Thumbnails of many pictures: fan-out with a limit, partial failure and progress.
package main

import (
	"context"
	"log"

	"github.com/durable-go/functions/durable"
	resizeall "github.com/durable-go/functions/samples/fan-out/ResizeAll"
	resizepicture "github.com/durable-go/functions/samples/fan-out/ResizePicture"
)

func main() {
	app := durable.NewApp()
	app.Register(resizeall.Orchestrator)
	// A picture takes memory: at most eight at a time in one process, of all orchestrations.
	app.Register(resizepicture.Activity.LimitConcurrency(8))
	app.HandleHTTP("HttpStart", durable.HTTPStart(app.Client()))
	log.Fatal(app.Run(context.Background()))
}
