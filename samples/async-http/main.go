// An async HTTP API: a request is answered with the result, or with where it will be.
package main

import (
	"context"
	"log"

	"github.com/durable-go/functions/durable"
	conversions "github.com/durable-go/functions/samples/async-http/Conversions"
	convert "github.com/durable-go/functions/samples/async-http/Convert"
	convertpage "github.com/durable-go/functions/samples/async-http/ConvertPage"
)

func main() {
	app := durable.NewApp()
	app.Register(convert.Orchestrator, convertpage.Activity)
	app.HandleHTTP("Conversions", conversions.Handler(app.Client()))
	log.Fatal(app.Run(context.Background()))
}
