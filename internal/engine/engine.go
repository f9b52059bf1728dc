// Package engine is the core: it runs orchestrator code over a history, one
// turn at a time. It is a pure function of what it is given. It reads no clock,
// does no I/O and starts nothing that outlives a call, but for the parked
// coroutine of the orchestrator, which Close ends.
//
// The caller has four duties, in this order:
//
//  1. New, then Load with the committed history, if there is one;
//  2. Turn with the events that have come since;
//  3. make Turn.Events durable, in order, before anything acts on them;
//  4. do what Outstanding asks for, and come back with the results.
//
// An orchestrator that asks for something in a turn asks for the same in every
// replay of the turn. Where it does not, the engine says so: see
// NonDeterminismError.
package engine

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// Program is the code of an orchestrator. It runs on a coroutine of its own and
// may block only in the methods of rt. An error fails the orchestration; wrap
// it in a Failure to say how.
type Program func(rt *Runtime, input history.Payload) (history.Payload, error)

// Options say what an Instance is made of.
type Options struct {
	InstanceID string
	// Program finds the code by the name and version that the instance was
	// started with. Its error fails the instance.
	Program func(name, version string) (Program, error)
	// MaxActions fails an orchestration that asks for more. 0: no limit.
	MaxActions int
	// Recorded gives the values of markers (side effects and patches) one after
	// the other, by their name, where the ids of actions are not known. nil: they
	// are found by their ids.
	Recorded func(name string) (value history.Payload, ok bool)
	// Strict compares the inputs of actions and the times of timers with those of
	// the history, too.
	Strict bool
	// Places notes where the code asks for its actions, for the texts of errors.
	// It takes time. (Waits does without.)
	Places bool
	// Interrupt is asked before each event that Load replays whether it is to go on:
	// its error ends Load, which returns it, and the Instance can only be closed then.
	// It is called on another goroutine than Load is, once at a time, and must be
	// quick. nil: Load ends by itself. (What one event makes the code do ends by
	// GiveUp.)
	Interrupt func() error
}

// Instance is one execution of an orchestration in memory. It is used by one
// goroutine at a time.
type Instance struct {
	options Options
	rt      Runtime

	started *history.Event
	outcome *history.Event
	now     time.Time
	// semantics are the rules of the engine that began the execution.
	semantics int32

	// unrecorded are actions that the code has asked for and that no event of
	// the history records yet, in the order of their ids.
	unrecorded []*history.Event
	// actions are those that have not ended.
	actions actions
	// oneWay are the recorded actions that nobody answers, which the caller has
	// not settled yet.
	oneWay []*history.Event
	// again are actions whose failure was rewound, or that are asked for instead
	// of what came of one: they are recorded once more.
	again []*history.Event
	// cancelled are timers that ended before they were recorded, nil while there
	// are none.
	cancelled map[int32]bool
	// markers are the recorded values of the code, by the id of their action, nil
	// while there are none.
	markers map[int32]*marker
	// loading is what a replay needs, nil from the first Turn on.
	loading *loading
	// next is set when the execution continues as new.
	next *ContinueAsNew
	// delayed are the events that came while the execution was suspended.
	delayed   []*history.Event
	suspended bool

	// state and progress are for who watches over the code; done is closed when
	// a call of it ends or is given up.
	state    atomic.Int32
	progress atomic.Uint64
	done     chan struct{}
	// giveUp guards what follows; blocked is set when done is closed.
	giveUp  sync.Mutex
	blocked *BlockedError
}

// New makes an execution that has no history yet.
func New(o Options) *Instance {
	i := &Instance{options: o}
	i.rt.instance = i
	if o.Places {
		i.rt.places = &places{of: map[int32]place{}}
	}
	return i
}

// Semantics are the rules that changed what code asks for. The first event of an
// execution keeps the number of those that it began with, so that a later engine
// replays it by them.
const (
	// releasedWaits: a wait for an event that has lost a race takes no event.
	releasedWaits int32 = 1
	// checkedArguments: calls with arguments that no history holds fail.
	checkedArguments int32 = 1

	latestSemantics int32 = 1
)

// Turn is what came of a turn.
type Turn struct {
	// Events are what must be appended to the history, in order. They are the
	// caller's: it fills Own.Lease before it commits them. Actions carry their
	// input.
	Events []*history.Event
	// Now is the orchestrator's clock in the turn.
	Now time.Time
	// Status is Running, Suspended, or how the execution ended. After
	// ContinuedAsNew see Instance.Next.
	Status history.Status
	// CustomStatus is the value that the code set last, if it set one in this
	// turn; nil once the execution has continued as new.
	CustomStatus        history.Payload
	CustomStatusChanged bool
	// SideEffect means that the turn contains a value that a repetition of the
	// turn would not produce again.
	SideEffect bool
	// Clock means that the code has asked for the time, or for what is made of it:
	// a repetition of the turn at another time may ask for other things.
	Clock bool
}

