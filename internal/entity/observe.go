package entity

import (
	"context"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/tracing"
)

// spanOf is the span of an operation: its id is derived, and it is told when the commit
// that takes the operation in is stored. nil where nothing observes.
func (en *Entity) spanOf(s step) *observe.Span {
	if en.Observer == nil {
		return nil
	}
	t := s.row.Telling
	o := &observe.Span{
		Kind: observe.Entity, Role: observe.Serves, Name: en.name.Name, Operation: s.request.Operation, InstanceID: en.ID,
		TaskID: observe.NoTask, Trace: tracing.Of(t.Event.Trace), Asked: t.Sent.UTC(), Scheduled: t.Due, Start: en.Exec.Now(),
	}
	if t.Due.After(o.Asked) {
		o.Asked = t.Due
	}
	if s.request.Signal {
		o.Role = observe.Handles
	}
	if o.Trace.Valid() {
		o.ID = tracing.SpanID("operation", en.ID, t.ID)
		o.Own = o.Trace.With(o.ID)
	}
	return o
}

// within is the context of an operation, within its span.
func (en *Entity) within(ctx context.Context, o *observe.Span) context.Context {
	if o == nil || o.ID == "" {
		return ctx
	}
	ctx, _ = en.Observer.Begin(ctx, o)
	return ctx
}

// end ends the span of an operation.
func (en *Entity) end(d *draft, o *observe.Span, failure *history.FailureDetails) {
	if o == nil {
		return
	}
	o.End, o.Failure = en.Exec.Now(), tracing.Failure(failure, "")
	d.spans = append(d.spans, o)
}

// sends is the span of what an operation has sent, by the id of the letter. It returns
// the context that the receiver gets.
func (en *Entity) sends(d *draft, from *observe.Span, letter string, o observe.Span, at time.Time) observe.Trace {
	if from == nil || !from.Own.Valid() {
		return observe.Trace{}
	}
	o.Role, o.TaskID, o.Trace, o.ID = observe.Sends, observe.NoTask, from.Own, tracing.SpanID("letter", letter)
	o.Own, o.Start, o.End = from.Own.With(o.ID), at, at
	d.spans = append(d.spans, &o)
	return o.Own
}

// tell hands over what a commit has stored.
func (en *Entity) tell(spans []*observe.Span) {
	if len(spans) > 0 {
		en.Observer.Ended(spans)
	}
}
