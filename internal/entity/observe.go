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

// measure tells of a measurement, under the name of the entity.
func (en *Entity) measure(q observe.Quantity, value float64) {
	if en.Observer != nil {
		en.Observer.Measure(observe.Measurement{Quantity: q, Name: en.name.Name, Value: value})
	}
}

// room is the name of entities as what is kept in memory, and gets messages.
const room = "entity"

// counted tells that something happened to what is kept in memory.
func (en *Entity) counted(q observe.Quantity, detail string) {
	if en.Observer != nil {
		en.Observer.Measure(observe.Measurement{Quantity: q, Name: room, Detail: detail, Value: 1})
	}
}

// measureBatch tells of what a commit has stored.
func (en *Entity) measureBatch(d *draft) {
	if en.Observer == nil {
		return
	}
	operations := 0
	for _, s := range d.done {
		switch s.kind {
		case runs:
			operations++
		case grants:
			en.measure(observe.LockWait, max(en.Exec.Now().Sub(s.row.Telling.Sent), 0).Seconds())
		}
	}
	if operations > 0 {
		en.measure(observe.BatchSize, float64(operations))
		en.measure(observe.StateSize, float64(len(d.state)))
	}
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
