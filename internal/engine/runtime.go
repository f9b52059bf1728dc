package engine

import (
	"errors"
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// Runtime is what orchestrator code can ask for. Its methods may be called only
// by the code that it was handed to, on the goroutine on which that runs: a
// call from another one panics with a text that says so.
type Runtime struct {
	instance *Instance
	// replaying and foreign are read on goroutines that should not be there.
	replaying atomic.Bool
	foreign   atomic.Bool
	sequence  int32
	guids     int

	customStatus  history.Payload
	customChanged bool

	// tasks are the open tasks by the id of their action.
	tasks map[int32]*Task

	next func() (func(), bool)
	stop func()
	// goroutine is the id of the coroutine's goroutine.
	goroutine uint64
	// awaited is the task that the code waits for, nil while it waits for
	// nothing in particular.
	awaited *Task
	ended   bool
	// broken is the panic of a function that ran outside the coroutine.
	broken any
	// yield parks the code: nil until something happens, a function to have it
	// run outside the coroutine.
	yield func(func()) bool
}

// Task is an action that the code may wait for.
type Task struct {
	rt     *Runtime
	id     int32
	done   bool
	result history.Payload
	err    error
}

// InstanceID is the id of the orchestration.
func (rt *Runtime) InstanceID() string { return rt.instance.options.InstanceID }

// Started is the event that started the execution.
func (rt *Runtime) Started() *history.Event { return rt.instance.started }

// Now is the orchestrator's clock: the time of the turn.
func (rt *Runtime) Now() time.Time { return rt.instance.now }

// Replaying tells whether the code runs over what it has done before.
func (rt *Runtime) Replaying() bool { return rt.replaying.Load() }

// SetCustomStatus sets what clients see beside the runtime status.
func (rt *Runtime) SetCustomStatus(p history.Payload) {
	rt.check()
	rt.customStatus, rt.customChanged = p, true
}

// ScheduleActivity asks for an activity.
func (rt *Runtime) ScheduleActivity(name string, input history.Payload, options history.Payload) *Task {
	rt.check()
	e := &history.Event{Type: history.TaskScheduled, Name: name, Input: input}
	e.Own.Options = options
	return rt.ask(e)
}

// ask notes an action. It ends the orchestration when there are too many.
func (rt *Runtime) ask(e *history.Event) *Task {
	if limit := rt.instance.options.MaxActions; limit > 0 && int(rt.sequence) >= limit {
		panic(&tooMany{limit: limit})
	}
	e.ID = rt.nextID()
	e.Timestamp = rt.instance.now
	rt.instance.unrecorded = append(rt.instance.unrecorded, e)
	t := &Task{rt: rt, id: e.ID}
	rt.tasks[e.ID] = t
	return t
}

func (rt *Runtime) nextID() int32 {
	id := rt.sequence
	rt.sequence++
	return id
}

type tooMany struct{ limit int }

func (t *tooMany) Error() string {
	return fmt.Sprintf("the orchestrator asked for more than %d actions (maxOrchestrationActions); "+
		"is there a loop that never ends? Long loops use continue-as-new", t.limit)
}

// Done tells whether the task has a result.
func (t *Task) Done() bool { return t.done }

// Await waits for the task. Awaiting a task twice gives the same result.
func (t *Task) Await() (history.Payload, error) {
	t.rt.check()
	for !t.done {
		t.rt.awaited = t
		t.rt.park(nil)
	}
	t.rt.awaited = nil
	return t.result, t.err
}

// Outside runs f on a stack other than the coroutine's, so that the coroutine
// of a parked orchestration stays small. f must not call the Runtime. A panic
// of f is one of the code.
func (rt *Runtime) Outside(f func()) {
	rt.check()
	rt.park(f)
	if p := rt.broken; p != nil {
		rt.broken = nil
		panic(p)
	}
}

// park hands control to the driver. When the driver has gone for good the code
// ends here: its deferred calls run, and nothing after this call does.
func (rt *Runtime) park(f func()) {
	if rt.yield == nil || !rt.yield(f) {
		rt.yield = nil
		runtime.Goexit()
	}
}

// start begins to run the code.
func (rt *Runtime) start() {
	started := rt.instance.started
	program, err := rt.instance.options.Program(started.Name, started.Version)
	if err != nil {
		rt.ended = true
		rt.instance.finish(nil, &Failure{Details: &history.FailureDetails{
			ErrorType: "UnknownOrchestrator", ErrorMessage: err.Error(), NonRetriable: true,
		}})
		return
	}
	rt.next, rt.stop = iter.Pull(rt.body(program))
	rt.resume()
}

// body is the coroutine.
func (rt *Runtime) body(program Program) iter.Seq[func()] {
	return func(yield func(func()) bool) {
		rt.yield = yield
		rt.goroutine = goroutineID()
		returned := false
		var result history.Payload
		var err error
		defer func() {
			rt.ended = true
			if rt.yield == nil {
				return
			}
			if p := recover(); p != nil {
				err = panicked(p)
			} else if !returned {
				err = rule("Goexit", errors.New("the orchestrator ended its goroutine with runtime.Goexit"))
			}
			rt.yield = nil
			rt.instance.finish(result, err)
		}()
		result, err = program(rt, rt.instance.started.Input)
		returned = true
	}
}

// panicked is the failure of code that panicked.
func panicked(p any) error {
	switch broken := p.(type) {
	case *tooMany:
		return rule("TooManyActions", broken)
	case *foreignCall:
		return rule("ForeignGoroutine", broken)
	}
	return &Failure{Details: &history.FailureDetails{
		ErrorType: "panic", ErrorMessage: fmt.Sprint("panic: ", p), StackTrace: history.Payload(debug.Stack()), NonRetriable: true,
	}}
}

// rule is the failure of code that broke one of the rules of orchestrators.
func rule(kind string, err error) error {
	return &Failure{Details: &history.FailureDetails{ErrorType: kind, ErrorMessage: err.Error(), NonRetriable: true}}
}

// complete gives a task its result and lets the code go on when it waits for
// that one.
func (rt *Runtime) complete(e *history.Event) {
	t := rt.tasks[e.TaskID]
	delete(rt.tasks, e.TaskID)
	t.done = true
	switch e.Type {
	case history.TaskFailed, history.SubOrchestrationInstanceFailed:
		t.err = &Failure{Details: e.Failure, Reason: string(e.Reason)}
	default:
		t.result = e.Result
	}
	if rt.awaited == t {
		rt.resume()
	}
}

// resume runs the code until it waits or ends.
func (rt *Runtime) resume() {
	for {
		outside, ok := rt.next()
		if !ok || outside == nil {
			return
		}
		rt.runOutside(outside)
	}
}

// runOutside keeps a panic for the code that asked.
func (rt *Runtime) runOutside(f func()) {
	defer func() { rt.broken = recover() }()
	f()
}

// close unwinds code that is parked. Deferred calls of the code may do
// anything, also end the goroutine.
func (rt *Runtime) close() {
	if rt.stop == nil || rt.ended {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		rt.stop()
	}()
	<-done
}

// check sees to it that the caller is the orchestrator's code. A call from
// another goroutine ends that goroutine, and the orchestration with the next
// turn. During a replay the check is not worth its price: the same call was
// checked when it was new.
func (rt *Runtime) check() {
	if !rt.replaying.Load() && goroutineID() != rt.goroutine {
		rt.foreign.Store(true)
		runtime.Goexit()
	}
	if rt.yield == nil {
		// The orchestration was evicted, or has ended: only deferred calls of
		// the code come here.
		runtime.Goexit()
	}
	if rt.foreign.Load() {
		panic(&foreignCall{})
	}
}

// foreignCall says that a Context was used on a goroutine that is not its
// orchestrator's.
type foreignCall struct{}

func (*foreignCall) Error() string {
	return "the Context of an orchestrator was used on another goroutine; " +
		"use durable.Go for concurrent branches, and activities for everything else"
}
