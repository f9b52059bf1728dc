package durable

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/internal/activity"
)

// ErrHeartbeatTimeout means that an activity did not call Heartbeat in time (see
// WithHeartbeatTimeout). It is the cause of the activity's context, and, where the
// activity then fails, of its error.
var ErrHeartbeatTimeout = errors.New("the activity gave no heartbeat in time")

func init() { RegisterErrorValue("durable.ErrHeartbeatTimeout", ErrHeartbeatTimeout) }

var errNoActivity = errors.New("durable: this is not the context of an activity")

// Heartbeat reports that an activity is alive, and how far it has come. The
// progress is for LastHeartbeat in a later run of the same call: after a crash,
// or under a retry policy. The newest one is stored at once or after at most half
// a lease (15 seconds), so it may be called often; a crash loses at most what
// came in that time. It is kept until the call has ended for good, at the latest
// until the instance is purged. Steps may report, too.
//
// An error means that the activity should stop, because its context has ended
// (the error is its cause, such as ErrTerminated), or that the progress cannot be
// encoded or stored.
func Heartbeat(ctx context.Context, progress any) error {
	r := runOf(ctx)
	if r == nil {
		return errNoActivity
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if r.beat != nil {
		r.beat()
	}
	p, err := r.registry.encode(progress)
	if err == nil && p != nil {
		err = r.call.Report(ctx, r.at, p)
	}
	if err != nil {
		return fmt.Errorf("heartbeat: %w", err)
	}
	return nil
}

// LastHeartbeat is the newest progress that a run of this call has given to
// Heartbeat; ok is false when there is none. The error means that it cannot be
// read, or is not a T.
func LastHeartbeat[T any](ctx context.Context) (progress T, ok bool, err error) {
	r := runOf(ctx)
	if r == nil {
		return progress, false, errNoActivity
	}
	p, err := r.call.Reported(ctx, r.at)
	if err == nil && p != nil {
		ok = true
		progress, err = decode[T](r.registry, p)
	}
	if err != nil {
		return progress, false, fmt.Errorf("last heartbeat: %w", err)
	}
	return progress, ok, nil
}

// WithHeartbeatTimeout ends the context of an activity that has not called
// Heartbeat for d, with the cause ErrHeartbeatTimeout. The failure that follows
// is one that a RetryPolicy repeats.
func WithHeartbeatTimeout(d time.Duration) ActivityOption { return heartbeatOption(d) }

type heartbeatOption time.Duration

func (o heartbeatOption) set(c *callOptions)      { c.heartbeat, c.beats = time.Duration(o), true }
func (o heartbeatOption) activity(c *callOptions) { o.set(c) }
func (o heartbeatOption) mapping(c *callOptions)  { o.set(c) }

// watch makes the context end that has no heartbeat for a while.
func (r *activityRun) watch(ctx context.Context, most time.Duration) (context.Context, func()) {
	if most <= 0 {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(most, func() { cancel(ErrHeartbeatTimeout) })
	r.beat = func() { timer.Reset(most) }
	return ctx, func() { timer.Stop(); cancel(nil) }
}

// place is that of a run in its retry policy.
func (r recorded) place(call *activity.Call) activity.Attempt {
	at := activity.Attempt{First: call.TaskID, More: r.More}
	if r.Attempt > 1 {
		at.First = r.First
	}
	return at
}
