package durabletest

import (
	"errors"
	"fmt"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/durable"
)

// Now is the time of the environment: that of its bubble, which time.Now gives
// as well.
func (e *Env) Now() time.Time { return time.Now().UTC() }

// Elapsed is how much of that time has passed since the test began.
func (e *Env) Elapsed() time.Duration { return time.Since(e.began) }

// Wait lets happen what can happen now: it returns when everything waits for
// time to pass or for the test to do something. The clock does not move.
func (e *Env) Wait() { synctest.Wait() }

// Advance moves the clock by d, which is not negative. What is due in the
// meantime happens at its time.
func (e *Env) Advance(d time.Duration) {
	e.t.Helper()
	if d < 0 {
		e.fatal("Advance(%v): time does not go back", d)
	}
	<-time.After(d)
	synctest.Wait()
	e.check()
}

// check ends a test that cannot go well any more.
func (e *Env) check() {
	e.t.Helper()
	if err := errors.Join(e.codec.err(), e.activities.missed()); err != nil {
		e.fatal("%v", err)
	}
}

// RunUntilIdle moves the clock from one thing that is due to the next until
// nothing is left to do: every orchestration has finished, or waits for an event
// or for being resumed, or is parked because its code does not fit its history.
// Orchestrations that never end make the test fail: use Advance for them.
func (e *Env) RunUntilIdle() {
	e.t.Helper()
	e.until(func() bool { return false })
}

// maxSteps bounds how often the hub may change before an environment gives up
// to wait: some seconds of work. An orchestration makes one or two steps a timer.
const maxSteps = 50_000

// until moves the clock until done, or until nothing is left to do; it reports
// which. Every timer, activity, child and event on its way is a message.
func (e *Env) until(done func() bool) bool {
	e.t.Helper()
	for range maxSteps {
		changed := e.hub.Changed()
		synctest.Wait()
		e.check()
		if done() {
			return true
		}
		if !e.hub.Expects() {
			return false
		}
		<-changed
	}
	e.fatal("after %v%s there is no end in sight; for orchestrations that never end use Advance", e.Elapsed(), e.running())
	return false
}

// running names an orchestration that runs, for the text of a failure; it is empty where
// there is none.
func (e *Env) running() string {
	for s, err := range e.client.List(e.context(), durable.Query{Statuses: []durable.RuntimeStatus{durable.StatusRunning}}) {
		if err == nil {
			return fmt.Sprintf(" %s runs (instance %s), and", s.Name, s.InstanceID)
		}
	}
	return ""
}
