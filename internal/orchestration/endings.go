package orchestration

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/tracing"
)

// endings are the spans that the events of one commit end.
type endings struct {
	in   *Instance
	own  observe.Trace
	name string
	now  time.Time
	// asked are the actions of the draft, calls those that ask entities, by the ids of
	// the requests. done are the actions that have their span.
	asked map[int32]*history.Event
	calls map[string]int32
	done  map[int32]bool
	spans []*observe.Span
}

// endings are what the draft of the execution ends: to be called before it is applied.
func (in *Instance) endings() []*observe.Span {
	if in.Observer == nil {
		return nil
	}
	started := in.x.started()
	if started == nil || started.Name == "" {
		return nil
	}
	e := in.newEndings(started)
	for _, event := range in.x.draft.events {
		e.add(event)
	}
	return append(in.x.draft.ended, e.spans...)
}

func (in *Instance) newEndings(started *history.Event) *endings {
	return &endings{
		in: in, own: in.x.own(), name: started.Name, now: in.Exec.Now(),
		asked: map[int32]*history.Event{}, calls: map[string]int32{}, done: map[int32]bool{},
	}
}

// open is the action of an id that has no answer, nil where there is none.
func (s *endings) open(id int32) *history.Event {
	if s.done[id] {
		return nil
	}
	if e := s.asked[id]; e != nil {
		return e
	}
	if a := s.in.x.record.actions[id]; a != nil && a.event.Type != history.EventSent {
		return a.event
	}
	return nil
}

// called is the call of an entity that a request made, nil where there is none that
// waits.
func (s *endings) called(request string) *history.Event {
	if id, draft := s.calls[request]; draft {
		return s.open(id)
	}
	r := s.in.x.record
	id, known := r.calls[request]
	if !known || s.done[id] {
		return nil
	}
	for _, e := range slices.Backward(r.events) {
		if e.Type == history.EventSent && e.ID == id {
			return e
		}
	}
	return nil
}

func (s *endings) add(e *history.Event) {
	switch e.Type {
	case history.ExecutionStarted:
		s.began(e)
	case history.TaskScheduled, history.TimerCreated:
		s.asked[e.ID] = e
	case history.SubOrchestrationInstanceCreated:
		if history.IsDetached(e) {
			s.span(e, e.Timestamp, nil)
			return
		}
		s.asked[e.ID] = e
	case history.EventSent:
		s.sent(e)
	case history.TaskCompleted, history.TimerFired, history.SubOrchestrationInstanceCompleted:
		s.ended(e.TaskID, nil)
	case history.TaskFailed, history.SubOrchestrationInstanceFailed:
		s.ended(e.TaskID, tracing.Failure(e.Failure, string(e.Reason)))
	case history.EventRaised:
		s.raised(e)
	case history.ContinueAsNew:
		s.abandon()
	case history.ExecutionCompleted:
		s.abandon()
		s.outcome(e)
	}
}

// began tells of an execution that was started, and does not continue another one.
func (s *endings) began(e *history.Event) {
	x := s.in.x
	if x.origin != x.id {
		return
	}
	_, start := x.span()
	if start.IsZero() {
		start = s.now
	}
	asked := e.Timestamp
	if e.ScheduledStart.After(asked) {
		asked = e.ScheduledStart
	}
	s.spans = append(s.spans, &observe.Span{
		Kind: observe.Orchestration, Role: observe.Begins, Name: e.Name, Version: e.Version, InstanceID: s.in.ID, ExecutionID: x.id,
		TaskID: observe.NoTask, Start: start, Asked: asked,
	})
}

// sent notes an event to another instance: it ends at once, unless an entity answers.
func (s *endings) sent(e *history.Event) {
	if !history.IsEntity(e.InstanceID) {
		s.span(e, e.Timestamp, nil)
		return
	}
	r, err := history.DecodeEntityRequest(e.Input)
	switch {
	case err != nil || e.Name == history.EntityRelease:
	case r.Signal:
		s.span(e, e.Timestamp, nil)
	default:
		s.asked[e.ID], s.calls[r.ID] = e, e.ID
	}
}

func (s *endings) raised(e *history.Event) {
	call := s.called(e.Name)
	if call == nil {
		return
	}
	var failure *observe.Failure
	if answer, err := history.DecodeEntityAnswer(e.Input); err == nil {
		failure = tracing.Failure(answer.Failure, "")
	}
	s.finish(call, failure)
}

// ended is an action that has its answer.
func (s *endings) ended(id int32, failure *observe.Failure) {
	if e := s.open(id); e != nil {
		s.finish(e, failure)
	}
}

// finish gives an action its span.
func (s *endings) finish(e *history.Event, failure *observe.Failure) {
	s.done[e.ID] = true
	s.span(e, s.now, failure)
}

