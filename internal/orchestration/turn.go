package orchestration

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/lease"
)

// turn runs the orchestrator on new events and adds what came of it to the draft.
func (in *Instance) turn(ctx context.Context, events []*history.Event) error {
	x := in.x
	under := in.leaseOfDraft()
	if under == nil {
		return errNoLease
	}
	in.trace(events)
	if terminatedBy(events) != nil {
		in.end(events)
		return nil
	}
	var t *engine.Turn
	if x.blame == nil {
		waiting := in.Exec.Clock.Now()
		err := in.runCode(ctx, in.timed("turn", events, func() (err error) {
			if in.tooLong(waiting, events) {
				return &postponed{reason: "no slot is free here for a start"}
			}
			t, err = x.eng.Turn(in.turnTime(events), events)
			return err
		}))
		if err := in.parked(err); err != nil {
			return err
		}
	}
	if x.blame != nil {
		in.end(events)
		return nil
	}
	if len(t.Events) == 0 {
		// What came may mean something to a history that is longer than the one in
		// memory. A commit finds that out by itself.
		if len(x.draft.takes) > 0 {
			return nil
		}
		return in.verify(ctx)
	}
	in.take(t, events, under)
	return nil
}

// take adds a turn to the draft.
func (in *Instance) take(t *engine.Turn, events []*history.Event, under *lease.Lease) {
	x := in.x
	x.draft.deferrable = in.FirstTurn > 0 && in.isFirstTurn(events) && !t.SideEffect && !t.Clock && t.Status == history.Running && in.onlyActivities(t)
	stamp(t.Events, in.Exec.Now())
	for _, e := range t.Events {
		if asks(e.Type) {
			e.Own.Lease = under.ID
		}
	}
	if t.CustomStatusChanged {
		x.custom = t.CustomStatus
		noteCustom(t.Events, x.custom)
	}
	x.draft.events = append(x.draft.events, t.Events...)
	if in.Observer != nil {
		for _, e := range t.Events {
			in.noteTrace(e)
		}
	}
}

// stamp gives what a turn did the time at which it did so. The turn's own event keeps the
// time that the code saw, which for a start that has just come is that of its message; a
// timer too, whose length is told by that.
func stamp(events []*history.Event, now time.Time) {
	asked := map[int32]bool{}
	for _, e := range events {
		switch e.Type {
		case history.TaskScheduled:
			asked[e.ID] = true // may be a marker, which completes at once
		case history.TaskCompleted:
			if !asked[e.TaskID] {
				continue
			}
		case history.SubOrchestrationInstanceCreated, history.EventSent, history.ExecutionCompleted, history.OrchestratorCompleted:
		default:
			continue
		}
		if now.After(e.Timestamp) {
			e.Timestamp = now
		}
	}
}

// leaseOfDraft is the message that the next commit may name as the lease of what it
// asks for: its next holder, coming before the commit, must find work in it. That is
// so for a message that the commit takes in, for a wake-up whose rows it takes in,
// and for one under which the history has an action open. nil when this process
// holds none that is in time.
func (in *Instance) leaseOfDraft() *lease.Lease {
	x := in.x
	brought := map[string]bool{}
	for _, it := range x.draft.items {
		if m, ok := it.(*Message); ok {
			brought[m.Lease.ID] = true
		}
	}
	// A history that ends with continue-as-new, or without actions that its code has
	// asked for, is work for every holder.
	unrecorded := x.record.continued || x.id != "" && !x.ended() && x.eng.Unrecorded()
	return in.custody.Any(func(id string) bool {
		return unrecorded || id == x.under || brought[id] || len(x.draft.takes) > 0 && in.custody.Looks(id) || x.record.open(id)
	})
}

// turnTime is the orchestrator's clock during the turn: for a start that has just
// come the time of its message, else the time, but not before a timer that has
// fired. A repetition of a first turn before its commit comes later, and has another
// time; so a turn that looks at the clock is committed before its effects.
func (in *Instance) turnTime(events []*history.Event) time.Time {
	if in.isFirstTurn(events) {
		return events[0].Timestamp
	}
	now := in.Exec.Now()
	for _, e := range events {
		switch {
		case e.Type == history.TimerFired && e.FireAt.After(now):
			now = e.FireAt
		case e.Type == history.ExecutionStarted && in.x.origin != in.x.id && e.Timestamp.After(now):
			now = e.Timestamp
		}
	}
	return now
}

