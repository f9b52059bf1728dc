package executor

import (
	"context"
	"sync"
)

// Group owns goroutines: each that it starts ends before [Group.Drain] does. Its
// methods may be called concurrently.
type Group struct {
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu sync.Mutex // guards the rest
	// running counts the goroutines, stopped refuses new ones. drained is closed
	// when a group that is to end has none left.
	running int
	stopped bool
	drained chan struct{}
}

// NewGroup makes a group whose goroutines run until they end, or, where they
// look at their context, until [Group.Cancel].
func NewGroup() *Group {
	g := &Group{}
	g.ctx, g.cancel = context.WithCancelCause(context.Background())
	return g
}

// Context ends with [Group.Cancel].
func (g *Group) Context() context.Context { return g.ctx }

// Cancel ends the context of the goroutines.
func (g *Group) Cancel(cause error) { g.cancel(cause) }

// Go runs f on a goroutine of the group. It reports false, and does not run f,
// once the group has drained.
func (g *Group) Go(f func(context.Context)) bool {
	g.mu.Lock()
	if g.stopped {
		g.mu.Unlock()
		return false
	}
	g.running++
	g.mu.Unlock()
	go func() {
		defer g.done()
		f(g.ctx)
	}()
	return true
}

func (g *Group) done() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	g.endLocked()
}

func (g *Group) endLocked() {
	if g.running == 0 && g.drained != nil && !g.stopped {
		g.stopped = true
		close(g.drained)
	}
}

// Drain returns a channel that is closed when no goroutine is left; from then on
// Go refuses. Goroutines may start others until then.
func (g *Group) Drain() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.drained == nil {
		g.drained = make(chan struct{})
		g.endLocked()
	}
	return g.drained
}

// Refuse makes Go refuse from now on, whatever still runs: what does not come to
// its end is left behind.
func (g *Group) Refuse() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.drained == nil {
		g.drained = make(chan struct{})
	}
	if !g.stopped {
		g.stopped = true
		close(g.drained)
	}
}
