package durable

import (
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/internal/engine"
)

// RetryPolicy says how often a failing call is repeated and how long to wait
// before. The wait before retry n is FirstInterval * Backoff^(n-1), at most
// MaxInterval; it is a durable timer. A failure that is NonRetryable is final,
// and so is that of an activity or orchestrator nobody knows.
type RetryPolicy struct {
	// MaxAttempts is the number of calls, the first included. Required.
	MaxAttempts int
	// FirstInterval is the wait before the first retry. Required.
	FirstInterval time.Duration
	// Backoff multiplies the wait from retry to retry, at least 1. 0 means 1.
	Backoff float64
	// MaxInterval bounds the wait. 0: no bound.
	MaxInterval time.Duration
	// Timeout makes a failure final that comes later than this after the first
	// call. 0: never.
	Timeout time.Duration
	// Jitter shortens each wait by a random part of it, from 0 (not at all) to 1
	// (down to nothing). The part is the same in every replay.
	Jitter float64
	// Handle decides whether a failure is worth a retry; nil: each one is. It
	// is called again in every replay, so it must depend on err alone, and it
	// must not use the Context. A panic in it means no.
	Handle func(err error) bool
}

func (p *RetryPolicy) check() error {
	switch {
	case p.MaxAttempts < 1:
		return fmt.Errorf("a retry policy needs MaxAttempts of at least 1, not %d", p.MaxAttempts)
	case p.FirstInterval <= 0:
		return fmt.Errorf("a retry policy needs a FirstInterval above 0, not %v", p.FirstInterval)
	case p.Backoff != 0 && !(p.Backoff >= 1):
		return fmt.Errorf("the Backoff of a retry policy is at least 1, not %v", p.Backoff)
	case p.MaxInterval != 0 && p.MaxInterval < p.FirstInterval:
		return fmt.Errorf("the MaxInterval of a retry policy (%v) is at least its FirstInterval (%v)", p.MaxInterval, p.FirstInterval)
	case p.Timeout != 0 && p.Timeout < p.FirstInterval:
		return fmt.Errorf("the Timeout of a retry policy (%v) is at least its FirstInterval (%v)", p.Timeout, p.FirstInterval)
	case !(p.Jitter >= 0 && p.Jitter <= 1):
		return fmt.Errorf("the Jitter of a retry policy is between 0 and 1, not %v", p.Jitter)
	}
	return nil
}

// UseRetry is the policy of all calls of activities and Steps that have none of
// their own; WithRetry(RetryPolicy{MaxAttempts: 1, FirstInterval: 1}) calls once. It
// is not for children and CallHTTP. Call it before Run, which reports a policy that
// is wrong. It is part of the code of orchestrators: see [Patched] before a change.
func (a *App) UseRetry(policy RetryPolicy) {
	if err := policy.check(); err != nil {
		a.errs = append(a.errs, fmt.Errorf("UseRetry: %w", err))
	}
	a.registry.retry = &policy
}

// withDefaults are the options of a call, with the app's policy where they have
// none. The receiver may be shared.
func (o *callOptions) withDefaults(r *registry) *callOptions {
	if o.retry != nil || r.retry == nil || o.once {
		return o
	}
	with := *o
	with.retry = r.retry
	return &with
}

// policy is the policy for the engine; nil for a call without one.
func (o *callOptions) policy(c *Context, call source) *engine.Retry {
	if o.retry == nil {
		return nil
	}
	p := o.retry
	instance := c.rt.InstanceID()
	return &engine.Retry{
		MaxAttempts: p.MaxAttempts, First: p.FirstInterval, Backoff: p.Backoff, Max: p.MaxInterval, Timeout: p.Timeout, Jitter: p.Jitter,
		Within: o.total,
		Decide: func(failure *engine.Failure, attempt int) (bool, *time.Duration) {
			if p.Handle != nil && !p.Handle(call.failed(failure, instance)) {
				return false, nil
			}
			return true, retryAfterOf(failure.Details)
		},
	}
}

// NonRetryable marks an error as final: a RetryPolicy does not repeat a call
// that ends with it.
func NonRetryable(err error) error {
	if err == nil {
		return nil
	}
	return &nonRetryable{err}
}

type nonRetryable struct{ error }

func (e *nonRetryable) Unwrap() error { return e.error }

// RetryAfter says how long a RetryPolicy should wait after this error instead
// of what it would come to, in whole milliseconds, rounded up: for services that say
// when to come again. A wait that is not above 0 is over: the retry comes at once.
func RetryAfter(err error, wait time.Duration) error {
	if err == nil {
		return nil
	}
	return &retryAfter{err, wait}
}

type retryAfter struct {
	error
	wait time.Duration
}

func (e *retryAfter) Unwrap() error { return e.error }

// marks finds what NonRetryable and RetryAfter said of an error.
func marks(err error) (final bool, wait *time.Duration) {
	var after *retryAfter
	if errors.As(err, &after) {
		wait = &after.wait
	}
	return errors.As(err, new(*nonRetryable)), wait
}
