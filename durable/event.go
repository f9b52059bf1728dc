package durable

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

func checkEvent(name string) error { return history.CheckName("an event", name) }

// WaitForEvent waits for an external event: a client, or another orchestration,
// raises it by the instance id and the name, which is compared without case.
// Events that came before anybody waited are kept, and taken in the order in
// which they came. Of several waits for a name the newest gets the event. Data
// that is a JSON string with the text of a JSON value in it, as "func durable
// raise-event" sends it, is that value where a string is no T.
//
// A wait that has lost a race (Select, Any, FirstError or AsCompleted went on
// without it) takes no event as long as nothing waits for it: the event is kept
// for the next wait, which may be the same task, in a further Select or by
// Await. Task.Cancel ends a wait for good. With WithTimeout the task fails with
// ErrTimeout when no event comes in time.
func WaitForEvent[T any](ctx *Context, name string, options ...EventOption) *Task[T] {
	var o callOptions
	for _, option := range options {
		option.event(&o)
	}
	of := source{eventWait, name}
	if err := errors.Join(checkEvent(name), o.check()); err != nil {
		return failedTask[T](ctx, of, err)
	}
	if o.timed {
		return newTask[T](ctx, of, ctx.rt.WaitEventUntil(name, ctx.Now().Add(o.timeout)))
	}
	return newTask[T](ctx, of, ctx.rt.WaitEvent(name))
}

// EventChannel receives the events of a name one after the other.
type EventChannel[T any] struct {
	ctx  *Context
	name string
}

// Events returns a channel of the events of a name. It is cheap, and keeps
// nothing: what nobody has received stays with the orchestration.
func Events[T any](ctx *Context, name string) *EventChannel[T] {
	ctx.rt.Check()
	return &EventChannel[T]{ctx: ctx, name: name}
}

// Receive waits for the next event.
func (c *EventChannel[T]) Receive(options ...EventOption) (T, error) {
	return WaitForEvent[T](c.ctx, c.name, options...).Await()
}

// TryReceive takes the next event if there is one already; ok is false when
// there is none.
func (c *EventChannel[T]) TryReceive() (v T, ok bool, err error) {
	c.ctx.rt.Check()
	if err := checkEvent(c.name); err != nil {
		return v, false, err
	}
	var p history.Payload
	if p, ok = c.ctx.rt.TakeEvent(c.name); !ok {
		return v, false, nil
	}
	c.ctx.rt.Outside(func() { err = c.ctx.registry.decodeSent(p, &v) })
	if err != nil {
		err = fmt.Errorf("the event %q is no %v: %w", c.name, reflect.TypeFor[T](), err)
	}
	return v, true, err
}

// SendEvent raises an event for another orchestration, which gets it once, and
// after the events that this one has sent to it before. Nobody learns whether
// there is one; the error means that an argument is wrong.
func (c *Context) SendEvent(instanceID, name string, data any) error {
	c.rt.Check()
	if err := errors.Join(checkEvent(name), history.CheckInstanceID(instanceID)); err != nil {
		return err
	}
	p, err := c.encode(data)
	if err != nil {
		return fmt.Errorf("data of event %q: %w", name, err)
	}
	if err := c.registry.fits(p); err != nil {
		return fmt.Errorf("data of event %q: %w: %w", name, ErrTooLarge, err)
	}
	return c.rt.SendEvent(instanceID, name, p)
}

// ContinueAsNew ends the execution and begins the orchestrator again with
// another input and an empty history, under the same instance id: the way to
// run forever. Its error is what the orchestrator must return, beside any result:
//
//	return "", ctx.ContinueAsNew(next)
//
// An orchestrator that calls it and returns no error fails, whether the input was
// accepted or not. The input must be of the orchestrator's input type, or nil where
// that is [None], which is checked at run time: [Orchestrator.ContinueAsNew] has it
// checked by the compiler.
// External events that nothing has waited for are kept (see
// [WithoutPendingEvents]); calls that are still open are not.
func (c *Context) ContinueAsNew(in any, options ...ContinueOption) error {
	c.rt.Check()
	c.continues = continuesNot
	next := &engine.ContinueAsNew{}
	err := c.fits(in)
	if err == nil {
		next.Input, err = c.encode(in)
	}
	if err != nil {
		err = fmt.Errorf("ContinueAsNew was called with an input that it refuses: %w", err)
		c.continues = err.Error()
		return NonRetryable(err)
	}
	for _, option := range options {
		option.next(next)
	}
	return next
}

// ContinueAsNew is [Context.ContinueAsNew] for a return statement by itself, with the
// type of the orchestrator's result:
//
//	return durable.ContinueAsNew[string](ctx, next)
func ContinueAsNew[Out any](ctx *Context, in any, options ...ContinueOption) (out Out, err error) {
	return out, ctx.ContinueAsNew(in, options...)
}

// ContinueAsNew ends the execution of an orchestrator within its code, and begins
// it again with another input: see [Context.ContinueAsNew]. Return what it
// returns:
//
//	return Janitor.ContinueAsNew(ctx, next)
//
// Go allows no variable whose initial value refers to it, so an orchestrator that
// names itself is made by [DeclareOrchestrator]. That of another orchestrator fails.
func (o *Orchestrator[In, Out]) ContinueAsNew(ctx *Context, in In, options ...ContinueOption) (out Out, err error) {
	ctx.rt.Check()
	if !strings.EqualFold(ctx.Name(), o.name) {
		err = fmt.Errorf("an orchestration of %q cannot continue as orchestrator %q", ctx.Name(), o.name)
		ctx.continues = err.Error()
		return out, NonRetryable(err)
	}
	return out, ctx.ContinueAsNew(in, options...)
}

// fits checks that a value is of the type of the orchestrator's input.
func (c *Context) fits(in any) error {
	given, wanted := typeOf(in), c.registry.orchestrators[strings.ToLower(c.Name())].in
	switch {
	case given != nil && given.AssignableTo(wanted), given == nil && (nilable(wanted) || wanted == reflect.TypeFor[None]()):
		return nil
	case given == nil:
		return fmt.Errorf("it is nil, and the orchestrator's input is a %v", wanted)
	}
	return fmt.Errorf("it is a %T, and the orchestrator's input is a %v", in, wanted)
}
