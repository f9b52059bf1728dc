package activity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

// ExitedType is the error type of code that ended the process.
const ExitedType = "ProcessExited"

// Exited is the failure of code that ended the process.
func Exited(err error) *history.FailureDetails {
	reason := err.Error()
	var blamed interface{ BlameReason() string }
	if errors.As(err, &blamed) {
		reason = blamed.BlameReason()
	}
	return &history.FailureDetails{
		ErrorType:    ExitedType,
		ErrorMessage: "the process ended while this code ran: " + reason,
		NonRetriable: true,
	}
}

// Fits returns an error when an input, a result or the data of an event is larger
// than what the app stores.
func Fits(p history.Payload, most int) error {
	if len(p) > most {
		return fmt.Errorf("%d bytes, at most %d are stored (maxPayload)", len(p), most)
	}
	return nil
}

func tooLarge(what string, err error) *history.FailureDetails {
	return &history.FailureDetails{ErrorType: "PayloadTooLarge", ErrorMessage: "the " + what + " is too large: " + err.Error(), NonRetriable: true}
}

// InputTooLarge is the end of a call whose input is larger than what the app stores.
func (p *Pool) InputTooLarge(call *Call, err error) *history.Event {
	return p.failed(call, tooLarge("input", err), "")
}

func (p *Pool) completed(call *Call, result history.Payload) *history.Event {
	if err := Fits(result, p.MaxPayload); err != nil {
		return p.failed(call, tooLarge("result", err), "")
	}
	return p.end(call, &history.Event{Type: history.TaskCompleted, Result: result})
}

func (p *Pool) failed(call *Call, failure *history.FailureDetails, reason string) *history.Event {
	p.logFailure(call, failure)
	if reason == "" {
		reason = fmt.Sprintf("Activity function '%s' failed: %s", call.Name, failure.ErrorMessage)
	}
	return p.end(call, &history.Event{Type: history.TaskFailed, Reason: history.Payload(reason), Failure: failure})
}

func (p *Pool) end(call *Call, e *history.Event) *history.Event {
	e.ID, e.TaskID, e.Timestamp = history.NoID, call.TaskID, p.Exec.Now()
	return e
}

// logFailure reports that an activity has failed. Panics and exits are mistakes of
// its code; about other errors its orchestrator decides, which may repeat the call
// or expect them.
func (p *Pool) logFailure(call *Call, failure *history.FailureDetails) {
	level := slog.LevelInfo
	if failure.ErrorType == engine.PanicType || failure.ErrorType == ExitedType {
		level = slog.LevelError
	}
	p.Log.Log(context.Background(), level, "activity failed", "instance", call.InstanceID, "name", call.Name, "task", call.TaskID, "error", failure.ErrorMessage)
}