// tooLong reports whether a start that came straight from its client has waited so
// long for a slot that another process should have it.
func (in *Instance) tooLong(since time.Time, events []*history.Event) bool {
	return len(events) > 0 && events[0].Type == history.ExecutionStarted && !in.since.IsZero() &&
		in.Exec.Clock.Now().Sub(since) > in.Patience
}

// isFirstTurn reports whether the events are a start that has just come and may be
// repeated as it was.
func (in *Instance) isFirstTurn(events []*history.Event) bool {
	if len(events) != 1 {
		return false
	}
	start := events[0]
	return start.Type == history.ExecutionStarted && start.ScheduledStart.IsZero() &&
		len(in.x.record.events) == 0 && in.Exec.Clock.Now().Sub(start.Timestamp).Abs() < time.Second
}

func (in *Instance) onlyActivities(t *engine.Turn) bool {
	if in.throughQueue() {
		return false
	}
	for _, e := range t.Events {
		if asks(e.Type) && e.Type != history.TaskScheduled {
			return false
		}
	}
	return true
}

// asks reports whether an event asks for something outside the orchestration.
func asks(t history.Type) bool {
	switch t {
	case history.TaskScheduled, history.TimerCreated, history.SubOrchestrationInstanceCreated, history.EventSent:
		return true
	}
	return false
}

// end adds to the draft the end of an orchestration without running its code: it was
// terminated, ended the process, or does not fit its history.
func (in *Instance) end(events []*history.Event) {
	x := in.x
	now := in.Exec.Now()
	if in.refusals > 1 {
		events = withoutPayloads(events)
	}
	name, next := x.facts(events)
	end := &history.Event{Type: history.ExecutionCompleted, ID: next, Timestamp: now}
	if terminated := terminatedBy(events); terminated != nil {
		end.Status, end.Result = history.Terminated, history.ShownReason(terminated.Input)
	} else {
		end.Status, end.Failure = history.Failed, blameDetails(x.blame)
		end.Result = history.Payload(fmt.Sprintf("Orchestrator function '%s' failed: %s", name, end.Failure.ErrorMessage))
	}
	x.draft.deferrable = false
	x.draft.events = append(x.draft.events, &history.Event{Type: history.OrchestratorStarted, ID: history.NoID, Timestamp: now})
	x.draft.events = append(x.draft.events, events...)
	x.draft.events = append(x.draft.events, end, &history.Event{Type: history.OrchestratorCompleted, ID: history.NoID, Timestamp: now})
}

// terminatedBy is the event among them that ends the execution, nil when none does.
func terminatedBy(events []*history.Event) *history.Event {
	for _, e := range events {
		if e.Type == history.ExecutionTerminated {
			return e
		}
	}
	return nil
}

// facts are the orchestrator's name and the id of its next action.
func (x *execution) facts(events []*history.Event) (name string, next int32) {
	if x.record.started != nil {
		name = x.record.started.Name
	}
	next = max(x.record.next, int32(min(x.fence.NextRow-x.fence.FirstRow, 1<<30)))
	if len(x.record.events) > 0 {
		next = x.record.next
	}
	for _, e := range append(x.draft.events[:len(x.draft.events):len(x.draft.events)], events...) {
		if e.Type == history.ExecutionStarted {
			name = e.Name
		}
		next = max(next, e.ID+1)
	}
	return name, next
}

func blameDetails(blame error) *history.FailureDetails {
	var differs *engine.NonDeterminismError
	var unknown *unknownCode
	var refused *refusedError
	switch {
	case errors.As(blame, &differs):
		return &history.FailureDetails{ErrorType: "NonDeterminismError", ErrorMessage: differs.Error(), NonRetriable: true}
	case errors.As(blame, &unknown):
		return &history.FailureDetails{ErrorType: "UnknownOrchestrator", ErrorMessage: unknown.Error(), NonRetriable: true}
	case errors.As(blame, &refused):
		return &history.FailureDetails{ErrorType: "RefusedByStorage", ErrorMessage: refused.Error(), NonRetriable: true}
	default:
		return activity.Exited(blame)
	}
}
