package engine

import (
	"errors"
	"hash/fnv"
	"math"
	"strconv"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// Retry is the official retry policy, and a little more.
type Retry struct {
	// MaxAttempts counts the first call too.
	MaxAttempts int
	// First is the wait after the first failure; each later one is Backoff
	// times as long, up to Max (0: no bound).
	First   time.Duration
	Backoff float64
	Max     time.Duration
	// Timeout ends the attempts: a failure later than this after the first call
	// is final. 0: never. It is looked at when an attempt fails.
	Timeout time.Duration
	// Within ends the attempts: one that would begin this long after the first call,
	// or later, is not made. 0: no bound.
	Within time.Duration
	// Jitter shortens each wait by up to this part of it, 0 to 1. What it comes
	// to depends on the execution and the attempt alone.
	Jitter float64
	// Decide may end the attempts, or set the wait; nil leaves it. It must be a
	// function of its arguments; its panic ends the attempts. nil: retry.
	Decide func(failure *Failure, attempt int) (retry bool, after *time.Duration)
}

// attempts is a call that is repeated while it fails.
type attempts struct {
	rt     *Runtime
	policy *Retry
	call   func(attempt int) *Task
	since  time.Time
	n      int
	task   *Task
}

// retrying makes the first call. Everything after that happens when its result
// comes, whoever waits for what at that moment.
func (rt *Runtime) retrying(policy *Retry, call func(attempt int) *Task) *Task {
	if policy == nil {
		return call(1)
	}
	a := &attempts{rt: rt, policy: policy, call: call, since: rt.now(), task: &Task{rt: rt, id: history.NoID}}
	a.try()
	return a.task
}

func (a *attempts) try() {
	a.n++
	t := a.call(a.n)
	a.waitFor(t)
	t.then = func() {
		delay, again := a.after(t)
		if again && a.policy.Within > 0 {
			again = a.rt.now().Add(delay).Sub(a.since) < a.policy.Within
		}
		if !again || a.rt.ended {
			a.task.settle(t.result, t.err)
			return
		}
		wait := a.rt.timer(a.rt.now().Add(delay))
		if wait.done { // there is no such time
			a.task.settle(t.result, t.err)
			return
		}
		a.waitFor(wait)
		wait.then = func() {
			if wait.err == nil && !a.rt.ended {
				a.try()
			}
		}
	}
}

// waitFor notes which action the call waits for at the moment.
func (a *attempts) waitFor(t *Task) {
	a.task.what = (*part)(t)
	t.belongTo(a.task)
}

// after decides about the end of an attempt: how long to wait for the next.
func (a *attempts) after(t *Task) (delay time.Duration, again bool) {
	var failure *Failure
	if t.err == nil || !errors.As(t.err, &failure) {
		return 0, false
	}
	failure.Attempt = a.n
	if failure.Details != nil && failure.Details.NonRetriable || a.n >= a.policy.MaxAttempts {
		return 0, false
	}
	again = true
	var wanted *time.Duration
	if a.policy.Decide != nil {
		again = false
		a.rt.shielded(func() { again, wanted = a.policy.Decide(failure, a.n) })
	}
	if !again || a.policy.Timeout > 0 && a.rt.now().Sub(a.since) >= a.policy.Timeout {
		return 0, false
	}
	if wanted != nil {
		return max(*wanted, 0), true
	}
	return a.backoff(t.id), true
}

// backoff is the wait after attempt n.
func (a *attempts) backoff(action int32) time.Duration {
	p := a.policy
	limit := float64(math.MaxInt64 / 4)
	if p.Max > 0 {
		limit = float64(p.Max)
	}
	delay := min(float64(p.First)*math.Pow(max(p.Backoff, 1), float64(a.n-1)), limit)
	if p.Jitter > 0 {
		delay *= 1 - min(p.Jitter, 1)*a.chance(action)
	}
	return time.Duration(delay).Truncate(100 * time.Nanosecond)
}

// chance is a number from 0 up to 1 that belongs to the attempt.
func (a *attempts) chance(action int32) float64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(a.rt.instance.started.Instance.ExecutionID + "/" + a.rt.InstanceID() + "/" + strconv.Itoa(int(action))))
	return float64(mix(h.Sum64())>>11) / (1 << 53)
}

// mix spreads the bits of a hash (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
