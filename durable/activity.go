package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"time"

	"github.com/durable-go/functions/handler"
	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/entity"
	"github.com/durable-go/functions/internal/history"
)

// Activity is a function that an orchestrator calls: one that takes an In,
// returns an Out, and may do whatever Go code can do.
//
// An activity runs at least once: after a crash it may run again although it
// had done its work, so what it does should be idempotent (see
// ActivityInfoFromContext). Its input
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

// Call asks for the activity to run. It does not wait: see Task.Await. When the
// orchestration ends first, the activity is told to stop (ErrAbandoned), and does
// not begin where it has not: what must be done is to be awaited.
func (a *Activity[In, Out]) Call(ctx *Context, in In, options ...ActivityOption) *Task[Out] {
	return callActivity[In, Out](ctx, a.name, in, activityOptions(options))
}

// CallActivity calls an activity by name: one whose code lives elsewhere. An
// activity that no app of the task hub knows fails, with an error that names
// the known ones.
func CallActivity[Out any](ctx *Context, name string, in any, options ...ActivityOption) *Task[Out] {
	return callActivity[any, Out](ctx, name, in, activityOptions(options))
}

// callActivity does all it can outside the coroutine.
func callActivity[In, Out any](ctx *Context, name string, in In, o *callOptions) *Task[Out] {
	if o.bounded {
		return callWithin(ctx, source{activityCall, name}, o, func(o *callOptions) *Task[Out] {
			return callActivity[In, Out](ctx, name, in, o)
		})
	}
	return ctx.rt.Ask(func(a engine.Asker) any {
		call := source{activityCall, name}
		return newTask[Out](ctx, call, ctx.call(a, call, in, o))
	}).(*Task[Out])
}

// call asks for an activity, outside the coroutine.
func (c *Context) call(a engine.Asker, of source, in any, o *callOptions) *engine.Task {
	if err := o.check(); err != nil {
		return a.Failed(err)
	}
	if o.timed && o.timeout <= 0 {
		return a.Failed(overdue(of, c.rt.InstanceID(), o.timeout, context.DeadlineExceeded))
	}
	input, err := c.registry.encode(in)
	if err != nil {
		return a.Failed(fmt.Errorf("input of %v: %w", of, err))
	}
	o = o.withDefaults(c.registry)
	return a.CallActivity(&engine.Call{
		Name: of.name, Input: input, Tags: o.tags, Options: o.record(), Retry: o.policy(c, of),
	})
}

func (a *Activity[In, Out]) register(r *registry) error {
	if a.run == nil {
		return fmt.Errorf("activity %q has no implementation: register the result of Implement", a.name)
	}
	return r.addActivity(a.name, a.bind(r))
}

// bind is the activity as the worker runs it.
func (a *Activity[In, Out]) bind(r *registry) activity.Func {
	return func(ctx context.Context, call *activity.Call) (history.Payload, *history.FailureDetails) {
		return a.call(ctx, r, call)
	}
}

// call runs the middleware and the user's function. Whatever they do, the
// result is one of the two.
func (a *Activity[In, Out]) call(ctx context.Context, r *registry, call *activity.Call) (result history.Payload, failure *history.FailureDetails) {
	defer func() {
		if p := recover(); p != nil {
			result, failure = nil, panicDetails(p)
		}
	}()
	made := recordedOptions(call.Options)
	ctx, cancel := made.context(ctx)
	defer cancel()
	run := &activityRun{info: infoOf(call, made), client: r.client, registry: r, call: call, at: made.place(call)}
	if step := activity.CallOf(ctx); step != nil {
		run.call = step
	}
	ctx, stop := run.watch(ctx, time.Duration(made.Heartbeat)*time.Millisecond)
	defer stop()
	result, err := r.aroundActivity(a.handle)(context.WithValue(repeatable(ctx, call), runKey{}, run), call.Input)
	if err != nil && errors.Is(context.Cause(ctx), ErrHeartbeatTimeout) {
		err = fmt.Errorf("%w (%s)", ErrHeartbeatTimeout, err.Error())
	}
	if err != nil {
		return nil, failureDetails(err)
	}
	return result, nil
}

// repeatable lets what the activity asks of a client be found again by a run that
// a crash repeats.
func repeatable(ctx context.Context, call *activity.Call) context.Context {
	return handler.WithInvocation(ctx, "activity:"+call.IdempotencyKey)
}

