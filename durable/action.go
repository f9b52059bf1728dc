package durable

import "context"

// Action is an activity that has no result. Its other methods are those of
// [Activity].
type Action[In any] struct{ Activity[In, None] }

// NewAction makes an action of a function. The name is as that of [NewActivity].
func NewAction[In any](name string, run func(ctx context.Context, in In) error) *Action[In] {
	return &Action[In]{Activity[In, None]{name: name, run: withoutResult(run)}}
}

// DeclareAction names an action whose implementation is given later, with
// Implement: for implementations that need dependencies.
func DeclareAction[In any](name string) *Action[In] {
	return &Action[In]{Activity[In, None]{name: name}}
}

func withoutResult[In any](run func(ctx context.Context, in In) error) func(context.Context, In) (None, error) {
	return func(ctx context.Context, in In) (None, error) { return None{}, run(ctx, in) }
}

// Implement gives a declared action its implementation. The result is for
// App.Register; the receiver is not changed.
func (a *Action[In]) Implement(run func(ctx context.Context, in In) error) Registration {
	return a.Activity.Implement(withoutResult(run))
}

// Do calls the action and waits until it has ended:
//
//	if err := Ship.Do(ctx, order); err != nil {
//
// The error is a [*TaskError]. Call asks for the action without waiting.
func (a *Action[In]) Do(ctx *Context, in In, options ...ActivityOption) error {
	_, err := a.Call(ctx, in, options...).Await()
	return err
}