// abandon ends the waits of an execution that is over. Timers that did not fire have no
// span, as in the official extension.
func (s *endings) abandon() {
	r := s.in.x.record
	ids := slices.Concat(slices.Collect(maps.Keys(r.actions)), slices.Collect(maps.Keys(s.asked)))
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if e := s.open(id); e != nil && e.Type != history.TimerCreated && !isOneWay(e) {
			s.finish(e, nil)
		}
	}
	for _, requests := range []map[string]int32{r.calls, s.calls} {
		for _, request := range slices.Sorted(maps.Keys(requests)) {
			if call := s.called(request); call != nil {
				s.finish(call, nil)
			}
		}
	}
}

// span is the one of an action.
func (s *endings) span(e *history.Event, end time.Time, failure *observe.Failure) {
	o := &observe.Span{
		Role: observe.Calls, Name: e.Name, Version: e.Version, InstanceID: s.in.ID, ExecutionID: s.in.x.id, TaskID: e.ID,
		Trace: s.own, Start: e.Timestamp, End: later(e.Timestamp, end), Failure: failure,
	}
	if s.own.Valid() {
		o.ID = s.in.spanOf(e.ID)
		o.Own = s.own.With(o.ID)
	}
	switch e.Type {
	case history.TaskScheduled:
		if strings.HasPrefix(e.Name, engine.StepPrefix) {
			o.Kind, o.Role, o.Name = observe.Step, observe.Serves, strings.TrimPrefix(e.Name, engine.StepPrefix)
			break
		}
		if engine.IsMarker(e) {
			return
		}
		o.Kind = observe.Activity
	case history.TimerCreated:
		o.Kind, o.Role, o.Name, o.FireAt = observe.Timer, observe.Serves, s.name, e.FireAt
	case history.SubOrchestrationInstanceCreated:
		o.Kind, o.TargetID = observe.Orchestration, e.InstanceID
		if history.IsDetached(e) {
			o.Role, o.InstanceID, o.ExecutionID = observe.Sends, e.InstanceID, s.in.childExecution(e)
		}
	case history.EventSent:
		if !s.entity(o, e) {
			return
		}
	}
	s.spans = append(s.spans, o)
}

// entity fills in the span of an event to another instance. It reports false for what
// has none: requests for locks.
func (s *endings) entity(o *observe.Span, e *history.Event) bool {
	o.Kind, o.Role, o.TargetID = observe.Event, observe.Sends, e.InstanceID
	id, err := history.ParseEntityID(e.InstanceID)
	if err != nil {
		return true
	}
	r, err := history.DecodeEntityRequest(e.Input)
	if err != nil || r.IsLock() {
		return false
	}
	o.Kind, o.Name, o.Operation, o.Scheduled = observe.Entity, id.Name, r.Operation, history.EntityDue(e.Name)
	if !r.Signal {
		o.Role = observe.Calls
	}
	return true
}

// outcome is the span of the execution itself, over all that it continued.
func (s *endings) outcome(end *history.Event) {
	x, started := s.in.x, s.in.x.started()
	id, began := x.span()
	if began.IsZero() {
		began = started.Timestamp
	}
	o := &observe.Span{
		Kind: observe.Orchestration, Role: observe.Serves, Name: started.Name, Version: started.Version, InstanceID: s.in.ID, ExecutionID: x.id,
		TaskID: observe.NoTask, Trace: tracing.Of(started.Trace), Own: s.own, ID: id, Start: began, End: later(began, s.now), Asked: started.Timestamp,
		Status: end.Status.String(), Events: len(x.record.events) + len(x.draft.events), Bytes: sizeOf(x.record.events) + sizeOf(x.draft.events),
	}
	if end.Status != history.Completed {
		o.Failure = tracing.Failure(end.Failure, string(end.Result))
	}
	if end.Status == history.Terminated {
		o.Failure = &observe.Failure{Type: "Terminated", Message: "Terminated"}
	}
	o.Links = x.links(maxLinks)
	s.spans = append(s.spans, o)
}

// sizeOf is the length of the payloads of events.
func sizeOf(events []*history.Event) (n int) {
	for _, e := range events {
		n += len(e.Input) + len(e.Result) + len(e.Reason) + len(e.Details)
	}
	return n
}

// later is the end of what began at a time: clocks of processes differ.
func later(began, end time.Time) time.Time {
	if end.Before(began) {
		return began
	}
	return end
}

// tell hands over what a commit has ended.
func (in *Instance) tell(spans []*observe.Span) {
	if len(spans) > 0 {
		in.Observer.Ended(spans)
	}
}

// tellCold is tell for an execution that was ended by its sentinel alone, once its
// history is read.
func (in *Instance) tellCold() {
	started, end := in.x.record.started, in.x.record.outcome
	if in.Observer == nil || started == nil || end == nil {
		return
	}
	e := in.newEndings(started)
	e.add(end)
	in.tell(e.spans)
}
