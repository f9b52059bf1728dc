package durable

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// What callers of a Client may test with errors.Is.
var (
	// ErrNotFound: there is no such instance.
	ErrNotFound = taskhub.ErrNotFound
	// ErrAlreadyExists: an instance of that id has not finished yet.
	ErrAlreadyExists = client.ErrRunning
	// ErrInvalidInstanceID: the id breaks the rules for instance ids.
	ErrInvalidInstanceID = client.ErrInvalidInstanceID
	// ErrTooLarge: the input is larger than a task hub stores.
	ErrTooLarge = taskhub.ErrTooLarge
	// ErrUnknownOrchestrator: the app has no orchestrator of that name.
	ErrUnknownOrchestrator = errors.New("unknown orchestrator")
)

// TaskError is how a failed activity looks to the orchestrator that called it.
type TaskError struct {
	// Activity is the name of the activity.
	Activity string
	// InstanceID is the orchestration that called it.
	InstanceID string
	// Type is the Go type of the activity's error, "panic" for a panic.
	Type string
	// Message is the text of the activity's error.
	Message string
	// Stack is the stack of a panic, else empty.
	Stack string
}

// Error says which activity failed and why.
func (e *TaskError) Error() string {
	return fmt.Sprintf("Activity function '%s' failed: %s", e.Activity, e.Message)
}

// taskError makes the error of a task from what the history says.
func taskError(err error, activity, instance string) error {
	var failure *engine.Failure
	if !errors.As(err, &failure) || failure.Details == nil {
		return &TaskError{Activity: activity, InstanceID: instance, Type: "error", Message: err.Error()}
	}
	d := failure.Details
	return &TaskError{Activity: activity, InstanceID: instance, Type: d.ErrorType, Message: d.ErrorMessage, Stack: string(d.StackTrace)}
}

// failureDetails is what the history keeps of an error of user code.
func failureDetails(err error) *history.FailureDetails {
	d := &history.FailureDetails{ErrorType: fmt.Sprintf("%T", err), ErrorMessage: err.Error()}
	var task *TaskError
	if errors.As(err, &task) {
		d.Inner = &history.FailureDetails{ErrorType: task.Type, ErrorMessage: task.Message}
		if task.Stack != "" {
			d.Inner.StackTrace = history.Payload(task.Stack)
		}
	}
	return d
}

// panicDetails is what the history keeps of a panic of user code.
func panicDetails(p any) *history.FailureDetails {
	return &history.FailureDetails{ErrorType: "panic", ErrorMessage: fmt.Sprint("panic: ", p), StackTrace: history.Payload(debug.Stack()), NonRetriable: true}
}
