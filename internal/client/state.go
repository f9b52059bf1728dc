package client

import (
	"errors"
	"fmt"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Why an operation does not fit the status of an instance.
var (
	// ErrFinished: the instance has ended.
	ErrFinished = errors.New("the instance has finished")
	// ErrNotFinished: the operation is for instances that have ended.
	ErrNotFinished = errors.New("the instance has not finished")
	// ErrNotFailed: only failed instances are rewound.
	ErrNotFailed = errors.New("only an instance that has failed can be rewound")
	// ErrSuspended: the instance is suspended already.
	ErrSuspended = errors.New("the instance is suspended already")
	// ErrNotSuspended: only suspended instances are resumed.
	ErrNotSuspended = errors.New("the instance is not suspended")
)

// StateError means that an operation does not fit the status of an instance. It
// has changed nothing. errors.Is finds one of the errors above.
type StateError struct {
	InstanceID string
	// Status is what the caller sees: Suspended for a parked instance.
	Status history.Status
	// Operation is the verb: "terminate", "raise an event for" ...
	Operation string
	cause     error
}

func (e *StateError) Error() string {
	return fmt.Sprintf("cannot %s instance %q, which is %s: %v", e.Operation, e.InstanceID, e.Status, e.cause)
}

// Unwrap is the reason.
func (e *StateError) Unwrap() error { return e.cause }

func stateError(row *taskhub.Instance, operation string, cause error) error {
	return &StateError{InstanceID: row.ID, Status: row.Shown(), Operation: operation, cause: cause}
}
