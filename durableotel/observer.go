package durableotel

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// scope is the name under which spans and metrics are made.
const scope = "github.com/durable-go/functions/durableotel"

// Observer makes spans and metrics: give it to App.Observe of package durable.
type Observer struct {
	options
	tracer  trace.Tracer
	metrics *instruments
	// measures are the metrics of what is measured as it happens, gauges those that are
	// read.
	measures *measures
	gauges   map[observe.Quantity]gauge
	warn     sync.Once
}

var _ observe.Observer = (*Observer)(nil)

type options struct {
	tracers          trace.TracerProvider
	meters           metric.MeterProvider
	propagator       propagation.TextMapPropagator
	honoursUnsampled bool
	queues           bool
	flushes          []func(context.Context) error
}

// Option changes what New makes.
type Option func(*options)

// WithTracerProvider sets where spans go. Its ids must come from [IDGenerator]. Default:
// the global provider.
func WithTracerProvider(p trace.TracerProvider) Option { return func(o *options) { o.tracers = p } }

// WithMeterProvider sets where metrics go. Default: the global provider.
func WithMeterProvider(p metric.MeterProvider) Option { return func(o *options) { o.meters = p } }

// WithPropagator sets what reads the trace context of HTTP requests. Default: the
// headers traceparent and tracestate, and baggage.
func WithPropagator(p propagation.TextMapPropagator) Option {
	return func(o *options) { o.propagator = p }
}

// WithUnsampledParents lets a caller decide that a request is not traced, by the flag of
// its traceparent. By default such a parent is left out, and the sampler decides: the
// Functions host invents one that is not sampled for every request that brings none,
// unless its own OpenTelemetry is on ("telemetryMode": "OpenTelemetry" in host.json),
// and nothing would be traced.
func WithUnsampledParents() Option { return func(o *options) { o.honoursUnsampled = true } }

// WithFlush adds what is to be flushed when the app stops, beside the two providers:
// the ForceFlush of a LoggerProvider.
func WithFlush(flush func(context.Context) error) Option {
	return func(o *options) { o.flushes = append(o.flushes, flush) }
}

// New makes an observer. It has no exporter: that belongs to the providers.
func New(opts ...Option) *Observer {
	o := &Observer{options: options{
		tracers: otel.GetTracerProvider(), meters: otel.GetMeterProvider(),
		propagator: propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}),
	}}
	for _, opt := range opts {
		opt(&o.options)
	}
	o.tracer = o.tracers.Tracer(scope)
	meter := o.meters.Meter(scope)
	o.metrics, o.measures, o.gauges = newInstruments(meter), newMeasures(meter), newGauges(meter, o.queues)
	return o
}

// Request implements observe.Observer.
func (o *Observer) Request(service, operation string, status int, took time.Duration) {
	o.metrics.request(service, operation, status, took)
}

// Flush implements observe.Observer: it flushes, at the same time, the providers that
// can, and what [WithFlush] has added.
func (o *Observer) Flush(ctx context.Context) error {
	all := o.flushes
	for _, p := range []any{o.tracers, o.meters} {
		if f, ok := p.(interface{ ForceFlush(context.Context) error }); ok {
			all = append(all[:len(all):len(all)], f.ForceFlush)
		}
	}
	errs := make([]error, len(all))
	var done sync.WaitGroup
	for i, flush := range all {
		done.Go(func() { errs[i] = flush(ctx) })
	}
	done.Wait()
	return errors.Join(errs...)
}

// check warns, once, of a provider that makes its own ids.
func (o *Observer) check(got trace.SpanContext, want trace.SpanID) {
	if got.IsValid() && got.SpanID() != want {
		o.warn.Do(func() {
			slog.Warn("the spans of orchestrations have ids that their children do not know: make the TracerProvider with sdktrace.WithIDGenerator(durableotel.IDGenerator())")
		})
	}
}
