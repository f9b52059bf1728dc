package durableotel_test

import (
	"context"
	"errors"
	"testing"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/durableotel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// TestFlush: what the processors hold is sent, and what fails is told.
func TestFlush(t *testing.T) {
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithIDGenerator(durableotel.IDGenerator()), sdktrace.WithBatcher(exporter))
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	broken := errors.New("no collector")
	o := durableotel.New(durableotel.WithTracerProvider(provider), durableotel.WithFlush(func(context.Context) error { return broken }))
	_, end := o.Begin(t.Context(), &observe.Span{Kind: observe.Orchestration, Role: observe.Sends, Name: "O", TaskID: observe.NoTask})
	end()
	if err := o.Flush(t.Context()); !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
	if n := len(exporter.GetSpans()); n != 1 {
		t.Errorf("%d spans were sent", n)
	}
}
