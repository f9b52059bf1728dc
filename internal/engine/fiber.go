package engine

import (
	"errors"
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"
	"slices"

	"github.com/durable-go/functions/internal/history"
)

// fiber is one coroutine of the code: the orchestrator itself or a branch of
// it. One fiber runs at a time, and only the driver (the goroutine in Turn or
// Load) lets one run.
type fiber struct {
	rt   *Runtime
	next func() (func(), bool)
	stop func()
	// goroutine is the id of the coroutine's goroutine.
	goroutine uint64
	// yield parks the code: nil until something happens, a function to have it
	// run outside the coroutine. It is nil once the code must not go on.
	yield  func(func()) bool
	queued bool
	ended  bool
	// broken is the panic of a function that ran outside the coroutine.
	broken any
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
	var result history.Payload
	rt.spawn(func() (err error) {
		result, err = program(rt, started.Input)
		return err
	}, func(err error) { rt.finish(result, err) })
	rt.drain()
}

// Go runs f as a branch of the code: it begins when the calling branch waits,
// and runs while the others wait. The task ends with f's error.
func (rt *Runtime) Go(f func() error) *Task {
	rt.check()
	t := &Task{rt: rt, id: history.NoID}
	rt.spawn(f, func(err error) {
		if broken := (*brokenBranch)(nil); errors.As(err, &broken) {
			rt.finish(nil, broken.cause)
			return
		}
		t.settle(nil, err)
	})
	return t
}

// brokenBranch is the end of a branch that panicked or ended its goroutine:
// the orchestration ends with it.
type brokenBranch struct{ cause error }

func (b *brokenBranch) Error() string { return b.cause.Error() }

// spawn makes a fiber of f and queues it. end is called on the fiber with f's
// error, not when the code was cut off.
func (rt *Runtime) spawn(f func() error, end func(error)) {
	fb := &fiber{rt: rt}
	main := len(rt.fibers) == 0
	fb.next, fb.stop = iter.Pull(fb.body(f, func(err error, broke bool) {
		if broke && !main {
			err = &brokenBranch{cause: err}
		}
		end(err)
	}))
	rt.fibers = append(rt.fibers, fb)
	rt.wake(fb)
}

// body is the coroutine.
func (fb *fiber) body(f func() error, end func(err error, broke bool)) iter.Seq[func()] {
	return func(yield func(func()) bool) {
		fb.yield = yield
		fb.goroutine = goroutineID()
		fb.rt.goroutine.Store(fb.goroutine)
		returned := false
		var err error
		defer func() {
			fb.ended = true
			if fb.yield == nil {
				_ = recover() // a deferred call of evicted code
				return
			}
			if p := recover(); p != nil {
				err = panicked(p)
			} else if !returned {
				err = errGoexit
			}
			fb.yield = nil
			end(err, !returned)
		}()
		err = f()
		returned = true
	}
}

var errGoexit = rule("Goexit", errors.New("the orchestrator ended its goroutine with runtime.Goexit"))

// park hands control to the driver. When the driver has gone for good the code
// ends here: its deferred calls run, and nothing after this call does.
func (fb *fiber) park(f func()) {
	if fb.yield == nil || !fb.yield(f) {
		fb.yield = nil
		runtime.Goexit()
	}
}

// Outside runs f on a stack other than the coroutine's, so that the coroutine
// of a parked orchestration stays small. f must not call the Runtime. A panic
// of f is one of the code.
func (rt *Runtime) Outside(f func()) {
	rt.check()
	fb := rt.current
	fb.park(f)
	if p := fb.broken; p != nil {
		fb.broken = nil
		panic(p)
	}
}

// wake queues a fiber whose wait is over.
func (rt *Runtime) wake(fb *fiber) {
	if !fb.queued && !fb.ended {
		fb.queued = true
		rt.runnable = append(rt.runnable, fb)
	}
}

// drain runs what can run, first come first served, until all the code waits.
func (rt *Runtime) drain() {
	for rt.head < len(rt.runnable) && !rt.ended && !rt.lost.Load() {
		fb := rt.runnable[rt.head]
		rt.runnable[rt.head] = nil
		if rt.head++; rt.head == len(rt.runnable) {
			rt.runnable, rt.head = rt.runnable[:0], 0
		}
		fb.queued = false
		rt.resume(fb)
	}
}

// resume runs a fiber until it waits or ends.
func (rt *Runtime) resume(fb *fiber) {
	if rt.goroutine.Load() != fb.goroutine {
		rt.goroutine.Store(fb.goroutine)
	}
	for !rt.ended {
		rt.current = fb
		outside, ok := fb.next()
		rt.current = nil
		if !ok {
			i := slices.Index(rt.fibers, fb)
			rt.fibers = slices.Delete(rt.fibers, i, i+1)
			return
		}
		if outside == nil || rt.lost.Load() {
			return
		}
		fb.broken = rt.shielded(outside)
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
	return &Failure{Details: &history.FailureDetails{
		ErrorType: "panic", ErrorMessage: fmt.Sprint("panic: ", p), StackTrace: history.Payload(debug.Stack()), NonRetriable: true,
	}}
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
	for len(rt.fibers) > 0 {
		last := len(rt.fibers) - 1
		fb := rt.fibers[last]
		rt.fibers = rt.fibers[:last]
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
	rt.runnable = nil
}
