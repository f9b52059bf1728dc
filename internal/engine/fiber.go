package engine

import (
	"errors"
	"fmt"
	"iter"
	"runtime"

	"github.com/durable-go/functions/internal/history"
)

// fiber is one coroutine of the code: the orchestrator itself or a branch of
// it. One fiber runs at a time, and only the driver (the goroutine in Turn or
// Load) lets one run.
//
// A coroutine has the smallest stack that Go makes, 2 KiB, for as long as what
// it runs fits into some 1,100 bytes: a stack that has grown stays as it is
// while the orchestration is parked. So there are few and small frames below and
// above those of the user, and what needs more runs on the driver's stack: see
// Outside.
type fiber struct {
	rt   *Runtime
	next func() (func(), bool)
	stop func()
	// code is what runs; branch is the task of a branch, nil for the orchestrator
	// itself.
	code   Program
	branch *Task
	// goroutine is the id of the coroutine's goroutine, 0 while its code was only
	// replayed: then nobody needs it, and to find it takes as long as a step.
	goroutine uint64
	// yield parks the code: nil until something happens, a function to have it
	// run outside the coroutine. It is nil once the code must not go on.
	yield func(func()) bool
	// older is the one that began before it; after is the next one in the queue
	// of the runnable.
	older, after *fiber

	broken bool
	queued bool
	ended  bool
	// ask is what runs outside the coroutine for Ask; answer is what it has
	// returned, or the panic of what ran there (broken). While the code waits it is
	// the Taker of what it waits for, if there is one.
	ask    func(Asker) any
	answer any
}

// start begins to run the code.
func (rt *Runtime) start() {
	started := rt.instance.started
	rt.name.Store(&started.Name)
	program, err := rt.instance.options.Program(started.Name, started.Version)
	if err != nil {
		rt.fail(rule("UnknownOrchestrator", err))
		return
	}
	rt.spawn(&rt.main, program)
	rt.drain()
}

// Go runs f as a branch of the code: it begins when the calling branch waits,
// and runs while the others wait. The task ends with f's error.
func (rt *Runtime) Go(f func() error) *Task {
	rt.check()
	t := &Task{rt: rt, id: history.NoID}
	rt.spawn(&fiber{branch: t}, func(*Runtime, history.Payload) (history.Payload, error) { return nil, f() })
	return t
}

// spawn begins a fiber and queues it.
func (rt *Runtime) spawn(fb *fiber, code Program) {
	fb.rt, fb.code = rt, code
	fb.next, fb.stop = iter.Pull(func(yield func(func()) bool) {
		fb.yield = yield
		fb.identify()
		defer fb.cut()
		fb.end(fb.code(fb.rt, fb.rt.instance.started.Input))
	})
	fb.older, rt.newest = rt.newest, fb
	rt.wake(fb)
}

// cut is deferred by the coroutine: where its code has not returned, it has
// panicked or ended the goroutine, or was evicted. The orchestration ends with
// a branch of it that does so.
func (fb *fiber) cut() {
	p := recover()
	evicted := fb.yield == nil // or at its end
	fb.ended, fb.yield = true, nil
	switch {
	case evicted: // nothing counts that its deferred calls do
	case p != nil:
		fb.rt.fail(panicked(p))
	default:
		fb.rt.fail(errGoexit)
	}
}

// end is that of code that has returned.
func (fb *fiber) end(result history.Payload, err error) {
	fb.ended = true
	switch {
	case fb.rt.foreign.Load():
		fb.rt.fail(panicked(&foreignCall{}))
	case fb.branch != nil:
		fb.branch.settle(nil, err)
	default:
		fb.rt.finish(result, err)
	}
	fb.yield = nil
}

var errGoexit = rule("Goexit", errors.New("the orchestrator ended its goroutine with runtime.Goexit"))

// park hands control to the driver. When the driver has gone for good the code
// ends here: its deferred calls run, and nothing after this call does.
func (fb *fiber) park(f func()) {
	for {
		if fb.yield == nil || !fb.yield(f) {
			fb.yield = nil
			runtime.Goexit()
		}
		if fb.rt.probe == nil {
			break
		}
		fb.rt.probe.note() // only asked where it is
		f = nil
	}
	fb.identify()
}

// identify finds out on which goroutine the code runs when that matters.
func (fb *fiber) identify() {
	if fb.goroutine == 0 && (!fb.rt.Replaying() || fb.rt.places != nil) {
		fb.goroutine = goroutineID()
		fb.rt.goroutine.Store(fb.goroutine)
	}
}

// Outside runs f on a stack other than the coroutine's, so that the coroutine
// of a parked orchestration stays small. f must not call the Runtime. A panic
// of f is one of the code.
func (rt *Runtime) Outside(f func()) {
	rt.check()
	fb := rt.current
	fb.park(f)
	fb.mend()
}

