//go:build linux

// Command programapp is the interpreter of samples/conformance/program for several
// processes that end: calls of FailTimes are counted in the folder E2E_TRIES.
package main

import (
	"context"
	"log"
	"os"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/samples/conformance/program"
)

func main() {
	app := durable.NewApp()
	app.Register(program.FunctionsWith(tries{os.Getenv("E2E_TRIES")}.run)...)
	log.Fatal(app.Run(context.Background()))
}
