package durable

import (
	"errors"
	"fmt"
)

// undoing are orchestrators that fail as rewindable ones do, but clean up with
// "a" before: what they called is tried more than once, and the last try alone is
// done again.
func undoing(do *Activity[string, string], child *Orchestrator[None, string]) map[*Orchestrator[None, string]]string {
	undo := func(name string, work func(ctx *Context) (string, error)) *Orchestrator[None, string] {
		return NewOrchestrator(name, func(ctx *Context, _ None) (string, error) {
			result, err := work(ctx)
			if err == nil {
				return result, nil
			}
			_, undo := do.Call(ctx, "a").Await()
			return "", errors.Join(err, undo)
		})
	}
	retry, id := WithRetry(RetryPolicy{MaxAttempts: 2, FirstInterval: 1e9}), WithInstanceID("kid")
	both := func(results []string, err error) (string, error) { return fmt.Sprint(results), err }
	return map[*Orchestrator[None, string]]string{
		undo("UndoneCall", func(ctx *Context) (string, error) { return do.Call(ctx, "x", retry).Await() }): "x3 a1 x",
		undo("UndoneFan", func(ctx *Context) (string, error) {
			return both(All(do.Call(ctx, "x"), do.Call(ctx, "x")))
		}): "x4 a1 [x x]",
		undo("UndoneChild", func(ctx *Context) (string, error) { return child.Call(ctx, None{}, retry).Await() }):     "x3 a3 x",
		undo("UndoneNamed", func(ctx *Context) (string, error) { return child.Call(ctx, None{}, retry, id).Await() }): "x3 a3 x",
		undo("UndoneChildren", func(ctx *Context) (string, error) {
			return both(All(child.Call(ctx, None{}, retry), child.Call(ctx, None{}, retry)))
		}): "x6 a5 [x x]",
		undo("UndoneLoop", func(ctx *Context) (string, error) {
			if result, err := child.Call(ctx, None{}).Await(); err == nil {
				return result, nil
			}
			return child.Call(ctx, None{}).Await()
		}): "x3 a3 x",
	}
}
