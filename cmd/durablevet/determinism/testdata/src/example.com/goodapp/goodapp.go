// Command goodapp is put together in the right order.
package main

import (
	"context"
	"log"
	"os"
	"time"

	"github.com/durable-go/functions/durable"
)

var hello = durable.NewActivity[int, int]("Hello", nil)

func main() {
	const name = "Hello"
	ctx, wait := context.Background(), time.Duration(5)
	app := durable.NewApp()
	_ = os.Getenv("NAME")
	app.Register(hello)
	durable.HandleTrigger(app, name, func(context.Context, string, durable.Trigger) error {
		time.Sleep(wait)
		return nil
	})
	log.Fatal(app.Run(ctx))
}
