package durable

import (
	"errors"

	"github.com/durable-go/functions/internal/engine"
)

// Go runs f as a branch of the orchestrator: concurrently with the rest, one
// piece of code at a time, in an order that every replay repeats. f begins when
// the code that called Go waits for something. It may use the Context, also the
// caller's. A panic of f fails the orchestration; branches that still run when
// the orchestrator returns are cut off.
func Go[T any](ctx *Context, f func(ctx *Context) (T, error)) *Task[T] {
	t := &Task[T]{ctx: ctx, of: source{branchRun, ""}, known: true}
	t.task = ctx.rt.Go(func() error {
		t.value, t.err = f(ctx)
		if next := (*engine.ContinueAsNew)(nil); errors.As(t.err, &next) {
			panic(engine.Misuse("ContinueAsNew is for the orchestrator itself, not for one of its branches"))
		}
		return nil
	})
	return t
}

// WaitGroup waits for branches without results. The zero value is ready.
type WaitGroup struct{ branches []*Task[None] }

// Go runs f as a branch; see the function Go.
func (g *WaitGroup) Go(ctx *Context, f func(ctx *Context) error) {
	g.branches = append(g.branches, Go(ctx, func(ctx *Context) (None, error) { return None{}, f(ctx) }))
}

// Wait waits until all branches have ended; the error joins theirs.
func (g *WaitGroup) Wait() error {
	_, err := All(g.branches...)
	return err
}
