package orchestration

import (
	"slices"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/tracing"
)

// Spans of an orchestration are told once, by the process that commits what ends them.
// Their ids are derived from the execution and the action: what is sent to others
// before names spans that another process may write.

// measure tells of a measurement.
func (v *Env) measure(q observe.Quantity, name, detail string, value float64) {
	if v.Observer != nil {
		v.Observer.Measure(observe.Measurement{Quantity: q, Name: name, Detail: detail, Value: value})
	}
}

// room is the name of orchestrations as what is kept in memory, and gets messages.
const room = "orchestration"

// deferred tells that messages were put off.
func (in *Instance) deferred() { in.measure(observe.Deferred, room, "", 1) }

// lookedUp counts a look for a history in memory, by its result.
func (in *Instance) lookedUp(result string) { in.measure(observe.CacheLookups, room, result, 1) }

// timed is code that is measured, of an execution that may begin with events.
func (in *Instance) timed(kind string, events []*history.Event, run func() error) func() error {
	if in.Observer == nil {
		return run
	}
	return func() error {
		name, _ := in.x.facts(events)
		began := in.Exec.Clock.Now()
		err := run()
		in.measure(observe.TurnTime, name, kind, in.Exec.Clock.Now().Sub(began).Seconds())
		if kind == "replay" {
			in.measure(observe.ReplayedEvents, name, "", float64(len(in.x.record.events)))
		}
		return err
	}
}

// trace gives the start of an execution the id of its span, in the official columns. A
// continuation has that of the execution before it.
func (in *Instance) trace(events []*history.Event) {
	if in.Observer == nil {
		return
	}
	for _, e := range events {
		if e.Type != history.ExecutionStarted || e.Trace != nil && e.Trace.SpanID != "" {
			continue
		}
		id := tracing.SpanID("orchestration", in.ID, e.Instance.ExecutionID)
		t := tracing.Of(e.Trace)
		if !t.Valid() {
			t = in.Observer.Root(&observe.Span{
				Kind: observe.Orchestration, Name: e.Name, Version: e.Version, InstanceID: in.ID, ExecutionID: e.Instance.ExecutionID, ID: id,
			})
		}
		if e.Trace = tracing.Wire(t); e.Trace != nil {
			e.Trace.ID, e.Trace.SpanID, e.Trace.Started = t.With(id).Parent, id, in.Exec.Now()
		}
	}
}

// started is the first event of the execution, committed or not; nil where it is not
// known.
func (x *execution) started() *history.Event {
	if x.record.started != nil {
		return x.record.started
	}
	for _, e := range x.draft.events {
		if e.Type == history.ExecutionStarted {
			return e
		}
	}
	return nil
}

// span is the id of the execution's own span, and when it began. A rewind begins
// another one, because the first is written.
func (x *execution) span() (id string, began time.Time) {
	e := x.started()
	if e == nil || e.Trace == nil || e.Trace.SpanID == "" {
		return "", time.Time{}
	}
	if w := x.record.rewinds; w != nil && w.times > 0 {
		return tracing.SpanID("rewound", e.Trace.SpanID, itoa(int32(w.times))), x.record.events[w.at-1].Timestamp
	}
	return e.Trace.SpanID, e.Trace.Started
}

// own is the context of the execution's own span; zero where it is not traced.
func (x *execution) own() observe.Trace {
	id, _ := x.span()
	if id == "" {
		return observe.Trace{}
	}
	return tracing.Of(x.started().Trace).With(id)
}

// spanOf is the id of the span of an action, before and after the commit that records
// it.
func (in *Instance) spanOf(action int32) string {
	redone := in.x.record.redone(action)
	if w := in.x.record.rewinds; w != nil && w.recorded[action] && in.x.draftAsks(action) {
		redone++
	}
	return in.x.spanID(in.ID, action, int32(redone))
}

// spanID derives the id of the span of an action that was taken out so many times.
func (x *execution) spanID(instance string, action, redone int32) string {
	key := [2]int32{action, redone}
	id, ok := x.spans[key]
	if !ok {
		id = tracing.SpanID("call", instance, x.id, itoa(action), itoa(redone))
		if x.spans == nil {
			x.spans = map[[2]int32]string{}
		}
		x.spans[key] = id
	}
	return id
}

func (x *execution) draftAsks(action int32) bool {
	return slices.ContainsFunc(x.draft.events, func(e *history.Event) bool { return e.ID == action && asks(e.Type) })
}

// traceOf is the trace context that goes along with an action; zero where the execution
// is not traced.
func (in *Instance) traceOf(action int32) observe.Trace {
	if in.Observer == nil {
		return observe.Trace{}
	}
	own := in.x.own()
	if !own.Valid() {
		return own
	}
	return own.With(in.spanOf(action))
}

// noteTrace puts the ids of the spans of new actions into the history.
func (in *Instance) noteTrace(e *history.Event) {
	t := in.traceOf(e.ID)
	switch {
	case !t.Valid():
	case e.Type == history.TaskScheduled:
		e.Trace = tracing.Wire(t)
	case e.Type == history.SubOrchestrationInstanceCreated:
		e.Carried = t.SpanID()
	}
}
