package durable

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/worker"
)

// Activity is a function that an orchestrator calls: one that takes an In,
// returns an Out, and may do whatever Go code can do.
//
// An activity runs at least once: after a crash it may run again although it
// had done its work, so what it does should be idempotent (see Info). Its input
// and its result are stored as JSON (see App.UseSerializer), of at most 10 MiB
// each (maxPayload in extensions.durableTask of host.json).
type Activity[In, Out any] struct {
	name string
	run  func(context.Context, In) (Out, error)
}

// NewActivity makes an activity of a function. The name is what histories
// record; it is compared without case.
func NewActivity[In, Out any](name string, run func(ctx context.Context, in In) (Out, error)) *Activity[In, Out] {
	return &Activity[In, Out]{name: name, run: run}
}

// NewAction makes an activity that has no result.
func NewAction[In any](name string, run func(ctx context.Context, in In) error) *Activity[In, None] {
	return NewActivity(name, func(ctx context.Context, in In) (None, error) { return None{}, run(ctx, in) })
}

// DeclareActivity names an activity whose implementation is given later, with
// Implement: for implementations that need dependencies.
func DeclareActivity[In, Out any](name string) *Activity[In, Out] {
	return &Activity[In, Out]{name: name}
}

// Implement gives a declared activity its implementation. The result is for
// App.Register; the receiver is not changed.
func (a *Activity[In, Out]) Implement(run func(ctx context.Context, in In) (Out, error)) Registration {
	return &Activity[In, Out]{name: a.name, run: run}
}

// Name is the name that histories record.
func (a *Activity[In, Out]) Name() string { return a.name }

// Call asks for the activity to run. It does not wait: see Task.Await.
func (a *Activity[In, Out]) Call(ctx *Context, in In, options ...ActivityOption) *Task[Out] {
	return CallActivity[Out](ctx, a.name, in, options...)
}

// CallActivity calls an activity by name: one whose code lives elsewhere. An
// activity that no app of the task hub knows fails, with an error that names
// the known ones.
func CallActivity[Out any](ctx *Context, name string, in any, options ...ActivityOption) *Task[Out] {
	var o callOptions
	for _, option := range options {
		option.activity(&o)
	}
	return callActivity[Out](ctx, name, in, &o)
}

func callActivity[Out any](ctx *Context, name string, in any, o *callOptions) *Task[Out] {
	call := source{activityCall, name}
	if err := o.check(); err != nil {
		return failedTask[Out](ctx, call, err)
	}
	input, err := ctx.encode(in)
	if err != nil {
		return failedTask[Out](ctx, call, fmt.Errorf("input of %v: %w", call, err))
	}
	return newTask[Out](ctx, call, ctx.rt.CallActivity(&engine.Call{
		Name: name, Input: input, Tags: o.tags, Options: o.record(), Retry: o.policy(ctx, call),
	}))
}

func (a *Activity[In, Out]) register(r *registry) error {
	if a.run == nil {
		return fmt.Errorf("activity %q has no implementation: register the result of Implement", a.name)
	}
	return r.addActivity(a.name, func(ctx context.Context, call *worker.Activity) (history.Payload, *history.FailureDetails) {
		return a.call(ctx, r, call)
	})
}

// call runs the user's function. Whatever it does, the result is one of the
// two.
func (a *Activity[In, Out]) call(ctx context.Context, r *registry, call *worker.Activity) (result history.Payload, failure *history.FailureDetails) {
	defer func() {
		if p := recover(); p != nil {
			result, failure = nil, panicDetails(p)
		}
	}()
	in, err := decode[In](r, call.Input)
	if err != nil {
		return nil, &history.FailureDetails{ErrorType: "InvalidInput", ErrorMessage: fmt.Sprintf("the input is not a %T: %v", in, err), NonRetriable: true}
	}
	made := recordedOptions(call.Options)
	ctx, cancel := made.context(ctx)
	defer cancel()
	out, err := a.run(context.WithValue(ctx, infoKey{}, infoOf(call, made)), in)
	if err != nil {
		return nil, failureDetails(err)
	}
	if result, err = r.encode(out); err != nil {
		return nil, &history.FailureDetails{ErrorType: "InvalidResult", ErrorMessage: fmt.Sprintf("the result cannot be stored: %v", err), NonRetriable: true}
	}
	return result, nil
}

// Info is what an activity can know of its call.
type Info struct {
	// Activity is the name by which it was called.
	Activity string
	// InstanceID is the orchestration that called.
	InstanceID string
	// TaskID numbers the calls of the orchestration.
	TaskID int
	// Attempt is 1 for the first call under a retry policy, 2 for the first
	// retry. A run that a crash repeats has the same number.
	Attempt int
	// IdempotencyKey is the same for every run of this call, also after a
	// crash, and differs from that of every other call.
	IdempotencyKey string
}

type infoKey struct{}

func infoOf(call *worker.Activity, made recorded) Info {
	return Info{
		Activity: call.Name, InstanceID: call.InstanceID, TaskID: int(call.TaskID),
		Attempt: max(made.Attempt, 1), IdempotencyKey: call.IdempotencyKey,
	}
}

// recorded is what the history keeps with a call for the activity.
type recorded struct {
	// Attempt is kept from the second on.
	Attempt int `json:"attempt,omitempty"`
	// Timeout is in milliseconds.
	Timeout int64 `json:"timeout,omitempty"`
}

// record makes what is kept with an attempt; nil when that is nothing.
func (o *callOptions) record() func(attempt int) history.Payload {
	if o.retry == nil && !o.timed {
		return nil
	}
	timeout := (o.timeout + time.Millisecond - 1).Milliseconds()
	return func(attempt int) history.Payload {
		made := recorded{Timeout: timeout}
		if attempt > 1 {
			made.Attempt = attempt
		}
		if made == (recorded{}) {
			return nil
		}
		raw, _ := json.Marshal(made) // two numbers always encode
		return raw
	}
}

func recordedOptions(p history.Payload) (made recorded) {
	if p != nil {
		// What another version wrote there, this one does not need.
		_ = json.Unmarshal(p, &made)
	}
	return made
}

func (r recorded) context(ctx context.Context) (context.Context, context.CancelFunc) {
	if r.Timeout > 0 {
		return context.WithTimeout(ctx, time.Duration(r.Timeout)*time.Millisecond)
	}
	return ctx, func() {}
}

// ActivityInfo tells an activity about its call. The context must be the
// activity's or derived from it; the zero Info otherwise.
func ActivityInfo(ctx context.Context) Info {
	info, _ := ctx.Value(infoKey{}).(Info)
	return info
}
