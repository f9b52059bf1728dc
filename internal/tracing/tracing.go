// Package tracing is between the trace contexts of histories and messages, and what
// observers take.
package tracing

import (
	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Of is the trace context of the sender of an event.
func Of(t *history.TraceContext) observe.Trace {
	if t == nil {
		return observe.Trace{}
	}
	return observe.Trace{Parent: t.TraceParent, State: t.TraceState}
}

// Wire is the form that events have; nil where there is no trace.
func Wire(t observe.Trace) *history.TraceContext {
	if !t.Valid() {
		return nil
	}
	return &history.TraceContext{TraceParent: t.Parent, TraceState: t.State}
}

// SpanID is the id of a span that any process can derive, of what is unlike in any two.
func SpanID(parts ...string) string { return taskhub.DerivedID(append(parts, "span")...)[:16] }

// Failure is how something failed; nil for nil. text is what the failure is called
// outside; empty: its message.
func Failure(d *history.FailureDetails, text string) *observe.Failure {
	if d == nil && text == "" {
		return nil
	}
	f := &observe.Failure{Message: text}
	if d != nil {
		f.Type, f.Stack = d.ErrorType, string(d.StackTrace)
		if text == "" {
			f.Message = d.ErrorMessage
		}
	}
	return f
}
