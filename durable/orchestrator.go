package durable

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

// Orchestrator is a workflow: a function that takes an In, calls activities and
// returns an Out. See the package documentation for what it may do.
type Orchestrator[In, Out any] struct {
	name string
	run  func(*Context, In) (Out, error)
}

// NewOrchestrator makes an orchestrator of a function. The name is how clients
// start it; it is compared without case.
func NewOrchestrator[In, Out any](name string, run func(ctx *Context, in In) (Out, error)) *Orchestrator[In, Out] {
	return &Orchestrator[In, Out]{name: name, run: run}
}

// DeclareOrchestrator names an orchestrator whose implementation is given
// later, with Implement: for recursion and for packages that only start it.
func DeclareOrchestrator[In, Out any](name string) *Orchestrator[In, Out] {
	return &Orchestrator[In, Out]{name: name}
}

// Implement gives a declared orchestrator its implementation. The result is for
// App.Register; the receiver is not changed.
func (o *Orchestrator[In, Out]) Implement(run func(ctx *Context, in In) (Out, error)) Registration {
	return &Orchestrator[In, Out]{name: o.name, run: run}
}

// Name is the name by which it is started.
func (o *Orchestrator[In, Out]) Name() string { return o.name }

func (o *Orchestrator[In, Out]) register(r *registry) error {
	if o.run == nil {
		return fmt.Errorf("orchestrator %q has no implementation: register the result of Implement", o.name)
	}
	return r.addOrchestrator(o.name, func(rt *engine.Runtime, input history.Payload) (history.Payload, error) {
		return o.program(r, rt, input)
	})
}

// program is the orchestrator as the engine runs it. JSON is read and written
// outside the coroutine, which keeps its stack small.
func (o *Orchestrator[In, Out]) program(r *registry, rt *engine.Runtime, input history.Payload) (history.Payload, error) {
	result, err := r.aroundOrchestrator(o.handle)(&Context{rt: rt, in: reflect.TypeFor[In](), registry: r}, input)
	if next := (*engine.ContinueAsNew)(nil); errors.As(err, &next) {
		if err := r.fits(next.Input); err != nil {
			return nil, &engine.Failure{Details: &history.FailureDetails{ErrorType: "PayloadTooLarge", ErrorMessage: "the input to continue as new is too large: " + err.Error(), NonRetriable: true}}
		}
		return nil, next
	}
	if err != nil {
		return nil, &engine.Failure{Details: failureDetails(err)}
	}
	if err := r.fits(result); err != nil {
		return nil, &engine.Failure{Details: unstorable(err).details()}
	}
	return result, nil
}

// handle runs the user's function.
func (o *Orchestrator[In, Out]) handle(ctx *Context, input history.Payload) (result history.Payload, err error) {
	var in In
	ctx.rt.Outside(func() { in, err = decode[In](ctx.registry, input) })
	if err != nil {
		return nil, &badPayload{kind: "InvalidInput", text: fmt.Sprintf("the input is not a %T: %v", in, err)}
	}
	out, err := o.run(ctx, in)
	if err != nil {
		return nil, err
	}
	ctx.rt.Outside(func() { result, err = ctx.registry.encode(out) })
	if err != nil {
		return nil, unstorable(err)
	}
	return result, nil
}
