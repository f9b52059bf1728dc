package durable

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/entity"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Operation is an operation of an entity that takes an In and gives an Out.
type Operation[In, Out any] struct{ entity, name string }

// NewOperation makes an operation of a method of the state, mostly a method
// expression: (*Account).Deposit. The method may change the state; an error undoes
// that. The name is compared without case.
func NewOperation[S, In, Out any](e *Entity[S], name string, method func(state *S, ctx *EntityContext, in In) (Out, error)) *Operation[In, Out] {
	e.add(operation[S]{name: name, run: func(r *registry, s *S, ctx *EntityContext, input history.Payload) (history.Payload, error) {
		in, err := operationInput[In](r, input)
		if err != nil {
			return nil, err
		}
		out, err := method(s, ctx, in)
		return operationResult(r, out, err)
	}})
	return &Operation[In, Out]{entity: e.name, name: name}
}

// NewCommand makes an operation that has no result.
func NewCommand[S, In any](e *Entity[S], name string, method func(state *S, ctx *EntityContext, in In) error) *Operation[In, None] {
	return NewOperation(e, name, func(s *S, ctx *EntityContext, in In) (None, error) { return None{}, method(s, ctx, in) })
}

// View is an operation that reads the state and changes nothing.
type View[S, In, Out any] struct {
	of     *Entity[S]
	name   string
	method func(S, In) (Out, error)
}

// NewView makes a view of a method of the state, mostly a method expression:
// Account.Read. The method gets a copy of the state.
func NewView[S, In, Out any](e *Entity[S], name string, method func(state S, in In) (Out, error)) *View[S, In, Out] {
	e.add(operation[S]{name: name, view: true, run: func(r *registry, s *S, _ *EntityContext, input history.Payload) (history.Payload, error) {
		in, err := operationInput[In](r, input)
		if err != nil {
			return nil, err
		}
		out, err := method(*s, in)
		return operationResult(r, out, err)
	}})
	return &View[S, In, Out]{of: e, name: name, method: method}
}

func operationInput[In any](r *registry, input history.Payload) (in In, err error) {
	if err := r.decodeSent(input, &in); err != nil {
		return in, &badPayload{kind: "InvalidInput", text: fmt.Sprintf("the input is no %v: %v", reflect.TypeFor[In](), err)}
	}
	return in, nil
}

func operationResult[Out any](r *registry, out Out, err error) (history.Payload, error) {
	if err != nil {
		return nil, err
	}
	result, err := r.encode(out)
	if err != nil {
		return nil, unstorable(err)
	}
	return result, nil
}

// Call asks for the operation, from an orchestrator. It does not wait: see Task.Await.
// The failure of the operation is a *TaskError.
func (o *Operation[In, Out]) Call(ctx *Context, key string, in In, options ...EntityCallOption) *Task[Out] {
	return CallEntity[Out](ctx, EntityID{o.entity, key}, o.name, in, options...)
}

// Call asks for the view, from an orchestrator: it runs after what was asked of the
// entity before.
func (v *View[S, In, Out]) Call(ctx *Context, key string, in In, options ...EntityCallOption) *Task[Out] {
	return CallEntity[Out](ctx, EntityID{v.of.name, key}, v.name, in, options...)
}

// Signal asks for the operation one way, from an orchestrator or from an operation of an
// entity. Nobody learns what becomes of it; one that fails is logged. The error says
// that an argument is wrong.
func (o *Operation[In, Out]) Signal(ctx Sender, key string, in In, options ...SignalOption) error {
	return SignalEntity(ctx, EntityID{o.entity, key}, o.name, in, options...)
}

// CallEntity calls an operation of an entity by name: one whose code lives elsewhere. An
// entity or an operation that the app does not know fails, with an error that names the
// known ones.
func CallEntity[Out any](ctx *Context, id EntityID, operation string, in any, options ...EntityCallOption) *Task[Out] {
	var o callOptions
	for _, option := range options {
		option.entityCall(&o)
	}
	return ctx.rt.Ask(func(a engine.Asker) any {
		of := source{entityCall, entitySource(id, operation)}
		input, err := ctx.registry.encode(in)
		if err == nil {
			err = ctx.registry.fits(input)
		}
		if err == nil {
			err = o.check()
		}
		if err == nil && o.timed && o.timeout <= 0 {
			err = ErrTimeout
		}
		if err != nil {
			return newTask[Out](ctx, of, a.Failed(fmt.Errorf("%v: %w", of, err)))
		}
		return newTask[Out](ctx, of, a.CallEntity(&engine.EntityCall{
			Entity: id.internal(), Operation: operation, Input: input, Retry: o.policy(ctx, of), Timeout: o.timeout,
		}))
	}).(*Task[Out])
}

// EntityCallOption changes how an operation of an entity is called.
type EntityCallOption interface{ entityCall(*callOptions) }

// SignalOption changes how an entity is signalled.
type SignalOption interface{ signal(*signalOptions) }

type signalOptions struct {
	due     time.Time
	request string
}

func signalOptionsOf(options []SignalOption) (o signalOptions) {
	for _, option := range options {
		option.signal(&o)
	}
	return o
}

