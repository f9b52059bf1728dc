package durableotel

import (
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Handler implements observe.Observer: each request to an HTTP function is a server
// span, by the conventions for HTTP, named by its method and the function. The context
// of what the function starts is the request's.
func (o *Observer) Handler(function string, h http.Handler) http.Handler {
	traced := otelhttp.NewHandler(h, function,
		otelhttp.WithTracerProvider(o.tracers), otelhttp.WithMeterProvider(o.meters), otelhttp.WithPropagators(o.propagator),
		otelhttp.WithSpanNameFormatter(func(operation string, r *http.Request) string { return r.Method + " " + operation }),
		otelhttp.WithSpanOptions(trace.WithAttributes(attribute.String("faas.name", function), attribute.String("faas.trigger", "http"))),
	)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		traced.ServeHTTP(w, o.withoutUnsampled(r))
	})
}

// withoutUnsampled takes a trace context away that is not sampled: see
// [WithUnsampledParents].
func (o *Observer) withoutUnsampled(r *http.Request) *http.Request {
	if o.honoursUnsampled {
		return r
	}
	parent := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header)))
	if !parent.IsValid() || parent.IsSampled() {
		return r
	}
	r = r.WithContext(r.Context())
	r.Header = r.Header.Clone()
	r.Header.Del("traceparent")
	r.Header.Del("tracestate")
	return r
}
