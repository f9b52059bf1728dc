package orchestration

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/durable-go/functions/internal/lease"
)

// custody is the messages that this process holds for one orchestration. It
// outlives executions. Its methods are for the goroutine that drives, but for
// canLook and holding.
type custody struct {
	// held are the leases by logical id; others read it under the lock.
	held map[string]*lease.Lease
	// looks are those of held that mean "look": what was told while one of them is
	// open needs no wake-up of its own. closed are those that the orchestration has
	// begun to let go: it looks once more after that.
	looks map[string]bool

	count atomic.Int32

	mu   sync.Mutex // guards open, and changes of held
	open map[string]*lease.Lease
}

func newCustody() *custody {
	return &custody{held: map[string]*lease.Lease{}, looks: map[string]bool{}}
}

// take makes the orchestration the owner of a lease and returns the one that counts:
// a message that is held already was delivered again, and the older lease goes on
// with the newer pop receipt.
func (c *custody) take(l *lease.Lease, look bool) *lease.Lease {
	have := c.held[l.ID]
	if have == nil || have.IsOver() {
		c.mu.Lock()
		c.held[l.ID], have = l, l
		c.mu.Unlock()
		c.count.Store(int32(len(c.held)))
	} else {
		have.Absorb(l)
	}
	if look {
		c.looks[l.ID] = true
		c.mu.Lock()
		if c.open == nil {
			c.open = map[string]*lease.Lease{}
		}
		c.open[l.ID] = have
		c.mu.Unlock()
	}
	return have
}

// canLook reports whether a telling that is stored needs no wake-up of its own: one
// that is held has not begun to be let go. It may be called by any goroutine.
func (c *custody) canLook() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.open {
		if l.Alive() {
			return true
		}
	}
	return false
}

// close begins to let the wake-ups go: what is told from now on brings its own. A
// look must follow.
func (c *custody) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.open)
}

// isOpen reports whether a wake-up is held that the orchestration has not begun to
// let go.
func (c *custody) isOpen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open) > 0
}

func (c *custody) opened(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open[id] != nil
}

// holding reports whether any message is held. It may be called by any goroutine.
func (c *custody) holding() bool { return c.count.Load() > 0 }

// alive returns the lease if work may be started under it, nil otherwise.
func (c *custody) alive(id string) *lease.Lease {
	if l := c.held[id]; l != nil && l.Alive() {
		return l
	}
	return nil
}

// any is a lease under which work may be started, the same each time while the
// same are held; nil when there is none.
func (c *custody) any(may func(id string) bool) *lease.Lease {
	var best *lease.Lease
	for id, l := range c.held {
		if may(id) && l.Alive() && (best == nil || id < best.ID) {
			best = l
		}
	}
	return best
}

// deliveries is the highest delivery count among the messages held.
func (c *custody) deliveries() int {
	most := 0
	for _, l := range c.held {
		most = max(most, l.Deliveries())
	}
	return most
}

// aged reports whether a message that is held was sent more than d ago.
func (c *custody) aged(now time.Time, d time.Duration) bool {
	for _, l := range c.held {
		if now.Sub(l.Sent) > d {
			return true
		}
	}
	return false
}

// young reports whether a message that came through a queue was sent less than d ago.
func (c *custody) young(now time.Time, d time.Duration) bool {
	for _, l := range c.held {
		if l.Deliveries() > 0 && now.Sub(l.Sent) < d {
			return true
		}
	}
	return false
}

// letGo removes the messages that nothing depends on any more.
func (c *custody) letGo(needed func(id string) bool) {
	for id, l := range c.held {
		if !needed(id) {
			l.Remove()
			c.forget(id)
		}
	}
}

func (c *custody) forget(id string) {
	delete(c.looks, id)
	c.mu.Lock()
	delete(c.held, id)
	delete(c.open, id)
	c.mu.Unlock()
	c.count.Store(int32(len(c.held)))
}

// giveBack lets others have all messages after the delay.
func (c *custody) giveBack(delay time.Duration) {
	c.empty(func(l *lease.Lease) { l.GiveBack(delay) })
}

// release is giveBack for a process whose goroutines have ended.
func (c *custody) release(ctx context.Context) {
	c.empty(func(l *lease.Lease) { l.Release(ctx) })
}

// releaseAll gives the messages back without the goroutine that drives. It may be
// called by any goroutine.
func (c *custody) releaseAll(ctx context.Context) {
	c.mu.Lock()
	held := slices.Collect(maps.Values(c.held))
	c.mu.Unlock()
	for _, l := range held {
		l.Release(ctx)
	}
}

// drop forgets all messages as the end of the process does.
func (c *custody) drop() { c.empty((*lease.Lease).Drop) }

func (c *custody) empty(each func(*lease.Lease)) {
	c.close()
	for id, l := range c.held {
		each(l)
		c.forget(id)
	}
}