// mend panics with the panic of a function that ran outside the coroutine.
func (fb *fiber) mend() {
	if fb.broken {
		p := fb.answer
		fb.answer, fb.broken = nil, false
		panic(p)
	}
}

// Ask is Outside for calls: f asks for something by the methods of Asker, and
// Ask returns what f does.
func (rt *Runtime) Ask(f func(Asker) any) any {
	rt.check()
	fb := rt.current
	fb.ask = f
	fb.park(nil)
	fb.mend()
	answer := fb.answer
	fb.answer = nil
	return answer
}

// wake queues a fiber whose wait is over.
func (rt *Runtime) wake(fb *fiber) {
	if !fb.queued && !fb.ended {
		fb.queued = true
		if rt.last == nil {
			rt.first = fb
		} else {
			rt.last.after = fb
		}
		rt.last = fb
	}
}

// drain runs what can run, first come first served, until all the code waits.
func (rt *Runtime) drain() {
	for rt.first != nil && !rt.ended && !rt.lost.Load() {
		fb := rt.first
		if rt.first = fb.after; rt.first == nil {
			rt.last = nil
		}
		fb.after, fb.queued = nil, false
		rt.resume(fb)
	}
}

// resume runs a fiber until it waits or ends.
func (rt *Runtime) resume(fb *fiber) {
	if rt.goroutine.Load() != fb.goroutine {
		rt.goroutine.Store(fb.goroutine)
	}
	if taker, ok := fb.answer.(Taker); ok {
		fb.answer = nil
		fb.outside(taker.Take)
	}
	for !rt.ended && !rt.lost.Load() {
		rt.current = fb
		outside, ok := fb.next()
		rt.current = nil
		if !ok {
			rt.drop(fb)
			return
		}
		if rt.lost.Load() {
			return
		}
		switch ask := fb.ask; {
		case ask != nil:
			fb.ask = nil
			fb.outside(func() { fb.answer = ask(Asker{rt}) })
		case outside != nil:
			fb.outside(outside)
		default:
			return
		}
	}
}

// drop takes a fiber that has ended out of the list.
func (rt *Runtime) drop(fb *fiber) {
	at := &rt.newest
	for *at != fb {
		at = &(*at).older
	}
	*at = fb.older
}

// outside runs a function for the fiber, which is parked.
func (fb *fiber) outside(f func()) {
	if p := fb.rt.shielded(f); p != nil {
		fb.answer, fb.broken = p, true
	}
}

// shielded runs a function of the user on the driver's goroutine and returns
// its panic. A function that ends the goroutine ends the orchestration.
func (rt *Runtime) shielded(f func()) (broken any) {
	returned := false
	defer func() {
		if broken = recover(); broken == nil && !returned {
			rt.fail(errGoexit)
		}
	}()
	f()
	returned = true
	return nil
}

// panicked is the failure of code that panicked.
func panicked(p any) error {
	switch broken := p.(type) {
	case *tooMany:
		return rule(tooManyActions, broken)
	case *foreignCall:
		return rule("ForeignGoroutine", broken)
	case *misuse:
		return rule("InvalidCall", broken)
	}
	return &Failure{Details: PanicDetails(fmt.Sprint("panic: ", p))}
}

// misuse is a call that breaks a rule of its method.
type misuse struct{ text string }

// Misuse is what code panics with to end the orchestration because of a wrong
// call; the text says what is wrong.
func Misuse(text string) any { return &misuse{text} }

func (m *misuse) Error() string { return m.text }

// rule is the failure of code that broke one of the rules of orchestrators.
func rule(kind string, err error) error {
	return &Failure{Details: &history.FailureDetails{ErrorType: kind, ErrorMessage: err.Error(), NonRetriable: true}}
}

// finish ends the execution with what the code came to, once.
func (rt *Runtime) finish(result history.Payload, err error) {
	if !rt.ended {
		rt.ended = true
		rt.instance.finish(result, err)
	}
}

// fail ends the execution, whatever its code waits for.
func (rt *Runtime) fail(err error) { rt.finish(nil, err) }

// close unwinds the code that is parked, branches before what began them.
// Deferred calls of the code may do anything, also end the goroutine.
func (rt *Runtime) close() {
	rt.ended = true
	lost := rt.instance.lost()
	for fb := rt.newest; fb != nil; fb = rt.newest {
		rt.newest = fb.older
		if fb.ended {
			continue
		}
		rt.instance.apart(func() {
			rt.current = fb
			rt.goroutine.Store(fb.goroutine)
			fb.stop()
		})
		if !lost && rt.instance.lost() {
			return // given up meanwhile: the rest is not ours
		}
		rt.current = nil
	}
	rt.first, rt.last = nil, nil
}
