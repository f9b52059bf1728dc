package durabletest

import (
	"fmt"
	"testing"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/internal/taskhub/faults"
)

// Crash ends the process of the app at this moment, as if somebody had killed
// it, and starts another one. What was not stored is gone; activities that ran
// run again when the lease on their message is over.
func (e *Env) Crash() {
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
	for _, kind := range []faults.Kind{faults.DieBefore, faults.DieAfter, faults.LoseAnswer} {
		for at, hit := 1, true; hit; at++ {
			t.Run(fmt.Sprintf("%v call %d", kind, at), func(t *testing.T) {
				o.Run(t, func(t *testing.T, env *Env) {
					first := env.current().store
					first.Arm(at, kind)
					test(t, env)
					hit = len(first.Calls()) >= at
				}, functions...)
				hit = hit && !t.Failed()
			})
		}
	}
}
