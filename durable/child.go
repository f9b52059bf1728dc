package durable

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

func typeOf(v any) reflect.Type { return reflect.TypeOf(v) }

// nilable reports whether nil is a value of the type.
func nilable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface, reflect.Pointer, reflect.Map, reflect.Slice:
		return true
	}
	return false
}

// Call starts the orchestrator as a child, a sub-orchestration. It does not
// wait: see Task.Await. The failure of the child is a *TaskError. A child that
// nobody awaits starts all the same, and outlives the orchestration.
func (o *Orchestrator[In, Out]) Call(ctx *Context, in In, options ...ChildOption) *Task[Out] {
	return callChild[In, Out](ctx, o.name, in, childOptions(options))
}

// CallOrchestrator starts a child by name: one whose code lives elsewhere.
func CallOrchestrator[Out any](ctx *Context, name string, in any, options ...ChildOption) *Task[Out] {
	return callChild[any, Out](ctx, name, in, childOptions(options))
}

func callChild[In, Out any](ctx *Context, name string, in In, o *callOptions) *Task[Out] {
	call := source{childCall, name}
	if o.bounded {
		return callWithin(ctx, call, o, func(o *callOptions) *Task[Out] { return callChild[In, Out](ctx, name, in, o) })
	}
	return ctx.rt.Ask(func(a engine.Asker) any {
		child, err := newChild(ctx, call, in, o)
		if err != nil {
			return newTask[Out](ctx, call, a.Failed(err))
		}
		return newTask[Out](ctx, call, a.CallChild(child))
	}).(*Task[Out])
}

// StartDetached starts the orchestrator on its own: it is nobody's child, and
// its end is not waited for. It returns the instance id; the error means that an
// argument is wrong. A retry policy and a total timeout mean nothing here.
func (o *Orchestrator[In, Out]) StartDetached(ctx *Context, in In, options ...ChildOption) (string, error) {
	var child *engine.Child
	var err error
	ctx.rt.Outside(func() { child, err = newChild(ctx, source{childCall, o.name}, in, childOptions(options)) })
	if err != nil {
		return "", err
	}
	return ctx.rt.StartDetached(child)
}

func childOptions(options []ChildOption) *callOptions {
	if len(options) == 0 {
		return &noOptions
	}
	o := &callOptions{}
	for _, option := range options {
		option.child(o)
	}
	return o
}

// newChild makes the call, outside the coroutine.
func newChild(ctx *Context, call source, in any, o *callOptions) (*engine.Child, error) {
	err := o.check()
	if o.instanceID != "" {
		err = errors.Join(err, history.CheckInstanceID(o.instanceID))
	}
	if err != nil {
		return nil, fmt.Errorf("%v: %w", call, err)
	}
	input, err := ctx.registry.encode(in)
	if err != nil {
		return nil, fmt.Errorf("input of %v: %w", call, err)
	}
	c := &engine.Child{Name: call.name, Version: ctx.registry.versions.current, InstanceID: o.instanceID, Input: input, Tags: o.tags, Retry: o.policy(ctx, call)}
	if o.version != nil {
		c.Version = *o.version
	}
	return c, nil
}
