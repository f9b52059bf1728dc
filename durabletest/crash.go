package durabletest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/internal/taskhub/faults"
)

// Crash ends the process of the app at this moment, as if somebody had killed
// it, and starts another one. What was not stored is gone; activities that ran
// run again when the lease on their message is over.
func (e *Env) Crash() {
	e.t.Helper()
	e.Wait()
	p := e.current()
	p.stop()
	p.worker.Kill()
	<-p.gone
	if p == e.current() {
		if err := e.begin(); err != nil {
			e.fatal("%v", err)
		}
	}
	e.Wait()
}

// CrashAt ends the process of the app at its n-th storage call from now, counted
// from 1, before the call is made, and starts another one. Receiving messages
// does not count as a call.
func (e *Env) CrashAt(n int) { e.current().store.Arm(n, faults.DieBefore) }

// StorageCalls lists the storage calls that the process of the app has made so
// far. It is for choosing where to crash; it is no promise.
func (e *Env) StorageCalls() []string { return e.current().store.Calls() }

// Processes is how many processes of the app there have been: 1 without a crash.
func (e *Env) Processes() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.processes
}

// EveryCrash runs a test again and again: in each run the process of the app
// ends at the next one of its storage calls, just before or just after it was
// made, or loses its answer. What the test checks must hold in every run; an
// activity may run twice in one. Each run is a test of its own.
func EveryCrash(t *testing.T, test func(t *testing.T, env *Env), functions ...durable.Registration) {
	t.Helper()
	Options{}.EveryCrash(t, test, functions...)
}

// EveryCrash is the function EveryCrash with options.
func (o Options) EveryCrash(t *testing.T, test func(t *testing.T, env *Env), functions ...durable.Registration) {
	t.Helper()
	everyCrash(func(kind faults.Kind, at int) (more bool) {
		t.Run(fmt.Sprintf("%v call %d", kind, at), func(t *testing.T) {
			o.Run(t, func(t *testing.T, env *Env) {
				first := env.current().store
				first.Arm(at, kind)
				test(t, env)
				more = len(first.Calls()) >= at
			}, functions...)
			more = more && !t.Failed()
		})
		return more
	})
}

// CheckEveryCrash is EveryCrash for use outside of tests, or within a test that
// must not have others in it. It ends with the first error of check, or with
// what would fail a test, and says at which call the process had ended.
func CheckEveryCrash(check func(env *Env) error, functions ...durable.Registration) error {
	return Options{}.CheckEveryCrash(check, functions...)
}

// CheckEveryCrash is the function CheckEveryCrash with options.
func (o Options) CheckEveryCrash(check func(env *Env) error, functions ...durable.Registration) (err error) {
	everyCrash(func(kind faults.Kind, at int) (more bool) {
		if err != nil {
			return false
		}
		call := ""
		err = o.try(func(env *Env) error {
			first := env.current().store
			first.Arm(at, kind)
			err := check(env)
			if calls := first.Calls(); len(calls) >= at {
				call, more = calls[at-1], true
			}
			return err
		}, functions)
		if err != nil {
			err = fmt.Errorf("%v call %d (%s): %w", kind, at, call, err)
		}
		return more && err == nil
	})
	return err
}

// try runs a check once. What would fail a test is an error.
func (o Options) try(check func(env *Env) error, functions []durable.Registration) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.Join(err, fmt.Errorf("%v", p))
		}
	}()
	o.Example(func(env *Env) { err = check(env) }, functions...)
	return err
}

// everyCrash goes through the storage calls, in every way to end at one, for as
// long as run reports that there are more.
func everyCrash(run func(kind faults.Kind, at int) (more bool)) {
	for _, kind := range []faults.Kind{faults.DieBefore, faults.DieAfter, faults.LoseAnswer} {
		for at := 1; run(kind, at); at++ {
			continue
		}
	}
}
