package activity

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
	// p is nil where the call runs outside a pool; nothing is stored then.
	p        *Pool
	instance string
	// turn is a channel of one place: requests for a call go one after the other,
	// and who waits for one watches its context.
	turn chan struct{}

	mu   sync.Mutex // guards the rest; never held over a request
	key  string
	last history.Payload
	more bool
	// known means that what is stored was read, dirty that last is newer, stored
	// that there may be something to remove.
	known, dirty, stored bool
	saved                time.Time
	alarm                func() bool
	ended                bool
}

// NewProgress makes the progress of a call of the instance.
func (p *Pool) NewProgress(instance string) Progress {
	return Progress{p: p, instance: instance, turn: make(chan struct{}, 1)}
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
	// More means that another attempt may follow.
	More bool
}

// Report takes note of the progress of a call. It returns the error of a write
// that it made at once.
func (a *Call) Report(ctx context.Context, at Attempt, payload history.Payload) error {
	g := &a.Progress
	now, err := g.note(ProgressKey(a.ExecutionID, at.First), at.More, payload)
	if err != nil || !now {
		return err
	}
	return g.save(ctx)
}

// note remembers progress and reports whether it is to be written now.
func (g *Progress) note(key string, more bool, payload history.Payload) (now bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last, g.known = payload, true
	if g.p == nil || g.ended {
		return false, nil
	}
	if err := Fits(payload, g.p.MaxPayload); err != nil {
		return false, err
	}
	g.dirty, g.key, g.more = true, key, more
	wait := g.p.Keeper.Length/2 - g.p.Exec.Clock.Now().Sub(g.saved)
	if g.saved.IsZero() || wait <= 0 {
		return true, nil
	}
	g.arm(wait)
	return false, nil
}

func (g *Progress) arm(wait time.Duration) {
	if g.alarm == nil {
		g.alarm = g.p.Exec.Clock.AfterFunc(wait, func() { g.p.Exec.Go(g.late) })
	}
}

// Reported is the newest progress of the call, of this run or of one before; nil
// when there is none.
func (a *Call) Reported(ctx context.Context, at Attempt) (history.Payload, error) {
	g := &a.Progress
	g.mu.Lock()
	known, last := g.known || g.p == nil, g.last
	g.mu.Unlock()
	if known {
		return last, nil
	}
	key := ProgressKey(a.ExecutionID, at.First)
	read, err := g.p.Store.Progress(ctx, g.instance, key)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known || err != nil {
		return g.last, err
	}
	g.key, g.more = key, at.More
	g.last, g.known, g.stored = read, true, read != nil
	return read, nil
}

// save writes what is new.
func (g *Progress) save(ctx context.Context) error {
	select {
	case g.turn <- struct{}{}:
		defer func() { <-g.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	g.mu.Lock()
	key, last, dirty := g.key, g.last, g.dirty
	g.stored = g.stored || dirty
	g.dirty = false
	g.mu.Unlock()
	if !dirty {
		return nil
	}
	err := g.p.Store.SaveProgress(ctx, g.instance, key, last)
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		g.dirty = true
	} else {
		g.saved = g.p.Exec.Clock.Now()
	}
	return err
}

// late writes what came too soon after the last write.
func (g *Progress) late(ctx context.Context) {
	g.mu.Lock()
	g.alarm = nil
	ended := g.ended
	g.mu.Unlock()
	if ended {
		return
	}
	if err := g.save(ctx); err != nil && ctx.Err() == nil {
		g.p.Exec.Failed(ctx, err)
		g.mu.Lock()
		defer g.mu.Unlock()
		if !g.ended {
			g.arm(g.p.Keeper.Length / 10)
		}
	}
}

// end notes the end of the run. One without a result leaves its progress to the
// next.
func (g *Progress) end(ctx context.Context, result bool) {
	g.mu.Lock()
	g.ended = true
	if g.alarm != nil {
		g.alarm()
		g.alarm = nil
	}
	leave := !result && g.p != nil && g.dirty
	g.mu.Unlock()
	if !leave {
		return
	}
	if err := g.save(ctx); err != nil && ctx.Err() == nil {
		g.p.Log.Warn("the progress of an activity was not stored", "instance", g.instance, "error", err)
	}
}

// Settled removes the progress of a call whose end is stored, unless another
// attempt may want it. That of a policy which gave up early goes with its
// instance.
func (g *Progress) Settled(end *history.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.stored || g.more && end.Failure != nil && !end.Failure.NonRetriable {
		return
	}
	g.stored = false
	key := g.key
	g.p.Exec.Go(func(ctx context.Context) {
		if err := g.p.Store.SaveProgress(ctx, g.instance, key, nil); err != nil && ctx.Err() == nil {
			g.p.Log.Warn("the progress of an activity was not removed; it goes with its instance", "instance", g.instance, "error", err)
		}
	})
}
