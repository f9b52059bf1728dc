package durable

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/durable-go/functions/handler"
	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/taskhub"
)

// RaiseEvent sends an event to an instance that has not finished. The
// orchestrator gets it once, and after all events that this client has raised
// for the instance before. It is stored when RaiseEvent returns nil. The data
// is encoded as an input is. ErrNotFound, or a *StateError with ErrFinished.
func (c *Client) RaiseEvent(ctx context.Context, id, name string, data any) error {
	core, err := c.core()
	if err != nil {
		return err
	}
	p, err := core.registry.encode(data)
	if err != nil {
		return fmt.Errorf("data of event %q: %w", name, err)
	}
	message := taskhub.NewGUID()
	what := taskhub.GUID("raise", id, strings.ToLower(name), string(p))
	if invocation, n, ok := handler.Ordinal(ctx, what); ok {
		// An invocation whose process died is repeated: the event is the same.
		message = taskhub.GUID("raised", invocation, what, fmt.Sprint(n))
	}
	return public(core.client.RaiseOnce(ctx, message, id, name, p))
}

// ControlOption changes what Terminate and Purge do.
type ControlOption interface{ control(*controlOptions) }

type controlOptions struct{ children bool }

// WithChildren includes the children of the instance, and theirs.
func WithChildren() ControlOption { return childrenOption{} }

type childrenOption struct{}

func (childrenOption) control(o *controlOptions) { o.children = true }

func control(options []ControlOption) (o controlOptions) {
	for _, option := range options {
		option.control(&o)
	}
	return o
}

// Terminate ends an instance that has not finished, whatever its code does; the
// reason becomes its output. It returns when that is stored; use WaitForCompletion to see it
// done. The contexts of running activities end. Children go on unless
// WithChildren is given. ErrNotFound, or a *StateError with ErrFinished.
func (c *Client) Terminate(ctx context.Context, id, reason string, options ...ControlOption) error {
	return c.do(func(c *client.Client) error {
		return c.Terminate(ctx, id, reason, client.TerminateOptions{Children: control(options).children})
	})
}

// Suspend stops the code of an instance until Resume; what comes meanwhile is
// kept. ErrNotFound, or a *StateError with ErrFinished or ErrSuspended.
func (c *Client) Suspend(ctx context.Context, id, reason string) error {
	return c.do(func(c *client.Client) error { return c.Suspend(ctx, id, reason) })
}

// Resume lets a suspended instance go on. An instance that the engine has
// suspended, because its code does not fit its history, is tried again with the
// code that is there now. ErrNotFound, or a *StateError with ErrFinished or
// ErrNotSuspended.
func (c *Client) Resume(ctx context.Context, id, reason string) error {
	return c.do(func(c *client.Client) error { return c.Resume(ctx, id, reason) })
}

// Restart starts the orchestrator of an instance again, with its name, version,
// input and tags, under a new id, which it returns. With WithInstanceID that is
// the id; the instance's own one starts over, when it has finished: else a
// *StateError with ErrNotFinished. Other options have no effect.
func (c *Client) Restart(ctx context.Context, id string, options ...StartOption) (string, error) {
	core, err := c.core()
	if err != nil {
		return "", err
	}
	var s client.Start
	for _, option := range options {
		option.start(&s)
	}
	deriveIDs(ctx, &s, "restart", id)
	row, err := core.client.Restart(ctx, id, client.RestartOptions{SameID: s.InstanceID == id, NewID: s.InstanceID, ExecutionID: s.ExecutionID})
	if err != nil {
		return "", public(err)
	}
	return row.ID, nil
}

func (c *Client) do(f func(*client.Client) error) error {
	core, err := c.core()
	if err != nil {
		return err
	}
	return public(f(core.client))
}

// StateError means that an operation does not fit the status of an instance, and
// changed nothing. errors.Is finds ErrFinished, ErrNotFinished, ErrNotFailed,
// ErrSuspended or ErrNotSuspended.
type StateError struct {
	InstanceID string
	// Status is that of the instance.
	Status RuntimeStatus
	cause  error
}

func (e *StateError) Error() string { return e.cause.Error() }

// Unwrap is the reason.
func (e *StateError) Unwrap() error { return e.cause }

// public gives an error the type that users know.
func public(err error) error {
	var state *client.StateError
	if errors.As(err, &state) {
		return &StateError{InstanceID: state.InstanceID, Status: runtimeStatus(state.Status), cause: err}
	}
	return err
}

// RaiseEvent is Client.RaiseEvent for the run.
func (r *Instance[Out]) RaiseEvent(ctx context.Context, name string, data any) error {
	return r.client.RaiseEvent(ctx, r.ID, name, data)
}

// Terminate is Client.Terminate for the run.
func (r *Instance[Out]) Terminate(ctx context.Context, reason string, options ...ControlOption) error {
	return r.client.Terminate(ctx, r.ID, reason, options...)
}

// Suspend is Client.Suspend for the run.
func (r *Instance[Out]) Suspend(ctx context.Context, reason string) error {
	return r.client.Suspend(ctx, r.ID, reason)
}

// Resume is Client.Resume for the run.
func (r *Instance[Out]) Resume(ctx context.Context, reason string) error {
	return r.client.Resume(ctx, r.ID, reason)
}

// Status is Client.Status for the run.
func (r *Instance[Out]) Status(ctx context.Context, options ...StatusOption) (*Status, error) {
	return r.client.Status(ctx, r.ID, options...)
}
