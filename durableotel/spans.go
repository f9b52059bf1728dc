package durableotel

import (
	"context"
	"strings"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Begin implements observe.Observer.
func (o *Observer) Begin(ctx context.Context, s *observe.Span) (context.Context, func()) {
	if s.ID != "" {
		return trace.ContextWithRemoteSpanContext(ctx, contextOf(s.Trace.With(s.ID))), func() {}
	}
	o.metrics.begun(s)
	ctx, parented := o.parent(ctx, s)
	if !parented {
		return ctx, func() { o.metrics.ended(s) }
	}
	ctx, span := o.tracer.Start(ctx, nameOf(s), trace.WithSpanKind(kindOf(s)), trace.WithTimestamp(startOf(s)), trace.WithAttributes(attributesOf(s)...))
	s.Own = traceOf(span.SpanContext())
	return ctx, func() {
		o.metrics.ended(s)
		finish(span, s)
		if !s.End.IsZero() {
			span.End(trace.WithTimestamp(s.End))
			return
		}
		span.End()
	}
}

// parent is the context in which a span begins. It reports false for what belongs to
// an orchestration that is not traced.
func (o *Observer) parent(ctx context.Context, s *observe.Span) (context.Context, bool) {
	parent := contextOf(s.Trace)
	switch {
	case s.Kind == observe.Activity:
		return trace.ContextWithRemoteSpanContext(ctx, parent), parent.IsValid()
	case s.Kind == observe.Trigger && parent.IsValid() && (parent.IsSampled() || o.honoursUnsampled):
		return trace.ContextWithRemoteSpanContext(ctx, parent), true
	}
	return ctx, true
}

func startOf(s *observe.Span) time.Time {
	if s.Start.IsZero() {
		return time.Now()
	}
	return s.Start
}

// Root implements observe.Observer: the sampler decides whether the orchestration is
// traced, by a trace id that every process derives.
func (o *Observer) Root(s *observe.Span) observe.Trace {
	id, err := trace.SpanIDFromHex(s.ID)
	if err != nil {
		return observe.Trace{}
	}
	ctx := withPreset(context.Background(), preset{trace: traceIDOf(s.InstanceID, s.ExecutionID), span: id})
	// It is not ended, so it is not written: the span is written when the orchestration
	// has ended.
	_, span := o.tracer.Start(ctx, nameOf(s), trace.WithSpanKind(kindOf(s)), trace.WithAttributes(attributesOf(s)...))
	o.check(span.SpanContext(), id)
	return traceOf(span.SpanContext()).With(s.ID)
}

// Ended implements observe.Observer.
func (o *Observer) Ended(spans []*observe.Span) {
	for _, s := range spans {
		o.metrics.ended(s)
		if s.ID != "" && s.Role != observe.Begins {
			o.write(s)
		}
	}
}

// write writes a span that is over, under its id.
func (o *Observer) write(s *observe.Span) {
	id, err := trace.SpanIDFromHex(s.ID)
	parent := contextOf(s.Trace)
	if err != nil || !parent.IsSampled() {
		return
	}
	ctx := withPreset(context.Background(), preset{trace: parent.TraceID(), span: id})
	if parent.SpanID() != id { // a root names itself
		ctx = trace.ContextWithRemoteSpanContext(ctx, parent)
	}
	options := []trace.SpanStartOption{trace.WithSpanKind(kindOf(s)), trace.WithTimestamp(s.Start), trace.WithAttributes(allAttributesOf(s)...)}
	if len(s.Links) > 0 {
		options = append(options, trace.WithLinks(linksOf(s)...))
	}
	_, span := o.tracer.Start(ctx, nameOf(s), options...)
	o.check(span.SpanContext(), id)
	setFailure(span, s)
	span.End(trace.WithTimestamp(s.End))
}

func linksOf(s *observe.Span) (links []trace.Link) {
	for _, t := range s.Links {
		if c := contextOf(t); c.IsValid() {
			links = append(links, trace.Link{SpanContext: c})
		}
	}
	return links
}

// finish sets what is known when a span ends.
func finish(span trace.Span, s *observe.Span) {
	if s.Status != "" {
		span.SetAttributes(outcomeOf(s)...)
	}
	setFailure(span, s)
}

// setFailure sets how a span has ended.
func setFailure(span trace.Span, s *observe.Span) {
	f := s.Failure
	if f == nil {
		if s.Role == observe.Serves && (s.Kind == observe.Orchestration || s.Kind == observe.Activity) {
			span.SetStatus(codes.Ok, "")
		}
		return
	}
	span.SetStatus(codes.Error, f.Message)
	if s.Kind == observe.Entity && s.Role != observe.Calls {
		span.SetAttributes(attribute.String("durabletask.entity.error_message", f.Message))
	}
	if s.Role != observe.Calls && s.Status != "Terminated" {
		exception(span, s)
	}
}

// exception adds the event that tells of a failure.
func exception(span trace.Span, s *observe.Span) {
	attributes := []attribute.KeyValue{attribute.String("exception.type", s.Failure.Type), attribute.String("exception.message", s.Failure.Message)}
	if s.Failure.Stack != "" {
		attributes = append(attributes, attribute.String("exception.stacktrace", s.Failure.Stack))
	}
	options := []trace.EventOption{trace.WithAttributes(attributes...)}
	if !s.End.IsZero() {
		options = append(options, trace.WithTimestamp(s.End))
	}
	span.AddEvent("exception", options...)
}

// contextOf is the span context of a traceparent; an invalid one where that is not valid.
func contextOf(t observe.Trace) trace.SpanContext {
	if !t.Valid() {
		return trace.SpanContext{}
	}
	var c trace.SpanContextConfig
	c.TraceID, _ = trace.TraceIDFromHex(t.Parent[3:35])
	c.SpanID, _ = trace.SpanIDFromHex(t.Parent[36:52])
	if t.Sampled() {
		c.TraceFlags = trace.FlagsSampled
	}
	c.TraceState, _ = trace.ParseTraceState(t.State) // what does not parse is left out
	c.Remote = true
	return trace.NewSpanContext(c)
}

// traceOf is a span context as messages carry it.
func traceOf(c trace.SpanContext) observe.Trace {
	if !c.IsValid() {
		return observe.Trace{}
	}
	flags := (c.TraceFlags() & trace.FlagsSampled).String()
	return observe.Trace{Parent: strings.Join([]string{"00", c.TraceID().String(), c.SpanID().String(), flags}, "-"), State: c.TraceState().String()}
}
