package durable

import (
	"context"
	"errors"
	"fmt"

	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

// SideEffect runs f once and records what it returns; replays get the recorded
// value. It is for small things that are not the same each time and cannot
// fail, such as a random number or the value of a setting. f runs as part of
// the orchestrator, so it must not block for long and must not use the Context;
// it runs again when the process ends before its value is stored, but nothing
// has depended on the first value then. A value that is no JSON fails the
// orchestration. For anything that may fail use a Step or an activity.
func SideEffect[T any](ctx *Context, f func() T) T {
	var value T
	made := false
	p, err := ctx.rt.SideEffect(
		func() { value, made = f(), true },
		func() (history.Payload, error) {
			p, err := ctx.registry.encode(value)
			return p, errors.Join(err, ctx.registry.fits(p))
		},
	)
	if err == nil && !made {
		ctx.rt.Outside(func() { value, err = decode[T](ctx.registry, p) })
	}
	if err != nil {
		panic(engine.Misuse(fmt.Sprintf("the value of a SideEffect cannot be stored: %v", err)))
	}
	return value
}

// Patched guards a change of an orchestrator that has instances in flight. It
// is true for executions that come to this point for the first time with the
// changed code, and false for those that had passed it with the old code; for
// each execution it stays what it was. The name is recorded: 1 to 256 bytes without
// control characters; another one fails the orchestration.
//
//	if durable.Patched(ctx, "mail-after-payment") {
//		// new code
//	} else {
//		// old code, until the last old instance has ended
//	}
func Patched(ctx *Context, name string) bool {
	ctx.rt.Check()
	if err := history.CheckName("a patch", name); err != nil {
		panic(engine.Misuse(err.Error()))
	}
	return ctx.rt.Patched(name)
}

// Step runs a function of the orchestrator's own code as an activity: it may do
// what activities may do, runs at least once, and its result is recorded. It
// always runs in the process that works on the orchestration. Its context
// carries [CallInfo]. f must not use the Context.
func Step[T any](ctx *Context, name string, f func(ctx context.Context) (T, error), options ...ActivityOption) *Task[T] {
	return runStep(ctx, name, f, activityOptions(options))
}

func runStep[T any](ctx *Context, name string, f func(ctx context.Context) (T, error), o *callOptions) *Task[T] {
	call := source{activityCall, name}
	if o.bounded {
		return callWithin(ctx, call, o, func(o *callOptions) *Task[T] { return runStep(ctx, name, f, o) })
	}
	return ctx.rt.Ask(func(a engine.Asker) any {
		return newTask[T](ctx, call, askStep(a, ctx, call, f, o))
	}).(*Task[T])
}

// askStep asks for a step, outside the coroutine.
func askStep[T any](a engine.Asker, ctx *Context, call source, f func(ctx context.Context) (T, error), o *callOptions) *engine.Task {
	err := o.check()
	if err == nil && o.timed && o.timeout <= 0 {
		err = overdue(call, ctx.rt.InstanceID(), o.timeout, context.DeadlineExceeded)
	}
	if err == nil && !functionNames.MatchString(call.name) {
		err = fmt.Errorf("%q is not a name for a step: a letter, then letters, digits, _ and -", call.name)
	}
	if err != nil {
		return a.Failed(err)
	}
	o = o.withDefaults(ctx.registry)
	step := NewActivity(call.name, func(ctx context.Context, _ None) (T, error) { return f(ctx) })
	instance, registry := ctx.rt.InstanceID(), ctx.registry
	run := func(ctx context.Context, action *history.Event, key string) (history.Payload, *history.FailureDetails) {
		return step.call(ctx, registry, &activity.Call{
			Name: call.name, InstanceID: instance, TaskID: action.ID, Options: action.Own.Options, Tags: action.Tags, IdempotencyKey: key,
		})
	}
	return a.CallActivity(&engine.Call{
		Name: engine.StepPrefix + call.name, Tags: o.tags, Options: o.record(), Retry: o.policy(ctx, call), Step: run,
	})
}
