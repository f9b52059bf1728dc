package durableotel_test

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durableotel"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

// recorder has an app whose telemetry stays in memory.
type recorder struct {
	app     *durable.App
	spans   *tracetest.InMemoryExporter
	metrics *sdkmetric.ManualReader
	tracer  *sdktrace.TracerProvider
}

func record(options ...sdktrace.TracerProviderOption) *recorder {
	r := &recorder{app: durable.NewApp(), spans: tracetest.NewInMemoryExporter(), metrics: sdkmetric.NewManualReader()}
	r.tracer = sdktrace.NewTracerProvider(append([]sdktrace.TracerProviderOption{
		sdktrace.WithIDGenerator(durableotel.IDGenerator()), sdktrace.WithSyncer(r.spans),
	}, options...)...)
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.metrics))
	r.app.Observe(durableotel.New(durableotel.WithTracerProvider(r.tracer), durableotel.WithMeterProvider(meters)))
	return r
}

// caller is the context of a caller that has a trace.
func caller(t *testing.T) context.Context {
	return trace.ContextWithRemoteSpanContext(t.Context(), callerContext)
}

var callerContext = trace.NewSpanContext(trace.SpanContextConfig{
	TraceID: trace.TraceID{1, 2, 3}, SpanID: trace.SpanID{4, 5, 6}, TraceFlags: trace.FlagsSampled, Remote: true,
})

// span is what the trees compare of a span.
type span struct {
	name, kind, status, text string
	id, parent, trace        string
	attributes               map[string]string
	links                    int
	events                   []string
	start                    time.Time
}

func spansOf(stubs tracetest.SpanStubs) (out []span) {
	for _, s := range stubs {
		o := span{
			name: s.Name, kind: strings.ToUpper(s.SpanKind.String()[:1]) + s.SpanKind.String()[1:], status: s.Status.Code.String(), text: s.Status.Description,
			id: s.SpanContext.SpanID().String(), parent: s.Parent.SpanID().String(), trace: s.SpanContext.TraceID().String(),
			attributes: map[string]string{}, links: len(s.Links), start: s.StartTime,
		}
		for _, a := range s.Attributes {
			o.attributes[string(a.Key)] = executions.ReplaceAllString(text(a), "{guid}")
		}
		for _, e := range s.Events {
			o.events = append(o.events, e.Name)
		}
		out = append(out, o)
	}
	return out
}

// executions are the ids of executions, of which those of children are made.
var executions = regexp.MustCompile(`\b[0-9a-f]{32}\b`)

// pause lets the virtual clock move on.
func pause(d time.Duration) { <-time.After(d) }

func text(a attribute.KeyValue) string {
	return a.Value.Emit() //nolint:staticcheck // the text of any value
}

// tree draws spans under their parents: those of which the parent is not among them at
// the left. More of one kind under one parent are in the order of their task ids, and
// then of their beginnings.
func tree(spans []span, line func(span) string) string {
	known := map[string]bool{}
	for _, s := range spans {
		known[s.id] = true
	}
	below := map[string][]span{}
	for _, s := range spans {
		parent := s.parent
		if !known[parent] {
			parent = ""
		}
		below[parent] = append(below[parent], s)
	}
	var b strings.Builder
	var draw func(parent, indent string)
	draw = func(parent, indent string) {
		list := below[parent]
		slices.SortStableFunc(list, func(a, b span) int { return cmp.Or(cmp.Compare(order(a), order(b)), a.start.Compare(b.start)) })
		for _, s := range list {
			fmt.Fprintf(&b, "%s%s\n", indent, line(s))
			draw(s.id, indent+"  ")
		}
	}
	draw("", "")
	return b.String()
}

func order(s span) string {
	return s.attributes["durabletask.task.task_id"] + " " + s.name + " " + s.kind
}

// line is a span without what differs from run to run.
func line(s span) string {
	out := s.kind + " " + s.name + " " + s.status
	if s.text != "" {
		out += fmt.Sprintf(" %q", s.text)
	}
	for _, e := range s.events {
		out += " [" + e + "]"
	}
	if s.links > 0 {
		out += fmt.Sprintf(" links=%d", s.links)
	}
	for _, name := range slices.Sorted(keys(s.attributes)) {
		if v := s.attributes[name]; volatile[name] == "" {
			out += " " + name + "=" + v
		} else {
			out += " " + name + "=" + volatile[name]
		}
	}
	return out
}

// volatile are the attributes that differ from run to run.
var volatile = map[string]string{
	"durabletask.task.execution_id": "{guid}", "durabletask.fire_at": "{time}", "durabletask.task.scheduled_time": "{time}",
	"durable.queue_delay_ms": "{ms}", "durable.history.events": "{n}",
}

func keys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// doubled is the id of a span that is there twice; empty where none is.
func doubled(stubs tracetest.SpanStubs) string {
	seen := map[trace.SpanID]bool{}
	for _, s := range stubs {
		if seen[s.SpanContext.SpanID()] {
			return s.Name + " " + s.SpanContext.SpanID().String()
		}
		seen[s.SpanContext.SpanID()] = true
	}
	return ""
}
