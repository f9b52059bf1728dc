// Command shop is an app whose orchestrator breaks rules.
package main

import (
	"context"
	"log"

	"github.com/durable-go/functions/durable"

	"example.com/shop/flows"
)

func main() {
	app := durable.NewApp()
	app.Register(flows.Order)
	log.Fatal(app.Run(context.Background()))
}