// WithDeliverAt delays a signal: the operation does not run before that time. A delayed
// signal keeps no order with others.
func WithDeliverAt(t time.Time) SignalOption { return deliverAtOption(t) }

type deliverAtOption time.Time

func (o deliverAtOption) signal(s *signalOptions) { s.due = time.Time(o).UTC() }

// Sender is what may signal an entity: the *Context of an orchestrator and the
// *EntityContext of an operation. A client has Operation.Send.
type Sender interface {
	signalEntity(id EntityID, operation string, in any, o signalOptions) error
}

// SignalEntity signals an entity by name. See Operation.Signal.
func SignalEntity(ctx Sender, id EntityID, operation string, in any, options ...SignalOption) error {
	return ctx.signalEntity(id, operation, in, signalOptionsOf(options))
}

func (c *Context) signalEntity(id EntityID, operation string, in any, o signalOptions) error {
	c.rt.Check()
	p, err := c.encode(in)
	if err == nil {
		err = c.registry.fits(p)
	}
	if err != nil {
		return fmt.Errorf("input of a signal to %v: %w", id, err)
	}
	err = c.rt.SignalEntity(id.internal(), operation, p, o.due)
	return source{entityCall, entitySource(id, operation)}.failed(err, c.rt.InstanceID())
}

func (c *EntityContext) signalEntity(id EntityID, operation string, in any, o signalOptions) error {
	to := id.internal()
	if err := to.Check(); err != nil {
		return err
	}
	if err := history.CheckName("an operation", operation); err != nil {
		return err
	}
	p, err := c.payload(in, "a signal to "+id.String())
	if err != nil {
		return err
	}
	c.signals = append(c.signals, entity.Signal{Entity: to, Operation: operation, Input: p, Due: o.due})
	return nil
}

// payload is the input of what the operation asks for.
func (c *EntityContext) payload(in any, of string) (history.Payload, error) {
	p, err := c.registry.encode(in)
	if err != nil {
		return nil, fmt.Errorf("input of %s: %w", of, err)
	}
	if err := c.registry.fits(p); err != nil {
		return nil, &badPayload{kind: entity.TooLarge, text: fmt.Sprintf("input of %s: %v", of, err)}
	}
	return p, nil
}

// StartFrom starts the orchestrator from an operation of an entity. It starts when the
// operation ends well; the entity does not wait for it. It returns the instance id,
// which is the same when a crash repeats the operation. An unfinished instance that has
// the id of WithInstanceID already is left alone, and logged.
func (o *Orchestrator[In, Out]) StartFrom(ctx *EntityContext, in In, options ...ChildOption) (string, error) {
	return ctx.StartOrchestration(o.name, in, options...)
}

// StartOrchestration starts an orchestrator by name. See Orchestrator.StartFrom.
func (c *EntityContext) StartOrchestration(orchestrator string, in any, options ...ChildOption) (string, error) {
	var o callOptions
	for _, option := range options {
		option.child(&o)
	}
	s := entity.Start{Name: orchestrator, Version: c.registry.versions.current, InstanceID: o.instanceID, Tags: o.tags}
	if o.version != nil {
		s.Version = *o.version
	}
	if s.InstanceID == "" {
		s.InstanceID = taskhub.DerivedID("entity start", c.op.Entity.String(), c.op.Request, fmt.Sprint(len(c.starts)))
	}
	if err := history.CheckInstanceID(s.InstanceID); err != nil {
		return "", err
	}
	if err := history.CheckStart("an orchestrator", s.Name, s.Version, s.Tags); err != nil {
		return "", err
	}
	p, err := c.payload(in, fmt.Sprintf("orchestrator %q", orchestrator))
	if err != nil {
		return "", err
	}
	s.Input = p
	c.starts = append(c.starts, s)
	return s.InstanceID, nil
}

// Logger logs with the id of the entity and the name of the operation.
func (c *EntityContext) Logger() *slog.Logger {
	return slog.Default().With("entity", c.op.Entity.String(), "operation", c.op.Name)
}

var _ context.Context = (*EntityContext)(nil)

// Critical runs f in a critical section: it holds the locks of the entities, so that
// nothing else runs on them, and gives them back however f ends. Locks are taken in the
// order of the ids, whatever the order of the arguments, so that two critical sections
// never wait for each other. An orchestration that ends in any way, also by terminate,
// gives its locks back.
//
// Within f the orchestration may call only entities that it has locked, and each of them
// once at a time; it must not signal them, start children or enter another critical
// section. Such a call fails with ErrLockingRules, and f goes on.
func Critical[T any](ctx *Context, f func() (T, error), entities ...EntityID) (out T, err error) {
	ids := make([]history.EntityID, len(entities))
	for i, id := range entities {
		ids[i] = id.internal()
	}
	if _, err := newTask[None](ctx, source{entityCall, entitySource(EntityID{}, "lock")}, ctx.rt.Lock(ids)).Await(); err != nil {
		return out, err
	}
	defer ctx.rt.Unlock()
	return f()
}

// LockedEntities are those whose locks the orchestration holds, in the order of their
// ids; nil outside of a critical section.
func (c *Context) LockedEntities() (out []EntityID) {
	for _, id := range c.rt.Locked() {
		out = append(out, EntityID{Name: id.Name, Key: id.Key})
	}
	return out
}
