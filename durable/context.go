package durable

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

// Context is what an orchestrator may use. Everything it offers is the same in
// every replay. It is not a context.Context, and it may be used only by the
// orchestrator's own code, on the orchestrator's own goroutine: a call from
// another goroutine ends that goroutine and fails the orchestration. That is so
// for every method, for the functions that take a Context, and for the tasks that
// it has made. (A replay does not look: the same call was looked at when it was
// new.)
type Context struct {
	rt       *engine.Runtime
	registry *registry
	// continues is set by ContinueAsNew, whose error the code must return: the
	// failure of code that returns none.
	continues string
}

// encode makes a payload outside the coroutine, whose stack stays small.
func (c *Context) encode(v any) (p history.Payload, err error) {
	c.rt.Outside(func() { p, err = c.registry.encode(v) })
	return p, err
}

// started is what the orchestration was started with, for its code.
func (c *Context) started() *history.Event {
	c.rt.Check()
	return c.rt.Started()
}

// InstanceID is the id of the orchestration.
func (c *Context) InstanceID() string {
	c.rt.Check()
	return c.rt.InstanceID()
}

// Name is the name by which the orchestration was started.
func (c *Context) Name() string { return c.started().Name }

// Version is the version with which the orchestration was started: that of
// WithVersion, else defaultVersion of the app that started it (in
// extensions.durableTask of host.json), which is "" where it is not set.
func (c *Context) Version() string { return c.started().Version }

// CompareVersion compares the orchestration's version with another one: -1 when
// it is lower, 0 when it is the same, 1 when it is higher. Versions of two to
// four numbers with dots are compared as numbers, others as text without case;
// no version is lower than any other.
func (c *Context) CompareVersion(other string) int { return compareVersions(c.Version(), other) }

// Tags are the names and values that the orchestration was started with.
func (c *Context) Tags() map[string]string { return maps.Clone(c.started().Tags) }

// Parent is the orchestration that started this one as its child.
type Parent struct {
	Name       string
	InstanceID string
}

// Parent tells whose child the orchestration is; ok is false when it is
// nobody's.
func (c *Context) Parent() (p Parent, ok bool) {
	started := c.started()
	if started.Parent == nil {
		return p, false
	}
	return Parent{Name: started.Parent.Name, InstanceID: started.Parent.Instance.InstanceID}, true
}

// SetCustomStatus sets a value that clients see beside the runtime status; the
// last one counts. It is visible once the turn is stored: when the orchestrator
// waits or ends. A value that is not JSON or, as UTF-16, is larger than 16 KiB
// fails the orchestration.
func (c *Context) SetCustomStatus(v any) {
	p, err := c.encode(v)
	if err != nil {
		panic(engine.Misuse(fmt.Sprintf("custom status: %v", err)))
	}
	if err := history.CheckCustomStatus(p); err != nil {
		panic(engine.Misuse(err.Error()))
	}
	c.rt.SetCustomStatus(p)
}

// Rand is a source of random numbers that every replay repeats. Each call
// returns a new one.
func (c *Context) Rand() *rand.Rand {
	h := fnv.New128a()
	_, _ = io.WriteString(h, c.NewGUID())
	sum := h.Sum(nil)
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:])))
}

// Now is the orchestration's clock, in UTC. It stands still while the
// orchestrator runs and moves on while it waits.
func (c *Context) Now() time.Time {
	c.rt.Check()
	return c.rt.Now()
}

// NewGUID returns a new GUID, such as 80835b95-20cf-5cec-8922-92309c9a2bb6. It
// is made as the official SDK makes it.
func (c *Context) NewGUID() string { return c.rt.NewGUID() }

// IsReplaying reports whether the orchestrator does again what it has done
// before.
func (c *Context) IsReplaying() bool {
	c.rt.Check()
	return c.rt.Replaying()
}

// Logger logs what happens for the first time and is silent during a replay.
// Records carry the instance id.
func (c *Context) Logger() *slog.Logger {
	return slog.New(&replaySafe{rt: c.rt, inner: slog.Default().Handler(), traced: c.registry.traced(c.rt)}).With("instance", c.InstanceID())
}

// replaySafe drops records during a replay and handles the others outside the
// coroutine.
type replaySafe struct {
	rt    *engine.Runtime
	inner slog.Handler
	// traced is the context of records, within the orchestration's span; nil where
	// nothing traces it.
	traced func(context.Context) context.Context
}

func (h *replaySafe) Enabled(ctx context.Context, level slog.Level) bool {
	return !h.rt.Replaying() && h.inner.Enabled(ctx, level)
}

func (h *replaySafe) Handle(ctx context.Context, record slog.Record) (err error) {
	h.rt.Outside(func() {
		if h.traced != nil {
			ctx = h.traced(ctx)
		}
		err = h.inner.Handle(ctx, record)
	})
	return err
}

func (h *replaySafe) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &replaySafe{rt: h.rt, inner: h.inner.WithAttrs(attrs), traced: h.traced}
}

func (h *replaySafe) WithGroup(name string) slog.Handler {
	return &replaySafe{rt: h.rt, inner: h.inner.WithGroup(name), traced: h.traced}
}
