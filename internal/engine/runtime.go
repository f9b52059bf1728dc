package engine

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// Runtime is what orchestrator code can ask for. Its methods may be called only
// by the code that it was handed to, on the goroutine on which that runs. A call
// from another goroutine ends that goroutine, and fails the orchestration: see
// Check, which the methods call that do more than to return what is known.
type Runtime struct {
	instance *Instance
	// replaying, foreign and goroutine are read on goroutines that should not
	// be there. goroutine is the one of the fiber that ran last.
	replaying atomic.Bool
	foreign   atomic.Bool
	goroutine atomic.Uint64
	// lost means that the code was given up while it ran: it must do nothing
	// more. name is the orchestrator's, for who looks from outside.
	lost atomic.Bool
	// clock means that the code has asked for the time in this turn.
	clock atomic.Bool
	name  atomic.Pointer[string]

	sequence int32
	guids    int32
	// settled counts the tasks that have ended: it orders them.
	settled int32

	places *places
	// probe is set while a parked fiber is asked where it is.
	probe *probe

	customStatus  history.Payload
	customChanged bool
	sideEffect    bool
	patches       map[string]bool
	// entities is nil while the code has nothing to do with one.
	entities *entities
	// events are nil while there were none and nobody has waited for one.
	events *mailbox

	// main is the coroutine of the orchestrator itself, newest that of its latest
	// branch, from which the list of all begins. current is the one that runs.
	main    fiber
	newest  *fiber
	current *fiber
	// first and last are the ends of the queue of those whose wait is over.
	first, last *fiber
	// ended means that the code has come to its end, or was cut off.
	ended bool
}

// InstanceID is the id of the orchestration.
func (rt *Runtime) InstanceID() string { return rt.instance.options.InstanceID }

// Started is the event that started the execution.
func (rt *Runtime) Started() *history.Event { return rt.instance.started }

// Now is the orchestrator's clock: the time of the turn.
func (rt *Runtime) Now() time.Time {
	rt.clock.Store(true)
	return rt.now()
}

func (rt *Runtime) now() time.Time { return rt.instance.now }

// Replaying reports whether the code runs over what it has done before.
func (rt *Runtime) Replaying() bool { return rt.replaying.Load() }

// SetCustomStatus sets what clients see beside the runtime status.
func (rt *Runtime) SetCustomStatus(p history.Payload) {
	rt.check()
	rt.customStatus, rt.customChanged = p, true
}

// action is the event of a new action.
func (rt *Runtime) action(t history.Type) *history.Event {
	l := rt.instance.loading
	if l == nil || l.spare == nil {
		return &history.Event{Type: t}
	}
	e := l.spare
	l.spare = nil
	*e = history.Event{Type: t}
	return e
}

// ask notes an action. It ends the orchestration when there are too many: then
// those of the turn are not asked for.
func (rt *Runtime) ask(e *history.Event) *Task {
	e.ID = rt.nextID()
	t := &Task{rt: rt, id: e.ID}
	if limit := rt.instance.options.MaxActions; limit > 0 && int(e.ID) >= limit {
		if rt.current != nil {
			panic(&tooMany{limit: limit})
		}
		rt.fail(rule(tooManyActions, &tooMany{limit: limit}))
		return t
	}
	e.Timestamp = rt.instance.now
	if rt.places != nil {
		rt.places.of[e.ID] = rt.places.last
	}
	rt.instance.asked(e)
	rt.instance.actions.ask(t)
	return t
}

func (rt *Runtime) nextID() int32 {
	id := rt.sequence
	rt.sequence++
	return id
}

// tooManyActions is the type of the failure of code that asks for too much.
const tooManyActions = "TooManyActions"

type tooMany struct{ limit int }

func (t *tooMany) Error() string {
	return fmt.Sprintf("the orchestrator asked for more than %d actions (maxOrchestrationActions); "+
		"is there a loop that never ends? Long loops use continue-as-new", t.limit)
}

// complete gives a task the result that the event brings and runs the code as
// far as that takes it.
func (rt *Runtime) complete(e *history.Event) {
	t := rt.instance.actions.forget(e.TaskID)
	if rt.ended || t == nil {
		return
	}
	if rt.places != nil {
		rt.places.last = place{}
	}
	switch e.Type {
	case history.TaskFailed, history.SubOrchestrationInstanceFailed:
		t.settle(nil, &Failure{Details: e.Failure, Reason: history.PlainReason(e.Reason)})
	default:
		t.settle(e.Result, nil)
	}
	rt.drain()
}

// Check is for what is built on the Runtime and does not call it: see check.
func (rt *Runtime) Check() { rt.check() }

// check sees to it that the caller is the orchestrator's code. A call from
// another goroutine ends that goroutine, and the orchestration with the next
// turn. During a replay the check is not worth its price: the same call was
// checked when it was new.
func (rt *Runtime) check() {
	if rt.lost.Load() {
		runtime.Goexit()
	}
	if !rt.replaying.Load() && goroutineID() != rt.goroutine.Load() {
		rt.foreign.Store(true)
		runtime.Goexit()
	}
	if rt.current == nil || rt.current.yield == nil {
		// The orchestration was evicted, or has ended: only deferred calls of
		// the code come here.
		runtime.Goexit()
	}
	if rt.foreign.Load() {
		panic(&foreignCall{})
	}
	if rt.places != nil {
		rt.places.note()
	}
}

// foreignCall means that a Context was used on a goroutine that is not its
// orchestrator's.
type foreignCall struct{}

func (*foreignCall) Error() string {
	return "the Context of an orchestrator was used on another goroutine; " +
		"use durable.Go for concurrent branches, and activities for everything else"
}
