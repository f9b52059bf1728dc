package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

// trialDelay is how long messages are put off of an orchestration that another
// process tries.
const trialDelay = time.Second

var errNoLease = errors.New("this process holds no message of the orchestration any more")

// inSlot runs user code: in a slot, known to the journal. Code that ended the
// process before is not run; in.blame is set instead.
func (in *instance) inSlot(ctx context.Context, run func() error) error {
	if err := in.w.watchdog.isStuck(in.id); err != nil {
		return err
	}
	if err := in.w.turns.take(ctx); err != nil {
		return err
	}
	defer in.w.turns.put()
	code, err := in.w.Journal.Begin(ctx, in.code(), in.dequeued())
	switch {
	case err == nil:
	case isElsewhere(err):
		return &postponed{reason: err.Error(), delay: trialDelay}
	case ctx.Err() == nil:
		in.blame = err
		return nil
	default:
		return ctx.Err()
	}
	blocked := new(engine.BlockedError)
	left := false
	defer func() { code.Return(left) }()
	err = in.w.watchdog.watch(in.eng, run)
	if left = errors.As(err, &blocked); left {
		in.w.watchdog.whenBack(blocked, code.Gone)
	}
	return err
}

// aged tells whether a message that is held was sent a while ago.
func (in *instance) aged() bool {
	for _, h := range in.held {
		if h.aged {
			return true
		}
	}
	return false
}

// dequeued is the highest delivery count among the messages held.
func (in *instance) dequeued() int {
	most := 0
	for _, h := range in.held {
		most = max(most, h.deliveries())
	}
	return most
}

// turn runs the orchestrator on new events and adds what came of it to what is
// pending.
func (in *instance) turn(ctx context.Context, events []*history.Event) error {
	lease := in.primary()
	if lease == nil {
		return errNoLease
	}
	waiting := in.w.clock.Now()
	var t *engine.Turn
	var err error
	if in.blame == nil {
		err = in.inSlot(ctx, func() (err error) {
			if in.tooLong(waiting, events) {
				return &postponed{reason: "no slot is free here for a start"}
			}
			t, err = in.eng.Turn(in.turnTime(events), events)
			return err
		})
	}
	if err := in.parked(err); err != nil {
		return err
	}
	if in.blame == nil && len(t.Events) == 0 && in.mayBeStale() {
		return errStale
	}
	if in.blame != nil {
		in.pending = append(in.pending, in.failed(events)...)
		in.deferrable = false
		return nil
	}
	in.deferrable = in.w.FirstTurn > 0 && in.isFirstTurn(events) && !t.SideEffect && !t.Clock && t.Status == history.Running && in.onlyActivities(t)
	for _, e := range t.Events {
		if dispatched(e.Type) {
			if in.redone[e.ID] > 0 {
				in.unspill(e.ID)
			}
			e.Own.Lease = lease.id
			in.under[e.ID] = lease.id
		}
	}
	in.pending = append(in.pending, t.Events...)
	in.custom.update(t)
	in.noteReason(events)
	return nil
}

// mayBeStale tells whether what came may mean something to a history that is
// longer than the one in memory: another process may have gone on. A commit
// finds that out by itself; where there is nothing to commit, only reading does.
func (in *instance) mayBeStale() bool {
	if in.current {
		return false
	}
	for _, it := range in.unacked {
		if it.lease != nil {
			return true
		}
	}
	return false
}

// noteReason remembers why the orchestration was suspended or resumed: the row
// shows it.
func (in *instance) noteReason(events []*history.Event) {
	for _, e := range events {
		if e.Type == history.ExecutionSuspended || e.Type == history.ExecutionResumed {
			in.reason = e.Reason
		}
	}
}

// turnTime is the orchestrator's clock during the turn: for a start that has just
// come the time of its message, else the time. A repetition of a first turn
// before its commit comes later, and has another time; so a turn that looks at
// the clock is committed before its effects.
func (in *instance) turnTime(events []*history.Event) time.Time {
	if in.isFirstTurn(events) {
		return events[0].Timestamp
	}
	return in.w.now()
}

// tooLong tells whether a start that came straight from its client has waited
// so long for a slot that another process should have it.
func (in *instance) tooLong(since time.Time, events []*history.Event) bool {
	return len(events) > 0 && events[0].Type == history.ExecutionStarted && !in.since.IsZero() &&
		in.w.clock.Now().Sub(since) > in.w.Patience
}

// isFirstTurn tells whether the events are a start that has just come and may
// be repeated as it was.
func (in *instance) isFirstTurn(events []*history.Event) bool {
	if len(events) != 1 {
		return false
	}
	start := events[0]
	return start.Type == history.ExecutionStarted && start.ScheduledStart.IsZero() &&
		len(in.committed) == 0 && in.w.clock.Now().Sub(start.Timestamp).Abs() < time.Second
}

func (in *instance) onlyActivities(t *engine.Turn) bool {
	if in.throughQueue() {
		return false
	}
	for _, e := range t.Events {
		if dispatched(e.Type) && e.Type != history.TaskScheduled {
			return false
		}
	}
	return true
}

// dispatched tells which events ask for something outside the orchestration.
func dispatched(t history.Type) bool {
	switch t {
	case history.TaskScheduled, history.TimerCreated, history.SubOrchestrationInstanceCreated, history.EventSent:
		return true
	}
	return false
}

// failed is the end of an orchestration whose code must not run: it ended the
// process, or it does not fit its history.
func (in *instance) failed(events []*history.Event) []*history.Event {
	now := in.w.now()
	name, next := in.facts(events)
	failure := in.blameDetails()
	out := []*history.Event{{Type: history.OrchestratorStarted, ID: history.NoID, Timestamp: now}}
	out = append(out, events...)
	end := &history.Event{
		Type: history.ExecutionCompleted, ID: next, Timestamp: now, Status: history.Failed, Failure: failure,
		Result: history.Payload(fmt.Sprintf("Orchestrator function '%s' failed: %s", name, failure.ErrorMessage)),
	}
	if terminated := terminatedBy(events); terminated != nil {
		end.Status, end.Failure, end.Result = history.Terminated, nil, terminated.Input
	}
	return append(out, end, &history.Event{Type: history.OrchestratorCompleted, ID: history.NoID, Timestamp: now})
}

// terminatedBy is the event among them that ends the execution, nil when none
// does.
func terminatedBy(events []*history.Event) *history.Event {
	for _, e := range events {
		if e.Type == history.ExecutionTerminated {
			return e
		}
	}
	return nil
}

func (in *instance) blameDetails() *history.FailureDetails {
	var differs *engine.NonDeterminismError
	var unknown *unknownCode
	switch {
	case errors.As(in.blame, &differs):
		return &history.FailureDetails{ErrorType: "NonDeterminismError", ErrorMessage: differs.Error(), NonRetriable: true}
	case errors.As(in.blame, &unknown):
		return &history.FailureDetails{ErrorType: "UnknownOrchestrator", ErrorMessage: unknown.Error(), NonRetriable: true}
	default:
		return processExited(in.blame)
	}
}

// facts are the orchestrator's name and the id of its next action.
func (in *instance) facts(events []*history.Event) (name string, next int32) {
	for _, list := range [][]*history.Event{in.committed, events} {
		for _, e := range list {
			if e.Type == history.ExecutionStarted {
				name = e.Name
			}
			next = max(next, e.ID+1)
		}
	}
	return name, next
}
