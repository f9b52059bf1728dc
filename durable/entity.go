package durable

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/durable-go/functions/internal/entity"
	"github.com/durable-go/functions/internal/history"
)

// Entity is a kind of small, addressable state with operations: a counter, an
// account, a device. Each key names an entity of its own, which exists once an
// operation has left it a state. One operation runs at a time for an entity.
//
// An operation that fails or panics changes nothing: its change of the state and what
// it has signalled and started are undone. Each request counts once, and those of one
// sender in the order in which it made them. An operation may run again where a process
// has died before its effect was stored, so what it does outside of the entity should
// be idempotent (see EntityContext.RequestID).
type Entity[S any] struct {
	name       string
	options    entityOptions
	initial    func(key string) S
	operations map[string]operation[S]
	// registered reports whether an app knows the operations: no more can be added then.
	registered atomic.Bool
	errs       []error
}

// operation is one operation of an entity. run changes the state; a view does not.
type operation[S any] struct {
	name string
	view bool
	run  func(r *registry, s *S, ctx *EntityContext, input history.Payload) (history.Payload, error)
}

// EntityOption changes how an entity works.
type EntityOption interface{ entity(*entityOptions) }

type entityOptions struct {
	initial  any
	maxState int
	batch    int
	timeout  time.Duration
}

// WithInitialState makes the state of an entity that does not exist yet. By default
// that is the zero value. S must be the type of the entity's state.
func WithInitialState[S any](make func(key string) S) EntityOption {
	return initialOption{make}
}

type initialOption struct{ make any }

func (o initialOption) entity(e *entityOptions) { e.initial = o.make }

// WithMaxState bounds the state of an entity, in bytes of its JSON: an operation that
// would leave a larger one fails with ErrTooLarge, and changes nothing. The default is
// maxPayload in extensions.durableTask of host.json, 10 MiB.
func WithMaxState(bytes int) EntityOption { return maxStateOption(bytes) }

type maxStateOption int

func (o maxStateOption) entity(e *entityOptions) { e.maxState = int(o) }

// WithMaxBatch bounds how many operations of an entity are stored together. By default
// as many as fit one transaction, some 90.
func WithMaxBatch(operations int) EntityOption { return maxBatchOption(operations) }

type maxBatchOption int

func (o maxBatchOption) entity(e *entityOptions) { e.batch = int(o) }

// WithOperationTimeout ends the context of an operation that takes longer.
func WithOperationTimeout(d time.Duration) EntityOption { return operationTimeoutOption(d) }

type operationTimeoutOption time.Duration

func (o operationTimeoutOption) entity(e *entityOptions) { e.timeout = time.Duration(o) }

// NewEntity makes a kind of entity with the given state. The name is compared without
// case; it has no @. The state is stored as JSON (or what the app's Serializer makes);
// an entity whose state is null does not exist. Give it its operations with
// NewOperation, NewCommand and NewView, and register it with App.Register.
func NewEntity[S any](name string, options ...EntityOption) *Entity[S] {
	e := &Entity[S]{name: name, operations: map[string]operation[S]{}}
	for _, o := range options {
		o.entity(&e.options)
	}
	if made, ok := e.options.initial.(func(string) S); ok {
		e.initial = made
	} else if e.options.initial != nil {
		e.errs = append(e.errs, fmt.Errorf("entity %q: WithInitialState makes a %T, and the state is a %T", name, e.options.initial, *new(S)))
	}
	if e.options.maxState < 0 || e.options.batch < 0 || e.options.timeout < 0 {
		e.errs = append(e.errs, fmt.Errorf("entity %q: an option is below 0", name))
	}
	return e
}

// Name is the name of the kind of entity.
func (e *Entity[S]) Name() string { return e.name }

// ID names the entity of a key. Keys are compared as they are, and may be empty.
func (e *Entity[S]) ID(key string) EntityID { return EntityID{Name: e.name, Key: key} }

// EntityID names an entity. Names are compared without case, keys as they are.
type EntityID struct{ Name, Key string }

// String is the form that tools show: @name@key, with the name in lower case.
func (id EntityID) String() string { return id.internal().String() }

func (id EntityID) internal() history.EntityID { return history.NewEntityID(id.Name, id.Key) }

// ParseEntityID reads the form @name@key.
func ParseEntityID(text string) (EntityID, error) {
	id, err := history.ParseEntityID(text)
	return EntityID{Name: id.Name, Key: id.Key}, err
}

func (e *Entity[S]) add(o operation[S]) {
	key := strings.ToLower(o.name)
	_, twice := e.operations[key]
	switch err := history.CheckName("an operation", o.name); {
	case err != nil:
		e.errs = append(e.errs, fmt.Errorf("entity %q: %w", e.name, err))
	case twice:
		e.errs = append(e.errs, fmt.Errorf("operation %q of entity %q is made twice (names are compared without case)", o.name, e.name))
	case e.registered.Load():
		panic(fmt.Sprintf("durable: operation %q of entity %q is made after the entity was registered", o.name, e.name))
	}
	e.operations[key] = o
}

