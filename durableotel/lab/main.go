// The app that bench/lab measures with -telemetry: the same as without, with traces of
// everything and all metrics. Spans are made and batched, and then forgotten; metrics are
// collected every second, which is sixty times as often as by default.
package main

import (
	"context"
	"log"
	"time"

	"github.com/durable-go/functions/bench/lab/flows"
	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durableotel"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// nowhere takes spans and metrics, and forgets them.
type nowhere struct{}

func (nowhere) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (nowhere) Shutdown(context.Context) error                             { return nil }

type noMetrics struct{ nowhere }

func (noMetrics) Temporality(k sdkmetric.InstrumentKind) metricdata.Temporality {
	return sdkmetric.DefaultTemporalitySelector(k)
}
func (noMetrics) Aggregation(k sdkmetric.InstrumentKind) sdkmetric.Aggregation {
	return sdkmetric.DefaultAggregationSelector(k)
}
func (noMetrics) Export(context.Context, *metricdata.ResourceMetrics) error { return nil }
func (noMetrics) ForceFlush(context.Context) error                          { return nil }

func main() {
	app := durable.NewApp()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithIDGenerator(durableotel.IDGenerator()), sdktrace.WithBatcher(nowhere{}))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(noMetrics{}, sdkmetric.WithInterval(time.Second))))
	app.Observe(durableotel.New(durableotel.WithTracerProvider(tracer), durableotel.WithMeterProvider(meters)))
	flows.Register(app)
	log.Fatal(app.Run(context.Background()))
}
