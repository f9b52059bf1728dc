package engine

import (
	"cmp"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// ErrCanceled is the error of a timer that was cancelled; that of a wait for an
// event is an ErrCanceled, too.
var ErrCanceled error = canceled("the timer was cancelled")

const waitCanceled canceled = "the wait was cancelled"

type canceled string

func (c canceled) Error() string        { return string(c) }
func (c canceled) Is(target error) bool { return target == ErrCanceled }

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
	// what is more about some tasks: the action that one of several waits for at
	// the moment (*part), that one's whole (*whole), a long timer (*longTimer), a
	// wait for an event (*eventWait), or the closure that the action runs in this
	// process (StepFunc). nil for most, and for those that have ended.
	what any

	// first is who waits, rest are others, nil mostly.
	first watcher
	rest  *[]watcher
}

// part and whole connect a task of several actions with the action that it waits
// for at the moment.
type (
	part  Task
	whole Task
)

// longTimer is a timer made of hops. of is the task that it is a part of.
type longTimer struct {
	hop        *Task
	since, due time.Time
	of         *Task
}

// belongTo notes that a task is a part of another one. A step does not know.
func (t *Task) belongTo(of *Task) {
	switch what := t.what.(type) {
	case nil:
		t.what = (*whole)(of)
	case *longTimer:
		what.of = of
	}
}

// belongsTo is the task that the code sees of an action, itself mostly.
func (t *Task) belongsTo() *Task {
	for {
		switch what := t.what.(type) {
		case *whole:
			t = (*Task)(what)
			continue
		case *longTimer:
			if what.of != nil {
				t = what.of
				continue
			}
		}
		return t
	}
}

// watcher is told when a task ends.
type watcher interface{ notify(*Task) }

// Done reports whether the task has a result. An event that has come is the
// result of a wait that has lost a race; one that comes later is not.
func (t *Task) Done() bool {
	t.rt.check()
	if w, ok := t.what.(*eventWait); ok {
		w.look()
	}
	return t.done
}

// claim is what the code does that waits for the task: see eventWait.
func (t *Task) claim() {
	if w, ok := t.what.(*eventWait); ok {
		w.claim()
	}
}

// Await waits for the task. Awaiting a task twice gives the same result.
func (t *Task) Await() (history.Payload, error) {
	t.rt.check()
	t.claim()
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
	t.claim()
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

// unwatch takes a watcher from the task. A wait for an event that has no watcher
// any more has lost a race.
func (t *Task) unwatch(w watcher) {
	if t.first == w {
		t.first = nil
	} else if t.rest != nil {
		if i := slices.Index(*t.rest, w); i >= 0 {
			*t.rest = slices.Delete(*t.rest, i, i+1)
		}
	}
	if wait, ok := t.what.(*eventWait); ok && t.first == nil && (t.rest == nil || len(*t.rest) == 0) {
		wait.release()
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
	t.what = nil
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
		t.claim()
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

// Timer asks to be woken at a time, at once when that is over. A time that a
// history cannot hold because it is too late is a failed task.
func (rt *Runtime) Timer(at time.Time) *Task {
	rt.check()
	return rt.timer(at)
}

func (rt *Runtime) timer(at time.Time) *Task {
	if at.Before(history.MinTime) {
		at = rt.now()
	}
	if err := rt.refused(history.CheckTime("the time of a timer", at)); err != nil {
		return rt.failed(err)
	}
	if at.Sub(rt.now()) <= maxDelay {
		return rt.askTimer(at)
	}
	t := &Task{rt: rt, id: history.NoID}
	long := &longTimer{since: rt.now(), due: at}
	t.what = long
	rt.hop(t, long)
	return t
}

func (rt *Runtime) askTimer(at time.Time) *Task {
	e := rt.action(history.TimerCreated)
	e.FireAt = at
	return rt.ask(e)
}

// hop asks for the next piece of a long timer.
func (rt *Runtime) hop(t *Task, long *longTimer) {
	due, last := long.due, true
	if due.Sub(rt.now()) > maxDelay {
		due, last = rt.now().Add(hopDelay), false
	}
	hop := rt.askTimer(due)
	long.hop = hop
	hop.belongTo(t)
	hop.then = func() {
		switch {
		case hop.err != nil || last:
			t.settle(nil, hop.err)
		default:
			rt.hop(t, long)
		}
	}
}

// Cancel ends a timer or a wait for an event: the timer need not fire, the wait
// takes no event any more, and its task fails with an ErrCanceled. It reports
// false when the task has ended already. It is not for other tasks.
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
	switch what := t.what.(type) {
	case *part:
		(*Task)(what).cancel()
		return
	case *longTimer:
		what.hop.cancel()
		return
	case *eventWait:
		what.end(nil, waitCanceled)
		return
	}
	t.rt.instance.actions.forget(t.id)
	t.rt.instance.abandoned(t.id)
	t.settle(nil, ErrCanceled)
}
