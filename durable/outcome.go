package durable

import (
	"context"
	"errors"
	"fmt"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// OrchestrationError is how an orchestration ended that did not complete. Errors
// that were registered with [RegisterError] and [RegisterErrorValue], in the app
// and in the program that asks, are found in it by errors.Is and errors.As, and so
// is the [*TaskError] of the call that failed.
type OrchestrationError struct {
	InstanceID string
	Name       string
	// Status is StatusFailed, StatusTerminated or StatusCanceled.
	Status RuntimeStatus
	// Message says why.
	Message string
	// Type is the Go type of the error with which the orchestrator ended, or the
	// name under which it was registered; "panic" for a panic. It is empty where
	// the orchestration was terminated, and where its history is not there any
	// more.
	Type string
	// Stack is the stack of a panic of the orchestrator, else empty.
	Stack string
	// Cause is that error as far as it could be made again: a registered one, the
	// [*TaskError] of the failed call, or both; else nil.
	Cause error
}

func (e *OrchestrationError) Error() string {
	return fmt.Sprintf("orchestration %s (%s): %s: %s", e.InstanceID, e.Name, e.Status, e.Message)
}

// Unwrap returns Cause.
func (e *OrchestrationError) Unwrap() error { return e.Cause }

// ErrParked is in every [*ParkedError].
var ErrParked = errors.New("the instance is parked")

// ParkedError is how a wait ends for an instance on which the engine has stopped
// working: its code does not fit its history or blocks, or no app has it. It goes
// on by itself when code comes that fits, so that the wait can be repeated, or be
// made with [WithWaitWhileParked]. errors.Is finds [ErrParked].
type ParkedError struct {
	InstanceID string
	Name       string
	// Reason says what is wrong and what helps.
	Reason string
}

func (e *ParkedError) Error() string {
	return fmt.Sprintf("orchestration %s (%s) is parked: %s", e.InstanceID, e.Name, e.Reason)
}

// Unwrap returns ErrParked.
func (e *ParkedError) Unwrap() error { return ErrParked }

func isParked(row *taskhub.Instance) bool { return row.Parked != "" && !row.Status.Finished() }

func parkedError(row *taskhub.Instance) error {
	return &ParkedError{InstanceID: row.ID, Name: row.Name, Reason: row.Parked}
}

type (
	// StatusOption changes what is read of an instance. Each one may be given
	// to a wait as well.
	StatusOption interface {
		WaitOption
		status(*readOptions)
	}
	// WaitOption changes how an instance is waited for.
	WaitOption interface{ wait(*readOptions) }
)

// readOptions are what the options of a read or a wait come to.
type readOptions struct{ failure, parked bool }

func waitOptionsOf(options []WaitOption) (o readOptions) {
	for _, option := range options {
		option.wait(&o)
	}
	return o
}

// stops reports whether a wait must not go on.
func (o readOptions) stops(row *taskhub.Instance) bool { return isParked(row) && !o.parked }

// WithFailure has [Status.Failure] filled in for an instance that has failed, from
// its history: two requests more. [Instance.Result] does so without the option.
func WithFailure() StatusOption { return failureOption{} }

type failureOption struct{}

func (failureOption) status(o *readOptions) { o.failure = true }
func (failureOption) wait(o *readOptions)   { o.failure = true }

// WithWaitWhileParked goes on waiting for an instance that the engine has parked,
// until code comes that fits. Use it after a deployment, and after [Client.Resume].
func WithWaitWhileParked() WaitOption { return parkedOption{} }

type parkedOption struct{}

func (parkedOption) wait(o *readOptions) { o.parked = true }

// failed is the error of an instance that has ended and did not complete, or of the
// storage that does not say why.
func (c *core) failed(ctx context.Context, row *taskhub.Instance) error {
	failure, err := c.failure(ctx, row)
	if err != nil {
		return err
	}
	return failure
}

func (c *core) failure(ctx context.Context, row *taskhub.Instance) (*OrchestrationError, error) {
	e := &OrchestrationError{InstanceID: row.ID, Name: row.Name, Status: runtimeStatus(row.Status), Message: history.PlainReason(row.Output)}
	if row.Status != history.Failed {
		return e, nil
	}
	d, err := c.client.Failure(ctx, row)
	if err != nil {
		return nil, fmt.Errorf("instance %q has failed (%s), and its history cannot be read now: %w", row.ID, e.Message, err)
	}
	if d != nil {
		e.Type, e.Stack, e.Cause = d.ErrorType, string(d.StackTrace), causeOf(d, row.ID)
	}
	return e, nil
}

// status is what a client sees of a row.
func (c *core) status(ctx context.Context, row *taskhub.Instance, o readOptions) (*Status, error) {
	s := statusOf(row)
	if !o.failure || !row.Status.Finished() || row.Status == history.Completed {
		return s, nil
	}
	var err error
	s.Failure, err = c.failure(ctx, row)
	return s, err
}
