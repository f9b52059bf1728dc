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
	return r.addOrchestrator(o.name, reflect.TypeFor[In](), o.program(r))
}

// program is the orchestrator as the engine runs it. Only middleware and the
// user's function run in the coroutine, which keeps its stack small.
func (o *Orchestrator[In, Out]) program(r *registry) engine.Program {
	return func(rt *engine.Runtime, input history.Payload) (history.Payload, error) {
		ctx := &Context{rt: rt, registry: r}
		if len(r.aroundOrchestrators) > 0 {
			return ctx.end(r.aroundOrchestrator(o.handle)(ctx, input))
		}
		// As handle does it, without a frame for that.
		in, err := inputOf[In](ctx, input)
		if err != nil {
			return ctx.end(nil, err)
		}
		out, err := o.run(ctx, in)
		return ctx.end(resultOf(ctx, out, err))
	}
}

// continuesNot is the failure of an orchestrator that has called ContinueAsNew and
// returns no error.
const continuesNot = "ContinueAsNew was called, and its error was not returned: it does nothing by itself; return the error as that of the orchestrator"

// end makes of what an orchestrator has returned what the engine takes.
func (c *Context) end(result history.Payload, err error) (_ history.Payload, ended error) {
	if err == nil && c.continues != "" {
		return nil, &engine.Failure{Details: &history.FailureDetails{ErrorType: "InvalidCall", ErrorMessage: c.continues, NonRetriable: true}}
	}
	c.rt.Outside(func() { result, ended = c.registry.ended(result, err) })
	return result, ended
}

func (r *registry) ended(result history.Payload, err error) (history.Payload, error) {
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

// handle runs the user's function within middleware.
func (o *Orchestrator[In, Out]) handle(ctx *Context, input history.Payload) (history.Payload, error) {
	in, err := inputOf[In](ctx, input)
	if err != nil {
		return nil, err
	}
	out, err := o.run(ctx, in)
	return resultOf(ctx, out, err)
}

func inputOf[In any](ctx *Context, input history.Payload) (in In, err error) {
	ctx.rt.Outside(func() {
		if err = ctx.registry.decodeSent(input, &in); err != nil {
			err = &badPayload{kind: "InvalidInput", text: fmt.Sprintf("the input is no %v: %v", reflect.TypeFor[In](), err)}
		}
	})
	return in, err
}

func resultOf[Out any](ctx *Context, out Out, err error) (result history.Payload, _ error) {
	if err != nil {
		return nil, err
	}
	ctx.rt.Outside(func() {
		if result, err = ctx.registry.encode(out); err != nil {
			err = unstorable(err)
		}
	})
	return result, err
}
