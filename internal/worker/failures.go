package worker

import (
	"context"
	"log/slog"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

// logOutcome says that an execution has failed, once, by the process that has
// committed its end. What becomes of the failure of a child its parent decides,
// which may repeat it.
func (in *instance) logOutcome() {
	end := in.outcome
	if end == nil || end.Status != history.Failed {
		return
	}
	name, level, reason := "", slog.LevelError, string(end.Result)
	if started := in.startEvent(); started != nil {
		name = started.Name
		if started.Parent != nil {
			level = slog.LevelWarn
		}
	}
	if end.Failure != nil {
		reason = end.Failure.ErrorMessage
	}
	in.w.log.Log(context.Background(), level, "orchestration failed", "instance", in.id, "name", name, "execution", in.execution, "error", reason)
}

// logFailure says that an activity has failed. Panics and exits are mistakes of
// its code; about other errors its orchestrator decides, which may repeat the
// call or expect them.
func (w *Worker) logFailure(call *Activity, failure *history.FailureDetails) {
	level := slog.LevelInfo
	if failure.ErrorType == engine.PanicType || failure.ErrorType == exitedType {
		level = slog.LevelError
	}
	w.log.Log(context.Background(), level, "activity failed", "instance", call.InstanceID, "name", call.Name, "task", call.TaskID, "error", failure.ErrorMessage)
}
