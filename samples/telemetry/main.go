// An app that sends traces, metrics and logs by OTLP over HTTP: to a collector, or to
// Azure Monitor with the app's identity.
package main

import (
	"context"
	"log"
	"log/slog"
	"os"

	hello "github.com/durable-go/functions/Hello"
	httpstart "github.com/durable-go/functions/HttpStart"
	orchestrator "github.com/durable-go/functions/Orchestrator"
	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durableotel"
	"go.opentelemetry.io/contrib/bridges/otelslog"
)

func main() {
	app := durable.NewApp() // the supervisor does not go on here, so it sends nothing
	t, err := newTelemetry(context.Background(), os.Getenv)
	if err != nil {
		log.Fatal(err)
	}
	app.Observe(durableotel.New(durableotel.WithTracerProvider(t.traces), durableotel.WithMeterProvider(t.metrics), durableotel.WithFlush(t.logs.ForceFlush)))
	slog.SetDefault(slog.New(slog.NewMultiHandler(
		durableotel.LogHandler(slog.Default().Handler()),
		otelslog.NewHandler("app", otelslog.WithLoggerProvider(t.logs)),
	)))
	app.Register(orchestrator.Orchestrator, hello.Activity)
	app.HandleHTTP("HttpStart", httpstart.Handler(app.Client()))
	log.Fatal(app.Run(context.Background()))
}