func (e *Entity[S]) register(r *registry) error {
	if err := errors.Join(e.errs...); err != nil {
		return err
	}
	e.registered.Store(true)
	return r.addEntity(e.name, &entity.Code{
		Run:      func(ctx context.Context, op *entity.Operation) *entity.Outcome { return e.run(ctx, r, op) },
		MaxState: e.options.maxState, MaxBatch: e.options.batch, Timeout: e.options.timeout,
	})
}

// run runs an operation. Whatever the user's code does, it returns an outcome.
func (e *Entity[S]) run(ctx context.Context, r *registry, op *entity.Operation) (out *entity.Outcome) {
	defer func() {
		if p := recover(); p != nil {
			out = &entity.Outcome{Failure: panicDetails(p)}
		}
	}()
	o, known := e.operations[strings.ToLower(op.Name)]
	if !known {
		if strings.EqualFold(op.Name, deleteOperation) {
			return &entity.Outcome{}
		}
		return &entity.Outcome{Failure: e.unknown(op.Name)}
	}
	s, err := e.state(r, op, o.view)
	if err != nil {
		return &entity.Outcome{Failure: failureDetails(fmt.Errorf("the state of entity %s is no %v: %w", op.Entity, reflect.TypeFor[S](), err))}
	}
	ec := &EntityContext{Context: ctx, op: op, registry: r}
	result, err := o.run(r, s, ec, op.Input)
	if err != nil {
		return &entity.Outcome{Failure: failureDetails(err)}
	}
	return e.outcome(r, ec, s, result, o.view)
}

// deleteOperation is an operation that every entity has, unless it has its own of the
// name: it deletes the state.
const deleteOperation = "delete"

func (e *Entity[S]) unknown(name string) *history.FailureDetails {
	known := make([]string, 0, len(e.operations))
	for _, key := range slices.Sorted(maps.Keys(e.operations)) {
		known = append(known, e.operations[key].name)
	}
	return &history.FailureDetails{
		ErrorType: entity.UnknownOperation, NonRetriable: true,
		ErrorMessage: fmt.Sprintf("entity '%s' has no operation '%s'; it has '%s'", e.name, name, strings.Join(known, "', '")),
	}
}

// state is what the operation works on. A view gets a copy of its own.
func (e *Entity[S]) state(r *registry, op *entity.Operation, view bool) (*S, error) {
	if s, ok := op.Decoded.(*S); ok && !view {
		return s, nil
	}
	return e.decode(r, op.Entity.Key, op.State)
}

func (e *Entity[S]) decode(r *registry, key string, state history.Payload) (*S, error) {
	s := new(S)
	switch {
	case state != nil:
		return s, r.decode(state, s)
	case e.initial != nil:
		*s = e.initial(key)
	}
	return s, nil
}

// outcome is what an operation that ended well has done.
func (e *Entity[S]) outcome(r *registry, ctx *EntityContext, s *S, result history.Payload, view bool) *entity.Outcome {
	out := &entity.Outcome{Result: result, Signals: ctx.signals, Starts: ctx.starts}
	switch {
	case view:
		out.State, out.Decoded = ctx.op.State, ctx.op.Decoded
	case !ctx.deleted:
		state, err := r.encode(*s)
		if err != nil {
			return &entity.Outcome{Failure: failureDetails(NonRetryable(fmt.Errorf("the state of entity %s cannot be stored: %w", ctx.op.Entity, err)))}
		}
		out.State, out.Decoded = state, s
	}
	return out
}

// EntityContext is what an operation may use beside the state. It is a context.Context,
// which ends when the process stops and with WithOperationTimeout: an operation may do
// I/O. It is for the goroutine of the operation.
type EntityContext struct {
	context.Context
	op       *entity.Operation
	registry *registry
	deleted  bool
	signals  []entity.Signal
	starts   []entity.Start
}

// ID names the entity.
func (c *EntityContext) ID() EntityID {
	return EntityID{Name: c.op.Entity.Name, Key: c.op.Entity.Key}
}

// Key is the key of the entity.
func (c *EntityContext) Key() string { return c.op.Entity.Key }

// Operation is the name by which the operation was asked for.
func (c *EntityContext) Operation() string { return c.op.Name }

// RequestID is the same for every run of this request, also after a crash, and differs
// from that of every other one.
func (c *EntityContext) RequestID() string { return c.op.Request }

// Caller is the instance id of the orchestration that asks; empty for clients and
// other entities.
func (c *EntityContext) Caller() string { return c.op.Caller }

// Exists reports whether the entity had a state before the operation.
func (c *EntityContext) Exists() bool { return c.op.State != nil }

// Now is the time of the operation, in UTC.
func (c *EntityContext) Now() time.Time { return c.op.Now }

// Delete deletes the entity when the operation ends well: a later operation begins
// anew.
func (c *EntityContext) Delete() { c.deleted = true }
