package durable

import (
	"context"
	"log/slog"
	"time"

	"github.com/durable-go/functions/internal/engine"
)

// Context is what an orchestrator may use. Everything it offers is the same in
// every replay. It is not a context.Context, and it may be used only by the
// orchestrator's own code, on the orchestrator's own goroutine: a call from
// another goroutine fails the orchestration.
type Context struct {
	rt *engine.Runtime
}

// InstanceID is the id of the orchestration.
func (c *Context) InstanceID() string { return c.rt.InstanceID() }

// Name is the name by which the orchestration was started.
func (c *Context) Name() string { return c.rt.Started().Name }

// Now is the orchestration's clock, in UTC. It stands still while the
// orchestrator runs and moves on while it waits.
func (c *Context) Now() time.Time { return c.rt.Now() }

// NewGUID returns a new GUID, such as 80835b95-20cf-5cec-8922-92309c9a2bb6. It
// is made as the official SDK makes it.
func (c *Context) NewGUID() string { return c.rt.NewGUID() }

// IsReplaying tells whether the orchestrator does again what it has done
// before.
func (c *Context) IsReplaying() bool { return c.rt.Replaying() }

// Logger logs what happens for the first time and is silent during a replay.
// Records carry the instance id.
func (c *Context) Logger() *slog.Logger {
	return slog.New(&replaySafe{rt: c.rt, inner: slog.Default().Handler()}).With("instance", c.InstanceID())
}

// replaySafe drops records during a replay and handles the others outside the
// coroutine.
type replaySafe struct {
	rt    *engine.Runtime
	inner slog.Handler
}

func (h *replaySafe) Enabled(ctx context.Context, level slog.Level) bool {
	return !h.rt.Replaying() && h.inner.Enabled(ctx, level)
}

func (h *replaySafe) Handle(ctx context.Context, record slog.Record) (err error) {
	h.rt.Outside(func() { err = h.inner.Handle(ctx, record) })
	return err
}

func (h *replaySafe) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &replaySafe{rt: h.rt, inner: h.inner.WithAttrs(attrs)}
}

func (h *replaySafe) WithGroup(name string) slog.Handler {
	return &replaySafe{rt: h.rt, inner: h.inner.WithGroup(name)}
}
