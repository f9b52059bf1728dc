// The app that bench/lab measures.
package main

import (
	"context"
	"log"

	"github.com/durable-go/functions/bench/lab/flows"
	"github.com/durable-go/functions/durable"
)

func main() {
	app := durable.NewApp()
	flows.Register(app)
	log.Fatal(app.Run(context.Background()))
}
