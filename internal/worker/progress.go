package worker

import (
	"context"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Progress is how far a call has come, for the run that follows when this one
// fails or its process dies. It is written at most once in half a lease, the
// newest one each time, and when the run ends without a result: a crash loses
// what was reported in the last half lease, as it finds the work itself that
// long after.
type Progress struct {
	// w is nil where the call runs outside a worker; nothing is stored then.
	w        *Worker
	instance string

	mu   sync.Mutex // guards the rest; held over the requests, which keeps them in order
	key  string
	last history.Payload
	more bool
	// known says that what is stored was read, dirty that last is newer, stored
	// that there may be something to remove.
	known, dirty, stored bool
	saved                time.Time
	alarm                func() bool
	ended                bool
}

// ProgressKey names the calls of a retry policy, of which the first one's action
// is first.
func ProgressKey(execution string, first int32) string {
	return taskhub.DerivedID("progress", execution, itoa(first))
}

// Attempt is the place of a run in a retry policy.
type Attempt struct {
	// First is the action of the first attempt.
	First int32
	// More says that another attempt may follow.
	More bool
}

// Report takes note of the progress of a call.
func (a *Activity) Report(ctx context.Context, at Attempt, p history.Payload) error {
	g := &a.Progress
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last, g.known, g.dirty = p, true, true
	if g.w == nil || g.ended {
		return nil
	}
	if err := g.w.fits(p); err != nil {
		g.dirty = false
		return err
	}
	g.key, g.more = ProgressKey(a.ExecutionID, at.First), at.More
	wait := g.w.Lease/2 - g.w.clock.Now().Sub(g.saved)
	if g.saved.IsZero() || wait <= 0 {
		return g.save(ctx)
	}
	if g.alarm == nil {
		g.alarm = g.w.clock.AfterFunc(wait, func() { g.w.spawn(g.late) })
	}
	return nil
}

// Reported is the newest progress of the call, of this run or of one before; nil
// when there is none.
func (a *Activity) Reported(ctx context.Context, at Attempt) (history.Payload, error) {
	g := &a.Progress
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known || g.w == nil {
		return g.last, nil
	}
	g.key, g.more = ProgressKey(a.ExecutionID, at.First), at.More
	p, err := g.w.Store.Progress(ctx, g.instance, g.key)
	if err == nil {
		g.last, g.known, g.stored = p, true, p != nil
	}
	return p, err
}

// save writes what is new. The caller holds the lock.
func (g *Progress) save(ctx context.Context) error {
	if !g.dirty {
		return nil
	}
	g.stored = true
	err := g.w.Store.SaveProgress(ctx, g.instance, g.key, g.last)
	if err == nil {
		g.dirty, g.saved = false, g.w.clock.Now()
	}
	return err
}

// late writes what came too soon after the last write.
func (g *Progress) late(ctx context.Context) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.alarm = nil
	if g.ended {
		return
	}
	if err := g.save(ctx); err != nil && ctx.Err() == nil {
		g.w.storage.failed(ctx, err)
		g.alarm = g.w.clock.AfterFunc(g.w.Lease/10, func() { g.w.spawn(g.late) })
	}
}

// end notes the end of the run. One without a result leaves its progress to the
// next.
func (g *Progress) end(ctx context.Context, result bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = true
	if g.alarm != nil {
		g.alarm()
		g.alarm = nil
	}
	if result || g.w == nil || !g.dirty {
		return
	}
	if err := g.save(ctx); err != nil && ctx.Err() == nil {
		g.w.log.Warn("the progress of an activity was not stored", "instance", g.instance, "error", err)
	}
}

// settled removes the progress of a call whose end is stored, unless another
// attempt may want it. That of a policy which gave up early goes with its
// instance.
func (g *Progress) settled(end *history.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.stored || g.more && end.Failure != nil && !end.Failure.NonRetriable {
		return
	}
	g.stored = false
	g.w.spawn(func(ctx context.Context) {
		if err := g.w.Store.SaveProgress(ctx, g.instance, g.key, nil); err != nil && ctx.Err() == nil {
			g.w.log.Warn("the progress of an activity was not removed; it goes with its instance", "instance", g.instance, "error", err)
		}
	})
}
