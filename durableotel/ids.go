package durableotel

import (
	"context"
	"crypto/rand"
	"crypto/sha256"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// IDGenerator makes the ids of a TracerProvider that an [Observer] writes to: give it to
// sdktrace.WithIDGenerator. The span of an orchestration is written when it has ended,
// perhaps by another process than the one that ran its activities, whose spans name it
// as their parent; so its id is known before, and this generator uses it. Other ids are
// random.
func IDGenerator() sdktrace.IDGenerator { return generator{} }

type generator struct{}

type presetKey struct{}

// preset are the ids of a span that were drawn before.
type preset struct {
	trace trace.TraceID
	span  trace.SpanID
}

func withPreset(ctx context.Context, p preset) context.Context {
	return context.WithValue(ctx, presetKey{}, p)
}

// NewIDs implements sdktrace.IDGenerator.
func (g generator) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if p, ok := ctx.Value(presetKey{}).(preset); ok {
		if p.span.IsValid() {
			return p.trace, p.span
		}
		return p.trace, g.random()
	}
	var id trace.TraceID
	for !id.IsValid() {
		_, _ = rand.Read(id[:]) // it never fails
	}
	return id, g.random()
}

// NewSpanID implements sdktrace.IDGenerator.
func (g generator) NewSpanID(ctx context.Context, in trace.TraceID) trace.SpanID {
	if p, ok := ctx.Value(presetKey{}).(preset); ok && p.trace == in && p.span.IsValid() {
		return p.span
	}
	return g.random()
}

func (generator) random() (id trace.SpanID) {
	for !id.IsValid() {
		_, _ = rand.Read(id[:]) // it never fails
	}
	return id
}

// traceIDOf is the id of the trace of an orchestration that came without one: the same
// in every process.
func traceIDOf(instance, execution string) (id trace.TraceID) {
	sum := sha256.Sum256([]byte("trace\x00" + instance + "\x00" + execution))
	copy(id[:], sum[:])
	return id
}
