package durable

import (
	"context"
	"fmt"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/worker"
)

// Activity is a function that an orchestrator calls: one that takes an In,
// returns an Out, and may do whatever Go code can do.
//
// An activity runs at least once: after a crash it may run again although it
// had done its work, so what it does should be idempotent (see Info). Its input
// and its result are stored as JSON, of at most 40 KiB each.
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
func (a *Activity[In, Out]) Call(ctx *Context, in In) *Task[Out] {
	return CallActivity[Out](ctx, a.name, in)
}

// CallActivity calls an activity by name: one whose code lives elsewhere. An
// activity that no app of the task hub knows fails, with an error that names
// the known ones.
func CallActivity[Out any](ctx *Context, name string, in any) *Task[Out] {
	var input history.Payload
	var err error
	ctx.rt.Outside(func() { input, err = encode(in) })
	if err != nil {
		panic(fmt.Errorf("input of activity %q: %w", name, err))
	}
	return &Task[Out]{ctx: ctx, name: name, task: ctx.rt.ScheduleActivity(name, input, nil)}
}

func (a *Activity[In, Out]) register(r *registry) error {
	if a.run == nil {
		return fmt.Errorf("activity %q has no implementation: register the result of Implement", a.name)
	}
	return r.addActivity(a.name, a.call)
}

// call runs the user's function. Whatever it does, the result is one of the
// two.
func (a *Activity[In, Out]) call(ctx context.Context, call *worker.Activity) (result history.Payload, failure *history.FailureDetails) {
	defer func() {
		if p := recover(); p != nil {
			result, failure = nil, panicDetails(p)
		}
	}()
	in, err := decode[In](call.Input)
	if err != nil {
		return nil, &history.FailureDetails{ErrorType: "InvalidInput", ErrorMessage: fmt.Sprintf("the input is not a %T: %v", in, err), NonRetriable: true}
	}
	out, err := a.run(context.WithValue(ctx, infoKey{}, infoOf(call)), in)
	if err != nil {
		return nil, failureDetails(err)
	}
	if result, err = encode(out); err != nil {
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
	// IdempotencyKey is the same for every run of this call, also after a
	// crash, and differs from that of every other call.
	IdempotencyKey string
}

type infoKey struct{}

func infoOf(call *worker.Activity) Info {
	return Info{Activity: call.Name, InstanceID: call.InstanceID, TaskID: int(call.TaskID), IdempotencyKey: call.IdempotencyKey}
}

// ActivityInfo tells an activity about its call. The context must be the
// activity's or derived from it; the zero Info otherwise.
func ActivityInfo(ctx context.Context) Info {
	info, _ := ctx.Value(infoKey{}).(Info)
	return info
}
