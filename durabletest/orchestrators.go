package durabletest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

// orchestrators are what a test has changed about the orchestrators of its app.
type orchestrators struct {
	// registered finds those of the app.
	registered func(name, version string) (engine.Program, error)

	changes[engine.Program]
	// The lock of the changes guards the rest.

	// chosen is the code of each execution that has begun since something was
	// replaced: a replay must run the same.
	chosen map[string]engine.Program
	// asked are the names of those that ran, in lower case.
	asked map[string]bool
}

// ReplaceOrchestrator makes the app run f in the place of an orchestrator, as a
// child or on its own, for those that begin from now on: what runs keeps its
// code. A child need not be registered. The app's middleware goes around f, too.
func ReplaceOrchestrator[In, Out any](env *Env, o *durable.Orchestrator[In, Out], f func(ctx *durable.Context, in In) (Out, error)) {
	env.t.Helper()
	env.orchestrators.replace(o.Name(), env.compileProgram(o.Implement(f)))
}

// FailOrchestrator makes the next orchestrations of that name fail with the
// error, so many or Always: children that are retried count anew. The code
// itself is not run then; the app's middleware is, and sees the error. 0 ends it.
func (e *Env) FailOrchestrator(orchestrator string, times int, err error) {
	e.t.Helper()
	e.mustFail("orchestrator", orchestrator, times, err)
	o := durable.NewOrchestrator(orchestrator, func(*durable.Context, json.RawMessage) (durable.None, error) {
		return durable.None{}, err
	})
	e.orchestrators.fail(orchestrator, times, e.compileProgram(o))
}

func (e *Env) compileProgram(o durable.Registration) engine.Program {
	e.t.Helper()
	run, err := e.app.Program(o)
	if err != nil {
		e.fatal("%v", err)
	}
	return run
}

// misnamed are orchestrators of which the test has changed something, but that
// the app does not have and nobody called.
func (o *orchestrators) misnamed(known []string) error {
	for _, name := range o.changed {
		has := slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, name) })
		if !has && !o.asked[strings.ToLower(name)] {
			return fmt.Errorf("the test replaced orchestrator %q, or made it fail, and nobody called it. The app has %q", name, known)
		}
	}
	return nil
}

// program finds an orchestrator for the worker.
func (o *orchestrators) program(name, version string) (engine.Program, error) {
	run, err := o.registered(name, version)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.replaced == nil && o.failing == nil {
		return run, err
	}
	key := strings.ToLower(name)
	if o.asked == nil {
		o.asked = map[string]bool{}
	}
	o.asked[key] = true
	if err != nil && !o.has(key) {
		return nil, err
	}
	return func(rt *engine.Runtime, input history.Payload) (history.Payload, error) {
		return o.choose(key, rt, run)(rt, input)
	}, nil
}

// choose says what an execution runs: what it has run before, where it has.
func (o *orchestrators) choose(key string, rt *engine.Runtime, run engine.Program) engine.Program {
	o.mu.Lock()
	defer o.mu.Unlock()
	execution := rt.InstanceID() + "\n" + rt.Started().Instance.ExecutionID
	if chosen := o.chosen[execution]; chosen != nil {
		return chosen
	}
	if !rt.Replaying() {
		if changed, ok := o.take(key); ok {
			run = changed
		} else if run == nil { // another took the last failure, and there is no code
			run = o.failing[key].run
		}
	}
	if o.chosen == nil {
		o.chosen = map[string]engine.Program{}
	}
	o.chosen[execution] = run
	return run
}
