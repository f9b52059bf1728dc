// An import: a message in a queue names a file, whose rows are saved in batches.
package main

import (
	"context"
	"log"

	"github.com/durable-go/functions/durable"
	importcustomers "github.com/durable-go/functions/samples/import/ImportCustomers"
	onupload "github.com/durable-go/functions/samples/import/OnUpload"
	readfile "github.com/durable-go/functions/samples/import/ReadFile"
	savecustomers "github.com/durable-go/functions/samples/import/SaveCustomers"
)

func main() {
	app := durable.NewApp()
	app.Register(importcustomers.Orchestrator, readfile.Activity, savecustomers.Activity)
	durable.HandleTrigger(app, "OnUpload", onupload.Handler(app.Client()))
	log.Fatal(app.Run(context.Background()))
}
