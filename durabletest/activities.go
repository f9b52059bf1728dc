package durabletest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/entity"
	"github.com/durable-go/functions/internal/history"
)

// activities are what a test knows of the activities of its app and has changed
// about them.
type activities struct {
	changes[activity.Func]
	// The lock of the changes guards the rest.

	calls []Call
	// missing is why an activity or an entity was called that the test does not have;
	// nil where there was none, or where that is wanted.
	missing error
}

// Call is one run of an activity.
type Call struct {
	Activity   string
	InstanceID string
	// TaskID numbers the calls of the orchestration.
	TaskID int
	// Attempt is 1 for the first call under a retry policy.
	Attempt int
	Input   json.RawMessage
}

// Always is how often an activity fails that never works.
const Always = -1

// Activity is a [*durable.Activity] or a [*durable.Action].
type Activity[In, Out any] interface {
	Name() string
	Call(ctx *durable.Context, in In, options ...durable.ActivityOption) *durable.Task[Out]
}

// Replace makes the app use f in the place of an activity, from its next run
// on. The activity need not be registered. The app's middleware, its client and
// the options of the call are there for f as they are for the activity.
func Replace[In, Out any](env *Env, activity Activity[In, Out], f func(ctx context.Context, in In) (Out, error)) {
	env.t.Helper()
	env.activities.replace(activity.Name(), env.compile(durable.NewActivity(activity.Name(), f)))
}

// ReplaceAction is Replace for an activity without a result.
func ReplaceAction[In any](env *Env, action *durable.Action[In], f func(ctx context.Context, in In) error) {
	env.t.Helper()
	env.activities.replace(action.Name(), env.compile(action.Implement(f)))
}

// Fail makes the next runs of an activity fail with the error, so many times or
// Always. The activity itself is not run then; the app's middleware is, and sees
// the error. 0 ends it.
func (e *Env) Fail(activity string, times int, err error) {
	e.t.Helper()
	e.mustFail("activity", activity, times, err)
	run := e.compile(durable.NewAction(activity, func(context.Context, json.RawMessage) error { return err }))
	e.activities.fail(activity, times, run)
}

// mustFail refuses failures that are none.
func (e *Env) mustFail(kind, name string, times int, err error) {
	e.t.Helper()
	switch {
	case times < Always:
		e.fatal("%s %q cannot fail %d times; durabletest.Always is %d", kind, name, times, Always)
	case times != 0 && err == nil:
		e.fatal("%s %q is to fail, but the error is nil, with which it would succeed", kind, name)
	}
}

// compile makes of a registration what the worker runs.
func (e *Env) compile(activity durable.Registration) activity.Func {
	e.t.Helper()
	run, err := e.app.Activity(activity)
	if err != nil {
		e.fatal("%v", err)
	}
	return run
}

// Calls are the runs of an activity so far, in the order in which they began;
// those that failed, and those that a crash repeated, included. Steps are no
// activities of the app and are not counted. It may be called by any goroutine.
func (e *Env) Calls(activity string) []Call {
	e.activities.mu.Lock()
	defer e.activities.mu.Unlock()
	var out []Call
	for _, c := range e.activities.calls {
		if strings.EqualFold(c.Activity, activity) {
			out = append(out, c)
		}
	}
	return out
}

// Inputs are what an activity was run with so far: see Env.Calls.
func Inputs[In, Out any](env *Env, activity Activity[In, Out]) []In {
	env.t.Helper()
	var out []In
	for _, c := range env.Calls(activity.Name()) {
		var in In
		if c.Input != nil {
			if err := json.Unmarshal(c.Input, &in); err != nil {
				env.fatal("activity %q was run with %s, which is no %T", activity.Name(), c.Input, in)
			}
		}
		out = append(out, in)
	}
	return out
}

// misnamed are activities of which the test has changed something, but that the
// app does not have and nobody called.
func (e *Env) misnamed() error {
	for _, name := range e.activities.changed {
		if _, err := e.app.Worker.Activities(name); err != nil && len(e.Calls(name)) == 0 {
			return fmt.Errorf("the test replaced activity %q, or made it fail, and nobody called it. %w", name, err)
		}
	}
	return nil
}

// missed is the call of an activity or an entity that the test does not have.
func (a *activities) missed() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.missing
}

// activity finds an activity for the worker.
func (e *Env) activity(name string) (activity.Func, error) {
	run, err := e.app.Worker.Activities(name)
	e.activities.mu.Lock()
	defer e.activities.mu.Unlock()
	key := strings.ToLower(name)
	if err != nil && !e.activities.has(key) {
		if !e.options.Unregistered {
			e.activities.missing = fmt.Errorf("an orchestration calls activity %q, which the test does not have: give it to Run, or replace it. %w", name, err)
		}
		return nil, err
	}
	return func(ctx context.Context, call *activity.Call) (history.Payload, *history.FailureDetails) {
		return e.activities.begin(key, run, call)(ctx, call)
	}, nil
}

// entity finds an entity for the worker.
func (e *Env) entity(name string) (*entity.Code, error) {
	code, err := e.app.Worker.Entities(name)
	if err != nil && !e.options.Unregistered {
		e.activities.mu.Lock()
		defer e.activities.mu.Unlock()
		e.activities.missing = fmt.Errorf("the app has no entity %q, which is called or signalled: give it to Run. %w", name, err)
	}
	return code, err
}

// begin notes a run and returns what it runs.
func (a *activities) begin(key string, run activity.Func, call *activity.Call) activity.Func {
	a.mu.Lock()
	defer a.mu.Unlock()
	var recorded struct{ Attempt int }
	if call.Options != nil {
		_ = json.Unmarshal(call.Options, &recorded) // what it is not, it need not say
	}
	a.calls = append(a.calls, Call{
		Activity: call.Name, InstanceID: call.InstanceID, TaskID: int(call.TaskID),
		Attempt: max(recorded.Attempt, 1), Input: json.RawMessage(call.Input),
	})
	if changed, ok := a.take(key); ok {
		return changed
	}
	return run
}
