package worker

import (
	"context"
	"errors"
	"math"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Why the context of an activity was cancelled: its context.Cause.
var (
	// ErrTerminated: the orchestration was terminated.
	ErrTerminated = errors.New("the orchestration was terminated")
	// ErrAbandoned: the orchestration goes on, or has ended, without the result.
	ErrAbandoned = errors.New("the orchestration does not wait for the activity any more")
	// ErrPurged: the orchestration was purged, or another took its place.
	ErrPurged = errors.New("the orchestration was purged or replaced")
	// ErrShutdown: the process ends. The activity runs again elsewhere.
	ErrShutdown = errors.New("the app is being stopped")
	// ErrLost: the process lost the right to run the activity, which runs again.
	ErrLost = errors.New("this process may not run the activity any more")
)

// endedBy is why the activities stop of an execution that ended so.
func endedBy(status history.Status) error {
	if status == history.Terminated {
		return ErrTerminated
	}
	return ErrAbandoned
}

// followed tells whether another execution has followed that of a call: one that
// continues it, or one that took its place. The row may be late, the history is
// not: only its fence is read.
func (w *Worker) followed(ctx context.Context, call *Activity) error {
	h, err := w.Store.Load(ctx, call.InstanceID, math.MaxUint64)
	switch {
	case err != nil, h.Fence.ETag == "", h.Fence.ExecutionID == call.ExecutionID:
		return nil
	case continues(call.InstanceID, h.Fence.ExecutionID, call.ExecutionID):
		return ErrAbandoned
	}
	return ErrPurged
}

// unwanted tells whether nobody will want the result of an activity that was
// stopped for this reason.
func unwanted(cause error) bool {
	return errors.Is(cause, ErrTerminated) || errors.Is(cause, ErrAbandoned) || errors.Is(cause, ErrPurged)
}

// lostBy is why the activities of an orchestration stop that is dropped.
func (in *instance) lostBy() error {
	if in.w.user.Err() != nil {
		return ErrShutdown
	}
	return ErrLost
}

// checkEnded tells the activities that run under a lease to stop when their
// orchestration has ended. That may have happened in another process, which
// cannot reach them: the instance row says it. It is looked at whenever the
// lease is renewed, so short activities never cost a request.
func (w *Worker) checkEnded(ctx context.Context, h *held) {
	jobs := w.activities.under(h)
	if len(jobs) == 0 {
		return
	}
	call := jobs[0].call
	row, err := w.Store.Instance(ctx, call.InstanceID)
	cause := error(nil)
	switch {
	case errors.Is(err, taskhub.ErrNotFound):
		cause = ErrPurged
	case err != nil:
		return
	case row.ExecutionID != call.ExecutionID:
		cause = w.followed(ctx, call)
	case row.Status.Finished():
		cause = endedBy(row.Status)
	}
	if cause == nil {
		return
	}
	for _, j := range jobs {
		j.cancel(cause)
	}
}
