package activity

import (
	"context"
	"errors"
	"strconv"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/journal"
)

// Call is one call of an activity, as its implementation sees it.
type Call struct {
	Name        string
	InstanceID  string
	ExecutionID string
	// TaskID is the id of the scheduling action within the execution.
	TaskID int32
	Input  history.Payload
	// Options is what the orchestrator recorded with the call; usually nil.
	Options history.Payload
	// Tags are what the orchestrator attached to the call.
	Tags map[string]string
	// IdempotencyKey is the same for every run of this call, also after a
	// crash: the execution id and the task id.
	IdempotencyKey string
	// Trace is the context of the call's own span, for what the run does; zero where the
	// orchestration is not traced.
	Trace observe.Trace
	// Progress is what the runs of the call have reported.
	Progress Progress
}

// Func runs an activity. It never panics: the durable package turns panics and
// errors of user code into failure details. Exactly one of the results is
// meaningful: the result when failure is nil.
type Func func(ctx context.Context, call *Call) (result history.Payload, failure *history.FailureDetails)

type callKey struct{}

// WithCall gives a context the call that it is the context of.
func WithCall(ctx context.Context, call *Call) context.Context {
	return context.WithValue(ctx, callKey{}, call)
}

// CallOf returns the call behind a Step, of which the engine knows only the
// action; nil elsewhere.
func CallOf(ctx context.Context) *Call {
	call, _ := ctx.Value(callKey{}).(*Call)
	return call
}

// Code is what the journal knows a call by.
func (a *Call) Code() journal.Code {
	return journal.Code{Kind: journal.ActivityCode, Instance: a.InstanceID, Execution: a.ExecutionID, Position: int64(a.TaskID)}
}

// IdempotencyKey is the same for every run of a call.
func IdempotencyKey(execution string, task int32) string { return execution + ":" + itoa(task) }

func itoa(n int32) string { return strconv.Itoa(int(n)) }

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

// EndedBy is why the activities of an execution stop that ended with the status.
func EndedBy(status history.Status) error {
	if status == history.Terminated {
		return ErrTerminated
	}
	return ErrAbandoned
}

// unwanted reports whether the result of an activity that was stopped for this
// reason is of no use to anybody.
func unwanted(cause error) bool {
	return errors.Is(cause, ErrTerminated) || errors.Is(cause, ErrAbandoned) || errors.Is(cause, ErrPurged)
}
