package worker

import (
	"context"

	"github.com/durable-go/functions/internal/history"
)

// Activity is one call of an activity, as its implementation sees it.
type Activity struct {
	Name        string
	InstanceID  string
	ExecutionID string
	// TaskID is the id of the scheduling action within the execution.
	TaskID int32
	Input  history.Payload
	// Options is what the orchestrator recorded with the call; nil mostly.
	Options history.Payload
	// Tags are what the orchestrator attached to the call.
	Tags map[string]string
	// IdempotencyKey is the same for every run of this call, also after a
	// crash: the execution id and the task id.
	IdempotencyKey string
	// Progress is what the runs of the call have reported.
	Progress Progress
}

type callKey struct{}

// CallOf is the call behind a Step, of which the engine knows only the action;
// nil elsewhere.
func CallOf(ctx context.Context) *Activity {
	call, _ := ctx.Value(callKey{}).(*Activity)
	return call
}

// ActivityFunc runs an activity. It never panics: the durable package turns
// panics and errors of user code into failure details. Exactly one of the
// results is meaningful: the result when failure is nil.
type ActivityFunc func(ctx context.Context, call *Activity) (result history.Payload, failure *history.FailureDetails)