// Started is the ExecutionStarted event, nil before there is one.
func (i *Instance) Started() *history.Event { return i.started }

// Outcome is the ExecutionCompleted event (ContinueAsNew where the execution
// continued as new), nil while it runs.
func (i *Instance) Outcome() *history.Event { return i.outcome }

// Unrecorded reports whether a replay has produced actions that the history does
// not have: its last transaction was cut off. The next Turn begins with them,
// and may have no events of its own.
func (i *Instance) Unrecorded() bool { return len(i.unrecorded) > 0 || len(i.again) > 0 }

// Outstanding returns the actions that have no result yet, by ascending id,
// with their inputs. The slice is valid until the next call of Turn.
func (i *Instance) Outstanding() []*history.Event { return i.actions.outstanding() }

// OneWay returns the recorded actions that nobody answers (EventSent, and the
// starts of orchestrations that are nobody's children), in the order of their
// ids, from which the caller takes those that it has sent with Sent.
func (i *Instance) OneWay() []*history.Event { return i.oneWay }

// Sent takes an action out of OneWay.
func (i *Instance) Sent(id int32) {
	i.oneWay = slices.DeleteFunc(i.oneWay, func(e *history.Event) bool { return e.ID == id })
}

// KeepOneWay takes the actions out of OneWay for which keep reports false: they were
// sent.
func (i *Instance) KeepOneWay(keep func(*history.Event) bool) {
	i.oneWay = slices.DeleteFunc(i.oneWay, func(e *history.Event) bool { return !keep(e) })
}

// Step is the closure that an open action runs in this process, nil for
// actions of any other kind.
func (i *Instance) Step(id int32) StepFunc {
	if a := i.actions.find(id); a != nil && a.task != nil {
		step, _ := a.task.what.(StepFunc)
		return step
	}
	return nil
}

// Turn runs the code on new events. The orchestrator's clock is now, or that of
// the last turn where it is later. Events that mean nothing to the execution
// (results that are known or were not asked for, a second start) are left out
// of the result; a turn of which nothing is left has no events. The error is a
// *BlockedError: the instance was given up.
func (i *Instance) Turn(now time.Time, events []*history.Event) (*Turn, error) {
	t := &Turn{}
	i.loading = nil
	if i.outcome == nil && i.Unrecorded() {
		t.Events = i.endTurn(t.Events)
	}
	if i.outcome == nil {
		i.turn(t, now, events)
	}
	if !i.lost() && i.outcome != nil {
		i.rt.close()
	}
	if i.lost() {
		return nil, i.blocked
	}
	t.Status, t.Now = i.status(), i.now
	t.CustomStatus, t.CustomStatusChanged = i.rt.customStatus, i.rt.customChanged
	if i.outcome != nil && i.outcome.Type == history.ContinueAsNew && t.CustomStatus != nil {
		// The next execution begins without one, as in the official engine.
		t.CustomStatus, t.CustomStatusChanged = nil, true
	}
	t.SideEffect, t.Clock = i.rt.sideEffect, i.rt.clock.Swap(false)
	i.rt.customChanged, i.rt.sideEffect = false, false
	return t, nil
}

func (i *Instance) turn(t *Turn, now time.Time, events []*history.Event) {
	if now.Before(i.now) {
		now = i.now
	}
	before := len(t.Events)
	begin := &history.Event{Type: history.OrchestratorStarted, ID: history.NoID, Timestamp: now}
	if i.started == nil {
		i.semantics = latestSemantics
		begin.Semantics = i.semantics
	}
	t.Events = append(t.Events, begin)
	i.now = now
	i.rt.replaying.Store(false)
	i.each(events, func(e *history.Event) bool {
		if i.means(e) {
			t.Events = append(t.Events, e)
			i.apply(e)
		}
		return true
	})
	if i.lost() {
		return
	}
	if len(t.Events) == before+1 {
		t.Events = t.Events[:before]
		return
	}
	t.Events = i.endTurn(t.Events)
}

func (i *Instance) status() history.Status {
	switch {
	case i.outcome != nil:
		return i.outcome.Status
	case i.suspended:
		return history.Suspended
	}
	return history.Running
}

// lost reports whether the instance was given up: what it has is not the
// caller's any more.
func (i *Instance) lost() bool { return i.state.Load() == lost }

// each calls f for the events until it returns false. Code that ends its
// goroutine takes the one along that runs it, so each does that on one that
// nobody misses, and goes on with the next.
func (i *Instance) each(events []*history.Event, f func(*history.Event) bool) {
	next := 0
	for ended := len(events) == 0; !ended; {
		i.apart(func() {
			for next < len(events) && !i.rt.lost.Load() {
				i.progress.Add(1)
				next++
				if !f(events[next-1]) {
					next = len(events)
				}
			}
		})
		ended = i.lost() || next == len(events)
	}
}

