package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// ErrInvalidEventName means that the name of an event is empty or too long.
var ErrInvalidEventName = errors.New("invalid event name")

// Raise sends an event to an instance that has not finished. It is delivered
// once, and after all events that this client has raised for the instance
// before. When Raise returns nil, the event is stored. taskhub.ErrBacklog where
// as many wait already as an instance may have and its code does not wait for one
// of the name: this call stored nothing.
func (c *Client) Raise(ctx context.Context, id, name string, data history.Payload) error {
	return c.RaiseOnce(ctx, taskhub.NewGUID(), id, name, data)
}

// RaiseOnce is Raise for an event that the caller may have raised before: of
// several with one message id (a GUID in the D form) the instance sees one.
func (c *Client) RaiseOnce(ctx context.Context, messageID, id, name string, data history.Payload) error {
	if err := history.CheckName("an event", name); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidEventName, err)
	}
	if err := c.checkPayload("the data of an event", data); err != nil {
		return err
	}
	row, err := c.current(ctx, id)
	if err != nil {
		return err
	}
	if row.Refuses(name) {
		return fmt.Errorf("raising event %q for instance %q: %w: its code takes no more of them now (maxWaitingEvents)", name, id, taskhub.ErrBacklog)
	}
	e := &history.Event{Type: history.EventRaised, ID: history.NoID, Timestamp: c.now(), Name: name, Input: data}
	ctx, ended := c.observeRaise(ctx, id, e)
	err = c.tell(ctx, row, messageID, e)
	ended(err)
	if err != nil {
		return fmt.Errorf("raising event %q for instance %q: %w", name, id, err)
	}
	return nil
}

// current is what a raise needs of the row of an instance that has not finished: the
// worker of this process knows it while it works on the instance and holds a wake-up.
func (c *Client) current(ctx context.Context, id string) (*taskhub.Instance, error) {
	if c.o.Local != nil {
		if origin, name, ok := c.o.Local.Current(id); ok {
			return &taskhub.Instance{ID: id, ExecutionID: origin, Origin: origin, Name: name}, nil
		}
	}
	return c.unfinished(ctx, id, "raise an event for")
}

// TerminateOptions say what else ends with an instance.
type TerminateOptions struct {
	// Children ends the unfinished children, too, and theirs.
	Children bool
}

// Terminate asks for the end of an instance that has not finished, whatever its
// code does. The reason becomes its output.
func (c *Client) Terminate(ctx context.Context, id, reason string, o TerminateOptions) error {
	row, err := c.unfinished(ctx, id, "terminate")
	if err != nil {
		return err
	}
	return c.terminate(ctx, row, reason, o)
}

func (c *Client) terminate(ctx context.Context, row *taskhub.Instance, reason string, o TerminateOptions) error {
	e := &history.Event{Type: history.ExecutionTerminated, Input: history.ReasonText(reason)}
	if o.Children {
		e.Own.Options = history.Payload(taskhub.TerminateChildren)
	}
	return c.control(ctx, row, e)
}

// Suspend asks an instance to stop running its code until it is resumed.
func (c *Client) Suspend(ctx context.Context, id, reason string) error {
	row, err := c.unfinished(ctx, id, "suspend")
	if err != nil {
		return err
	}
	if row.Shown() == history.Suspended {
		return stateError(row, "suspend", ErrSuspended)
	}
	return c.control(ctx, row, &history.Event{Type: history.ExecutionSuspended, Reason: history.ReasonText(reason)})
}

// Resume lets a suspended instance go on. One that is parked is tried again at
// once, with the code that is there now.
func (c *Client) Resume(ctx context.Context, id, reason string) error {
	row, err := c.unfinished(ctx, id, "resume")
	if err != nil {
		return err
	}
	if row.Shown() != history.Suspended {
		return stateError(row, "resume", ErrNotSuspended)
	}
	return c.control(ctx, row, &history.Event{Type: history.ExecutionResumed, Reason: history.ReasonText(reason)})
}

// unfinished reads an instance for an operation on what has not finished.
func (c *Client) unfinished(ctx context.Context, id, operation string) (*taskhub.Instance, error) {
	row, err := c.store.Instance(ctx, id)
	if err != nil {
		return nil, err
	}
	ended, err := c.ended(ctx, row)
	if err != nil {
		return nil, err
	}
	if ended {
		return nil, stateError(row, operation, ErrFinished)
	}
	return row, nil
}

// control tells what is meant for the execution that the row speaks of, and for those
// that continue it, but not for one that replaces it.
func (c *Client) control(ctx context.Context, row *taskhub.Instance, e *history.Event) error {
	e.ID, e.Timestamp = history.NoID, c.now()
	if err := c.checkPayload("the reason", append(e.Input, e.Reason...)); err != nil {
		return err
	}
	if err := c.tell(ctx, row, taskhub.NewGUID(), e); err != nil {
		return fmt.Errorf("sending %s to instance %q: %w", e.Type, row.ID, err)
	}
	return nil
}
