// Package env asks the machine.
package env

import (
	"flag"
	"os"
	"runtime"
	"time"

	"example.com/helpers"
	"github.com/durable-go/functions/durable"
)

var verbose = flag.Bool("verbose", false, "")

func Bad(ctx *durable.Context) string {
	_ = os.Args                  // want `DUR006 env: os.Args in an orchestrator`
	_ = runtime.NumCPU()         // want `runtime.NumCPU in an orchestrator`
	_, _ = os.Hostname()         // want `os.Hostname in an orchestrator`
	_ = ctx.Now().Local()        // want `time.Time.Local in an orchestrator`
	_ = ctx.Now().In(time.Local) // want `time.Local in an orchestrator`
	if *verbose {                // want `verbose comes from flag.Bool`
		return helpers.Region // want `Region comes from os.Getenv`
	}
	return os.Getenv("REGION") // want `os.Getenv in an orchestrator`
}

func Good(ctx *durable.Context) string {
	return durable.SideEffect(ctx, func() string { return os.Getenv("REGION") }) + runtime.GOOS
}
