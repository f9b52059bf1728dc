package engine

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// ErrCanceled is the error of a timer that was cancelled.
var ErrCanceled = errors.New("the timer was cancelled")

// Task is something that the code may wait for: an action, or what the engine
// makes of several (a call with retries, an event with a timeout).
type Task struct {
	rt     *Runtime
	id     int32
	done   bool
	order  int32
	result history.Payload
	err    error
	// then is what the engine does with the end of an action of which the code
	// sees another task. It runs before anybody is woken.
	then func()
	// part is the action that a task of several waits for at the moment.
	part *Task
	// step is the closure that the action runs in this process.
	step StepFunc

	// first is who waits, rest are others, nil mostly.
	first watcher
	rest  *[]watcher
}

// watcher is told when a task ends.
type watcher interface{ notify(*Task) }

// Done tells whether the task has a result.
func (t *Task) Done() bool { return t.done }

// Await waits for the task. Awaiting a task twice gives the same result.
func (t *Task) Await() (history.Payload, error) {
	t.rt.check()
	for !t.done {
		fb := t.rt.current
		t.watch((*waiting)(fb))
		fb.park(nil)
	}
	return t.result, t.err
}

// Result is how the task has ended.
func (t *Task) Result() (history.Payload, error) { return t.result, t.err }

// Taker is told outside the coroutine that a task has ended. It must not call
// the Runtime.
type Taker interface{ Take() }

// AwaitFor is Await for a taker that has not taken the result yet: it does so
// before AwaitFor returns. A panic of it is one of the code.
func (t *Task) AwaitFor(taker Taker) {
	t.rt.check()
	fb := t.rt.current
	if t.done {
		fb.park(taker.Take)
	}
	for !t.done {
		t.watch((*waiting)(fb))
		fb.answer = taker
		fb.park(nil)
	}
	fb.mend()
}

// waiting is a fiber that waits for one task.
type waiting fiber

func (w *waiting) notify(*Task) { w.rt.wake((*fiber)(w)) }

func (t *Task) watch(w watcher) {
	if t.first == nil {
		t.first = w
		return
	}
	if t.rest == nil {
		t.rest = &[]watcher{}
	}
	*t.rest = append(*t.rest, w)
}

func (t *Task) unwatch(w watcher) {
	if t.first == w {
		t.first = nil
		return
	}
	if t.rest == nil {
		return
	}
	if i := slices.Index(*t.rest, w); i >= 0 {
		*t.rest = slices.Delete(*t.rest, i, i+1)
	}
}

// settle ends the task and wakes who waits for it. Only the first call counts.
func (t *Task) settle(result history.Payload, err error) {
	if t.done {
		return
	}
	t.done = true
	t.rt.settled++
	t.order = t.rt.settled
	t.result, t.err = result, err
	t.part, t.step = nil, nil
	if t.then != nil {
		t.then()
	}
	if t.first != nil {
		t.first.notify(t)
	}
	if t.rest != nil {
		for _, w := range *t.rest {
			w.notify(t)
		}
	}
	t.first, t.rest = nil, nil
}

// Failed is a task that has ended with an error before it began: the call was
// wrong.
func (rt *Runtime) Failed(err error) *Task {
	rt.check()
	return rt.failed(err)
}

func (rt *Runtime) failed(err error) *Task {
	t := &Task{rt: rt, id: history.NoID}
	t.settle(nil, err)
	return t
}

// Group waits for the tasks of a set, one after the other, in the order in
// which they end: the order of the history, which every replay repeats.
type Group struct {
	rt    *Runtime
	open  []*Task
	ready []*Task
	left  int
	fiber *fiber
}

// Group watches tasks. The caller closes it.
func (rt *Runtime) Group(tasks ...*Task) *Group {
	rt.check()
	g := &Group{rt: rt}
	g.Add(tasks...)
	slices.SortStableFunc(g.ready, func(a, b *Task) int { return cmp.Compare(a.order, b.order) })
	return g
}

// Add watches more tasks.
func (g *Group) Add(tasks ...*Task) {
	g.left += len(tasks)
	for _, t := range tasks {
		if t.done {
			g.ready = append(g.ready, t)
			continue
		}
		t.watch(g)
		g.open = append(g.open, t)
	}
}

func (g *Group) notify(t *Task) {
	g.ready = append(g.ready, t)
	if g.fiber != nil {
		g.rt.wake(g.fiber)
	}
}

// Next waits for the next task that ends, nil when all have.
func (g *Group) Next() *Task {
	g.rt.check()
	if g.left == 0 {
		return nil
	}
	for len(g.ready) == 0 {
		g.fiber = g.rt.current
		g.fiber.park(nil)
	}
	g.fiber = nil
	t := g.ready[0]
	g.ready = g.ready[1:]
	g.left--
	return t
}

// Close stops watching.
func (g *Group) Close() {
	for _, t := range g.open {
		if !t.done {
			t.unwatch(g)
		}
	}
	g.open, g.ready, g.left = nil, nil, 0
}

// The official limits of Azure Storage: a timer of more than six days is made
// of hops of three.
const (
	maxDelay = 6 * 24 * time.Hour
	hopDelay = 3 * 24 * time.Hour
)

// Timer asks to be woken at a time, at once when that is over.
func (rt *Runtime) Timer(at time.Time) *Task {
	rt.check()
	return rt.timer(at)
}

func (rt *Runtime) timer(at time.Time) *Task {
	if at.Sub(rt.now()) <= maxDelay {
		return rt.askTimer(at)
	}
	t := &Task{rt: rt, id: history.NoID}
	rt.hop(t, at)
	return t
}

func (rt *Runtime) askTimer(at time.Time) *Task {
	e := rt.action(history.TimerCreated)
	e.FireAt = at
	return rt.ask(e)
}

// hop asks for the next piece of a long timer.
func (rt *Runtime) hop(t *Task, at time.Time) {
	due, last := at, true
	if at.Sub(rt.now()) > maxDelay {
		due, last = rt.now().Add(hopDelay), false
	}
	piece := rt.askTimer(due)
	t.part = piece
	piece.then = func() {
		switch {
		case piece.err != nil || last:
			t.settle(nil, piece.err)
		default:
			rt.hop(t, at)
		}
	}
}

// Cancel ends a timer: it need not fire any more, and its task fails with
// ErrCanceled. It reports false when the timer has ended already.
func (t *Task) Cancel() bool {
	t.rt.check()
	if t.done {
		return false
	}
	t.cancel()
	return true
}

func (t *Task) cancel() {
	if t.done {
		return
	}
	if t.part != nil {
		t.part.cancel()
		return
	}
	t.rt.instance.actions.forget(t.id)
	t.rt.instance.abandoned(t.id)
	t.settle(nil, ErrCanceled)
}
