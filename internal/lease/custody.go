package lease

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Custody is the messages that this process holds for one room: an orchestration,
// whose executions it outlives, or an entity. Its methods are for the goroutine that
// drives the room, but for CanLook, Holding and ReleaseAll.
type Custody struct {
	// held are the leases by logical id; others read it under the lock.
	held map[string]*Lease
	// looks are those of held that mean "look".
	looks map[string]bool

	count atomic.Int32

	mu sync.Mutex // guards open, and changes of held
	// open are the looks that the room has not begun to let go: what is told while it
	// holds one needs no wake-up of its own.
	open map[string]*Lease
}

// NewCustody holds nothing yet.
func NewCustody() *Custody {
	return &Custody{held: map[string]*Lease{}, looks: map[string]bool{}}
}

// Take makes the room the owner of a lease and returns the one that counts:
// a message that is held already was delivered again, and the older lease goes on
// with the newer pop receipt.
func (c *Custody) Take(l *Lease, look bool) *Lease {
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
			c.open = map[string]*Lease{}
		}
		c.open[l.ID] = have
		c.mu.Unlock()
	}
	return have
}

// CanLook reports whether a telling that is stored needs no wake-up of its own: one
// that is held has not begun to be let go. It may be called by any goroutine.
func (c *Custody) CanLook() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.open {
		if l.Alive() {
			return true
		}
	}
	return false
}

// Close begins to let the wake-ups go: what is told from now on brings its own. A
// look must follow.
func (c *Custody) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.open)
}

// IsOpen reports whether a wake-up is held that the orchestration has not begun to
// let go.
func (c *Custody) IsOpen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open) > 0
}

// Opened reports whether the message is a wake-up that the room has not begun to let
// go.
func (c *Custody) Opened(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open[id] != nil
}

// Holding reports whether any message is held. It may be called by any goroutine.
func (c *Custody) Holding() bool { return c.count.Load() > 0 }

// Looks reports whether the message that is held is a wake-up.
func (c *Custody) Looks(id string) bool { return c.looks[id] }

// IsEmpty reports whether no message is held.
func (c *Custody) IsEmpty() bool { return len(c.held) == 0 }

// Alive returns the lease if work may be started under it, nil otherwise.
func (c *Custody) Alive(id string) *Lease {
	if l := c.held[id]; l != nil && l.Alive() {
		return l
	}
	return nil
}

// Holds reports whether the message is held, in time or not.
func (c *Custody) Holds(id string) bool {
	l := c.held[id]
	return l != nil && !l.IsOver()
}

// Any is a lease under which work may be started, the same each time while the
// same are held; nil when there is none.
func (c *Custody) Any(may func(id string) bool) *Lease {
	var best *Lease
	for id, l := range c.held {
		if may(id) && l.Alive() && (best == nil || id < best.ID) {
			best = l
		}
	}
	return best
}

// Deliveries is the highest delivery count among the messages held.
func (c *Custody) Deliveries() int {
	most := 0
	for _, l := range c.held {
		most = max(most, l.Deliveries())
	}
	return most
}

// LooksForOthers reports whether a wake-up that is held came through a queue. A process
// that had it before, as its sender or by an earlier delivery, may have committed what it
// was for, and asked for more under it.
func (c *Custody) LooksForOthers() bool {
	for id := range c.looks {
		if l := c.held[id]; l != nil && l.Deliveries() > 0 {
			return true
		}
	}
	return false
}

// Aged reports whether a message that is held was sent more than d ago.
func (c *Custody) Aged(now time.Time, d time.Duration) bool {
	for _, l := range c.held {
		if now.Sub(l.Sent) > d {
			return true
		}
	}
	return false
}

// Young reports whether a message that came through a queue was sent less than d ago.
func (c *Custody) Young(now time.Time, d time.Duration) bool {
	for _, l := range c.held {
		if l.Deliveries() > 0 && now.Sub(l.Sent) < d {
			return true
		}
	}
	return false
}

// LetGo removes the messages that nothing depends on any more.
func (c *Custody) LetGo(needed func(id string) bool) {
	for _, id := range slices.Sorted(maps.Keys(c.held)) {
		if !needed(id) {
			c.held[id].Remove()
			c.forget(id)
		}
	}
}

// PutOff lets others have a message after the delay. One that is past its time is put
// off as well: a renewal that is on its way may bring it back, and it would be renewed
// for as long as the process lives.
func (c *Custody) PutOff(id string, delay time.Duration) {
	if l := c.held[id]; l != nil {
		l.GiveBack(delay)
		c.forget(id)
	}
}

// PutOffOne puts one of the messages off that may be, and reports whether it was in time:
// one that was not may be another process's.
func (c *Custody) PutOffOne(may func(id string) bool, delay time.Duration) (inTime bool) {
	if l := c.Any(may); l != nil {
		c.PutOff(l.ID, delay)
		return true
	}
	for _, id := range slices.Sorted(maps.Keys(c.held)) {
		if may(id) {
			c.PutOff(id, delay)
			break
		}
	}
	return false
}

// forget drops a message from the custody. What becomes of it was decided.
func (c *Custody) forget(id string) {
	delete(c.looks, id)
	c.mu.Lock()
	delete(c.held, id)
	delete(c.open, id)
	c.mu.Unlock()
	c.count.Store(int32(len(c.held)))
}

// GiveBack lets others have all messages after the delay.
func (c *Custody) GiveBack(delay time.Duration) {
	c.empty(func(l *Lease) { l.GiveBack(delay) })
}

// Release is giveBack for a process whose goroutines have ended.
func (c *Custody) Release(ctx context.Context) {
	c.empty(func(l *Lease) { l.Release(ctx) })
}

// ReleaseAll gives the messages back without the goroutine that drives. It may be
// called by any goroutine.
func (c *Custody) ReleaseAll(ctx context.Context) {
	c.mu.Lock()
	held := slices.Collect(maps.Values(c.held))
	c.mu.Unlock()
	for _, l := range held {
		l.Release(ctx)
	}
}

// Drop forgets all messages as the end of the process does.
func (c *Custody) Drop() { c.empty((*Lease).Drop) }

func (c *Custody) empty(each func(*Lease)) {
	c.Close()
	for _, id := range slices.Sorted(maps.Keys(c.held)) {
		each(c.held[id])
		c.forget(id)
	}
}
