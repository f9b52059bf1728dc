// Command app is put together in the wrong order.
package main

import (
	"context"
	"flag"
	"os"

	"github.com/durable-go/functions/durable"
)

var hello = durable.NewActivity[int, int]("Hello", nil)

func main() {
	ctx := context.Background()
	name := os.Getenv("NAME") // want `DUR018 main: this runs before durable.NewApp`
	flag.Parse()
	app := durable.NewApp()
	app.HandleHTTP(name, nil)
	app.Run(ctx)        // want `the error of App.Run is dropped: a process that ends without one is not started again; write log.Fatal\(app.Run\(ctx\)\)`
	app.Register(hello) // want `this comes after App.Run`
}