// handle runs the user's function.
func (a *Activity[In, Out]) handle(ctx context.Context, r *registry, input history.Payload) (history.Payload, error) {
	in, err := decode[In](r, input)
	if err != nil {
		return nil, &badPayload{kind: "InvalidInput", text: fmt.Sprintf("the input is no %v: %v", reflect.TypeFor[In](), err)}
	}
	out, err := a.run(ctx, in)
	if err != nil {
		return nil, err
	}
	result, err := r.encode(out)
	if err != nil {
		return nil, unstorable(err)
	}
	return result, nil
}

func unstorable(err error) *badPayload {
	return &badPayload{kind: "InvalidResult", text: fmt.Sprintf("the result cannot be stored: %v", err)}
}

// badPayload is an input or a result that is not what the function takes or the
// history keeps. Another attempt would end the same.
type badPayload struct{ kind, text string }

func (e *badPayload) Error() string { return e.text }

// Is makes a payload that is too large an ErrTooLarge.
func (e *badPayload) Is(target error) bool { return target == ErrTooLarge && e.kind == entity.TooLarge }

func (e *badPayload) details() *history.FailureDetails {
	return &history.FailureDetails{ErrorType: e.kind, ErrorMessage: e.text, NonRetriable: true}
}

// CallInfo is what an activity can know of its call.
type CallInfo struct {
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
	// crash, and differs from that of every other call. Each attempt of a
	// RetryPolicy is a call of its own.
	IdempotencyKey string
	// Tags are those of WithTags; nil when there are none.
	Tags map[string]string
}

type runKey struct{}

// activityRun is one run of an activity.
type activityRun struct {
	info   CallInfo
	client *Client

	registry *registry
	call     *activity.Call
	at       activity.Attempt
	// beat puts the heartbeat timeout off; nil when there is none.
	beat func()
}

func runOf(ctx context.Context) *activityRun {
	r, _ := ctx.Value(runKey{}).(*activityRun)
	return r
}

func infoOf(call *activity.Call, made recorded) CallInfo {
	return CallInfo{
		Activity: call.Name, InstanceID: call.InstanceID, TaskID: int(call.TaskID),
		Attempt: max(made.Attempt, 1), IdempotencyKey: call.IdempotencyKey,
		Tags: maps.Clone(call.Tags),
	}
}

// recorded is what the history keeps with a call for the activity.
type recorded struct {
	// Attempt is kept from the second on.
	Attempt int `json:"attempt,omitempty"`
	// Timeout is in milliseconds.
	Timeout int64 `json:"timeout,omitempty"`
	// Heartbeat is the time between heartbeats, in milliseconds.
	Heartbeat int64 `json:"heartbeat,omitempty"`
	// First is the task id of the first attempt, from the second on; More says
	// that this is not the last one.
	First int32 `json:"first,omitempty"`
	More  bool  `json:"more,omitempty"`
}

// record makes what is kept with an attempt; nil when that is nothing.
func (o *callOptions) record() func(attempt int, first int32) history.Payload {
	if o.retry == nil && !o.timed && !o.beats {
		return nil
	}
	return func(attempt int, first int32) history.Payload {
		made := recorded{Timeout: milliseconds(o.timeout), Heartbeat: milliseconds(o.heartbeat), More: o.retry != nil && attempt < o.retry.MaxAttempts}
		if attempt > 1 {
			made.Attempt, made.First = attempt, first
		}
		if made == (recorded{}) {
			return nil
		}
		raw, _ := json.Marshal(made) // numbers always encode
		return raw
	}
}

// milliseconds rounds up: what is above 0 stays so.
func milliseconds(d time.Duration) int64 { return (d + time.Millisecond - 1).Milliseconds() }

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

// ActivityInfoFromContext tells an activity about its call. The context must be the
// activity's or derived from it; the zero CallInfo otherwise.
func ActivityInfoFromContext(ctx context.Context) CallInfo {
	if r := runOf(ctx); r != nil {
		return r.info
	}
	return CallInfo{}
}

// ActivityInfo is [ActivityInfoFromContext] under the name that it had first.
func ActivityInfo(ctx context.Context) CallInfo { return ActivityInfoFromContext(ctx) }

// ClientFromContext returns the app's client within an activity; the context must be
// the activity's or derived from it. ok is false elsewhere.
//
// What an activity starts and raises has ids that are derived from the call and
// from what is asked for (the orchestrator, input, options; the instance, name and
// data), so that a run that a crash repeats starts and raises nothing twice, in
// whatever order it does so, and although it may have less to do. Only equal
// requests are told apart by their number.
func ClientFromContext(ctx context.Context) (c *Client, ok bool) {
	if r := runOf(ctx); r != nil && r.client != nil {
		return r.client, true
	}
	return nil, false
}
