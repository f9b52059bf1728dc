package durable

import (
	"errors"
	"fmt"
)

// Callable is what Map calls for each item: an [*Activity], an [*Action], an
// [*Orchestrator], or a piece of the orchestrator's own code ([Branch]).
type Callable[In, Out any] interface {
	// mapped is the call for one item; the options fit.
	mapped(ctx *Context, in In, o *callOptions) *Task[Out]
	// mappable reports which option cannot be used.
	mappable(o *callOptions) error
}

func (a *Activity[In, Out]) mapped(ctx *Context, in In, o *callOptions) *Task[Out] {
	return callActivity[In, Out](ctx, a.name, in, o)
}

func (a *Activity[In, Out]) mappable(*callOptions) error { return nil }

func (o *Orchestrator[In, Out]) mapped(ctx *Context, in In, made *callOptions) *Task[Out] {
	return callChild[In, Out](ctx, o.name, in, made)
}

func (o *Orchestrator[In, Out]) mappable(made *callOptions) error {
	if made.timed || made.beats {
		return fmt.Errorf("sub-orchestration %q: WithTimeout and WithHeartbeatTimeout are for activities; WithTotalTimeout is for both", o.name)
	}
	return nil
}

// Branch makes of a piece of the orchestrator's own code, which may call and wait
// as the orchestrator does, what Map runs as a branch for each item (see [Go]): a
// pool of workers where there is a [WithMaxConcurrency]. Other options are for the
// calls within.
func Branch[In, Out any](f func(ctx *Context, in In) (Out, error)) Callable[In, Out] {
	return branch[In, Out](f)
}

type branch[In, Out any] func(ctx *Context, in In) (Out, error)

func (f branch[In, Out]) mapped(ctx *Context, in In, _ *callOptions) *Task[Out] {
	return Go(ctx, func(ctx *Context) (Out, error) { return f(ctx, in) })
}

func (f branch[In, Out]) mappable(o *callOptions) error {
	if o.timed || o.beats || o.bounded || o.retry != nil || o.tags != nil {
		return errors.New("the branches of a Map take no option but WithMaxConcurrency: the others are for the calls within")
	}
	return nil
}

// ItemError is the failure of one item of a Map.
type ItemError struct {
	// Index of the item, from 0.
	Index int
	// Input is the item.
	Input any
	// Err is mostly a [*TaskError].
	Err error
}

func (e *ItemError) Error() string { return fmt.Sprintf("item %d: %v", e.Index, e.Err) }

// Unwrap returns Err.
func (e *ItemError) Unwrap() error { return e.Err }

// Map calls f for each item, and returns the results in the order of the items
// when all of them have ended. When some failed the error joins an [*ItemError] for
// each of them, and the results of the others are there; [MapSettled] has results
// and errors item by item. A RetryPolicy and a timeout are for each call on its
// own; see WithMaxConcurrency for how many are open at a time.
func Map[In, Out any](ctx *Context, items []In, f Callable[In, Out], options ...MapOption) ([]Out, error) {
	tasks, err := mapTasks(ctx, items, f, options)
	if err != nil {
		return nil, err
	}
	results := make([]Out, len(tasks))
	var errs []error
	for i, t := range tasks {
		var err error
		if results[i], err = t.Await(); err != nil {
			errs = append(errs, &ItemError{Index: i, Input: items[i], Err: err})
		}
	}
	return results, errors.Join(errs...)
}

// MapSettled is Map for items that may fail: it returns how each of them ended, in
// the order of the items, without an [*ItemError] around the errors. An option that is
// wrong is the error of each.
func MapSettled[In, Out any](ctx *Context, items []In, f Callable[In, Out], options ...MapOption) []Result[Out] {
	tasks, err := mapTasks(ctx, items, f, options)
	if err == nil {
		return AllSettled(tasks...)
	}
	results := make([]Result[Out], len(items))
	for i := range results {
		results[i].Err = err
	}
	return results
}

// mapTasks calls f for each item, and waits where no more calls may be open.
func mapTasks[In, Out any](ctx *Context, items []In, f Callable[In, Out], options []MapOption) ([]*Task[Out], error) {
	var o callOptions
	for _, option := range options {
		option.mapping(&o)
	}
	if err := errors.Join(o.check(), f.mappable(&o)); err != nil {
		return nil, err
	}
	ctx.rt.Check()
	open := len(items)
	if o.limited {
		open = min(open, o.concurrency)
	}
	tasks := make([]*Task[Out], len(items))
	g := ctx.rt.Group()
	defer g.Close()
	for i, item := range items {
		if i >= open {
			g.Next()
		}
		tasks[i] = f.mapped(ctx, item, &o)
		g.Add(tasks[i].task)
	}
	return tasks, nil
}
