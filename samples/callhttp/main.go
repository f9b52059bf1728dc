// CallHTTP: an orchestration asks a service over HTTP, which takes its time.
package main

import (
	"context"
	"log"

	"github.com/durable-go/functions/durable"
	publish "github.com/durable-go/functions/samples/callhttp/Publish"
	transcode "github.com/durable-go/functions/samples/callhttp/Transcode"
	transcoder "github.com/durable-go/functions/samples/callhttp/Transcoder"
)

func main() {
	app := durable.NewApp()
	app.Register(transcode.Orchestrator, publish.Activity)
	app.HandleHTTP("Transcoder", transcoder.Handler())
	app.HandleHTTP("HttpStart", durable.HTTPStart(app.Client()))
	log.Fatal(app.Run(context.Background()))
}
