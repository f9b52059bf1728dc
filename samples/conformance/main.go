// Command conformance is an app with the functions that the behaviour of the
// official Durable Functions was recorded with, under the same names: a test
// plays the recordings against it. The functions do what the JavaScript ones
// did, so they are short, and some of them are strange on purpose. Package
// program is an interpreter with which random programs are played.
//
// The environment variable FLAGS is a directory for files with which a caller
// makes activities fail; the default is durable-flags in the directory for
// temporary files.
package main

import (
	"context"
	"log"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/samples/conformance/program"
)

func main() {
	app := durable.NewApp()
	app.Register(program.Functions()...)
	app.Register(activities...)
	app.Register(calls...)
	app.Register(requests...)
	app.Register(children...)
	app.Register(events...)
	app.Register(failures...)
	app.Register(values...)
	app.Register(timers...)
	app.Register(entities...)
	app.HandleHTTP("HttpStart", httpStart(app.Client()))
	app.HandleHTTP("ClientOps", clientOps(app.Client()))
	log.Fatal(app.Run(context.Background()))
}