// endTurn appends what the code has asked for and the end of the turn.
func (i *Instance) endTurn(events []*history.Event) []*history.Event {
	events = append(events, i.again...)
	for _, e := range i.again {
		i.opened(e)
	}
	events = append(events, i.unrecorded...)
	for _, e := range i.unrecorded {
		i.opened(e)
	}
	i.again, i.unrecorded = nil, nil
	return append(events, &history.Event{Type: history.OrchestratorCompleted, ID: history.NoID, Timestamp: i.now})
}

// asked notes an action of the code.
func (i *Instance) asked(e *history.Event) {
	if i.options.Strict || !i.rt.Replaying() {
		e.Own.InputHash = hashOf(e.Input)
	}
	i.unrecorded = append(i.unrecorded, e)
}

// abandoned notes that nobody waits for an action any more.
func (i *Instance) abandoned(id int32) {
	if i.actions.close(id) != nil {
		return
	}
	if i.cancelled == nil {
		i.cancelled = map[int32]bool{}
	}
	i.cancelled[id] = true
}

// opened notes that an action is part of the history.
func (i *Instance) opened(e *history.Event) {
	if i.rt.places != nil {
		delete(i.rt.places.of, e.ID)
	}
	switch {
	case e.Type == history.ExecutionCompleted, e.Type == history.ContinueAsNew:
		i.outcome = e
	case e.Type == history.EventSent, history.IsDetached(e):
		i.oneWay = append(i.oneWay, e)
	case e.Type == history.TaskCompleted, isMarker(e):
	case i.cancelled[e.ID]:
		delete(i.cancelled, e.ID)
	default:
		i.actions.open(e)
	}
}

// means reports whether an event means something to the execution as it is.
func (i *Instance) means(e *history.Event) bool {
	if e.Type == history.ExecutionStarted {
		return i.started == nil
	}
	if i.started == nil || i.rt.ended {
		return i.next != nil && goesAlong(e)
	}
	switch e.Type {
	case history.TaskCompleted, history.TaskFailed, history.TimerFired,
		history.SubOrchestrationInstanceCompleted, history.SubOrchestrationInstanceFailed:
		action := i.actions.opened(e.TaskID)
		return action != nil && answers(action.Type, e.Type)
	case history.EventRaised:
		return !history.IsAnswer(e) || i.rt.isAsked(e)
	case history.ExecutionTerminated:
		return true
	case history.ExecutionSuspended:
		return !i.suspended
	case history.ExecutionResumed:
		return i.suspended
	}
	return false
}

// apply gives the code an event that means something and runs it until it
// waits again.
func (i *Instance) apply(e *history.Event) {
	if i.next != nil {
		i.rt.mail().keep(e)
		return
	}
	switch e.Type {
	case history.ExecutionStarted:
		i.started = e
		i.rt.start()
	case history.ExecutionSuspended:
		i.suspended = true
	case history.ExecutionResumed:
		i.resume()
	case history.ExecutionTerminated:
		i.terminate(e)
	case history.EventRaised:
		i.deliver(e)
	default:
		if action := i.actions.close(e.TaskID); action != nil && i.loading != nil && action.ID >= i.loading.unseen {
			i.loading.spare = action
		}
		i.deliver(e)
	}
}

// answers reports whether a completion is one of the action's kind.
func answers(action, completion history.Type) bool {
	switch completion {
	case history.TaskCompleted, history.TaskFailed:
		return action == history.TaskScheduled
	case history.TimerFired:
		return action == history.TimerCreated
	default:
		return action == history.SubOrchestrationInstanceCreated
	}
}

// finish turns the end of the code into the action that completes the
// execution.
func (i *Instance) finish(result history.Payload, err error) {
	e := &history.Event{
		Type: history.ExecutionCompleted, ID: i.rt.nextID(), Timestamp: i.now,
		Status: history.Completed, Result: result,
	}
	if errors.As(err, &i.next) {
		e.Type, e.Status, e.Result = history.ContinueAsNew, history.ContinuedAsNew, i.next.Input
	} else if err != nil {
		details := failureOf(err)
		if details.ErrorType == tooManyActions {
			// Of a loop that never ends nothing is done, and nothing is stored.
			i.unrecorded = nil
		}
		e.Status, e.Failure = history.Failed, details
		e.Result = history.Payload(fmt.Sprintf("Orchestrator function '%s' failed: %s", i.started.Name, details.ErrorMessage))
	}
	i.unrecorded = append(i.unrecorded, e)
}

// Close ends the code of an execution that is still waiting: its deferred
// calls run, on a goroutine of their own, before Close returns. An instance that
// was given up ends by itself.
func (i *Instance) Close() {
	if !i.lost() {
		i.rt.close()
	}
}
