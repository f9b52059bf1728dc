package durable

import "context"

// Event is an external event whose data is a T: what is said once about it, and
// used by those who wait for it and by those who raise it.
//
//	var Decided = durable.NewEvent[Decision]("Decided")
type Event[T any] struct{ name string }

// NewEvent names an event. The name is compared without case.
func NewEvent[T any](name string) *Event[T] { return &Event[T]{name} }

// Name is the name of the event.
func (e *Event[T]) Name() string { return e.name }

// Wait waits for the event: see [WaitForEvent].
func (e *Event[T]) Wait(ctx *Context, options ...EventOption) *Task[T] {
	return WaitForEvent[T](ctx, e.name, options...)
}

// Channel is a channel of the event: see [Events].
func (e *Event[T]) Channel(ctx *Context) *EventChannel[T] { return Events[T](ctx, e.name) }

// Raise sends the event to an instance: see [Client.RaiseEvent].
func (e *Event[T]) Raise(ctx context.Context, c *Client, instanceID string, data T) error {
	return c.RaiseEvent(ctx, instanceID, e.name, data)
}

// Send sends the event from one orchestration to another: see [Context.SendEvent].
func (e *Event[T]) Send(ctx *Context, instanceID string, data T) error {
	return ctx.SendEvent(instanceID, e.name, data)
}
