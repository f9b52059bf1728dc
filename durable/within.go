package durable

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// WithTotalTimeout bounds a call from the moment it is made, with all its attempts,
// the waits between them and the time for which it waits to be run. When the time is
// over the task fails with a [*TaskError] in which errors.Is finds [ErrTimeout]: no
// further attempt is made, the context of an activity that runs ends as long after
// its beginning at the latest, and a child is terminated with its children. The
// result of what goes on is dropped. A timeout that is not above 0 is over: nothing
// is called.
func WithTotalTimeout(d time.Duration) CallOption { return totalTimeoutOption(d) }

type totalTimeoutOption time.Duration

func (o totalTimeoutOption) set(c *callOptions)      { c.total, c.bounded = time.Duration(o), true }
func (o totalTimeoutOption) activity(c *callOptions) { o.set(c) }
func (o totalTimeoutOption) child(c *callOptions)    { o.set(c) }
func (o totalTimeoutOption) mapping(c *callOptions)  { o.set(c) }

// overdue is the failure of a call that took too long.
func overdue(of source, instance string, limit time.Duration, cause error) error {
	e := &TaskError{InstanceID: instance, Type: "Timeout", Message: fmt.Sprintf("it has not ended within %v", limit), Cause: cause}
	if limit <= 0 {
		e.Message = fmt.Sprintf("it was not called: its timeout is %v", limit)
	}
	if of.kind == childCall {
		e.Orchestrator = of.name
	} else {
		e.Activity = of.name
	}
	return e
}

// callWithin makes a call that has a total timeout. ask makes it without one.
func callWithin[Out any](ctx *Context, of source, o *callOptions, ask func(*callOptions) *Task[Out]) *Task[Out] {
	if o.total <= 0 {
		return failedTask[Out](ctx, of, overdue(of, ctx.InstanceID(), o.total, ErrTimeout))
	}
	bounded := *o
	bounded.bounded = false // total stays, as the bound of the attempts
	switch {
	case of.kind == childCall && o.instanceID == "":
		bounded.instanceID = ctx.NewGUID()
	case of.kind == activityCall && (!o.timed || o.timeout > o.total):
		bounded.timeout, bounded.timed = o.total, true
	}
	call, timer := ask(&bounded), ctx.NewTimer(o.total)
	return Go(ctx, func(ctx *Context) (out Out, err error) {
		if Select(call, timer) == 0 {
			timer.Cancel()
			return call.Await()
		}
		err = overdue(of, ctx.InstanceID(), o.total, ErrTimeout)
		if of.kind == childCall {
			err = errors.Join(err, terminateChild(ctx, bounded.instanceID, err.Error()))
		}
		return out, err
	})
}

// terminateChild terminates a child that took too long; one that has ended is as it
// should be.
func terminateChild(ctx *Context, id, reason string) error {
	client := ctx.registry.client
	_, err := Step(ctx, "TerminateChild", func(ctx context.Context) (None, error) {
		err := client.Terminate(ctx, id, reason, WithChildren())
		if errors.Is(err, ErrFinished) || errors.Is(err, ErrNotFound) {
			err = nil
		}
		return None{}, err
	}, WithRetry(RetryPolicy{MaxAttempts: 3, FirstInterval: time.Second})).Await()
	return err
}
