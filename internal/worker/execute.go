package worker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// unknownPatience is how long an activity or orchestrator that came through a
// queue may be unknown here before its call fails: during a rolling deployment
// another process knows it already.
const unknownPatience = 60 * time.Second

// unknownDelay is how long such a message is put off: so long that it is
// delivered less often in that time than one that ends the process (see
// supervise).
const unknownDelay = 10 * time.Second

// execute runs one activity and returns the event that reports its end, or nil
// when the process stops before the activity ended.
func (w *Worker) execute(j *job) *history.Event {
	ctx := j.ctx
	if !j.lease.alive() || ctx.Err() != nil {
		return nil
	}
	run, err := j.step, error(nil)
	if run == nil {
		run, err = w.Activities(j.call.Name)
	}
	if err != nil {
		return w.taskFailed(j.call, &history.FailureDetails{ErrorType: "UnknownActivity", ErrorMessage: err.Error(), NonRetriable: true}, err.Error())
	}
	deliveries := 0
	if j.owner == nil {
		deliveries = j.lease.deliveries()
	}
	code, err := w.Journal.Begin(ctx, j.call.code(), deliveries)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return w.taskFailed(j.call, processExited(err), "")
	}
	defer code.Return(false)
	return w.runActivity(ctx, j, run)
}

// runActivity runs the activity on a goroutine whose loss it notices: user code
// may call runtime.Goexit.
func (w *Worker) runActivity(ctx context.Context, j *job, run ActivityFunc) *history.Event {
	var result history.Payload
	failure := &history.FailureDetails{ErrorType: "Goexit", ErrorMessage: "the activity ended its goroutine with runtime.Goexit"}
	done := make(chan struct{})
	go func() {
		defer close(done)
		result, failure = run(ctx, j.call)
	}()
	select {
	case <-done:
	case <-j.lease.lost:
		j.cancel(ErrLost)
		<-done
	}
	dropped := unwanted(context.Cause(ctx))
	j.call.Progress.end(w.ctx, failure == nil || dropped)
	if dropped {
		j.call.Progress.settled(&history.Event{})
	}
	switch {
	case failure == nil:
		return w.taskCompleted(j.call, result)
	case ctx.Err() != nil:
		// The activity was told to stop: whoever holds its message next runs it
		// again.
		return nil
	default:
		return w.taskFailed(j.call, failure, "")
	}
}

func (w *Worker) taskCompleted(call *Activity, result history.Payload) *history.Event {
	if err := w.fits(result); err != nil {
		return w.taskFailed(call, &history.FailureDetails{ErrorType: "PayloadTooLarge", ErrorMessage: "the result is too large: " + err.Error(), NonRetriable: true}, "")
	}
	return w.taskEvent(call, &history.Event{Type: history.TaskCompleted, Result: result})
}

func (w *Worker) inputTooLarge(call *Activity, err error) *history.Event {
	return w.taskFailed(call, &history.FailureDetails{ErrorType: "PayloadTooLarge", ErrorMessage: "the input is too large: " + err.Error(), NonRetriable: true}, "")
}

func (w *Worker) taskFailed(call *Activity, failure *history.FailureDetails, reason string) *history.Event {
	w.logFailure(call, failure)
	if reason == "" {
		reason = fmt.Sprintf("Activity function '%s' failed: %s", call.Name, failure.ErrorMessage)
	}
	return w.taskEvent(call, &history.Event{Type: history.TaskFailed, Reason: history.Payload(reason), Failure: failure})
}

func (w *Worker) taskEvent(call *Activity, e *history.Event) *history.Event {
	e.ID = history.NoID
	e.TaskID = call.TaskID
	e.Timestamp = w.now()
	return e
}

// exitedType is the error type of code that ended the process.
const exitedType = "ProcessExited"

// processExited is the failure of code that ended the process.
func processExited(err error) *history.FailureDetails {
	reason := err.Error()
	var blamed interface{ BlameReason() string }
	if errors.As(err, &blamed) {
		reason = blamed.BlameReason()
	}
	return &history.FailureDetails{
		ErrorType:    exitedType,
		ErrorMessage: "the process ended while this code ran: " + reason,
		NonRetriable: true,
	}
}

// idempotencyKey is the same for every run of an activity call.
func idempotencyKey(execution string, task int32) string { return execution + ":" + itoa(task) }

func itoa(n int32) string { return strconv.Itoa(int(n)) }

// fits checks the size of an input, a result or the data of an event.
func (w *Worker) fits(p history.Payload) error {
	if len(p) > w.MaxPayload {
		return fmt.Errorf("%d bytes, at most %d are stored (maxPayload)", len(p), w.MaxPayload)
	}
	return nil
}
