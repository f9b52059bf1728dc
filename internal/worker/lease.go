package worker

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// held is a message that this process holds. It keeps the message hidden until
// it is removed, given back or lost.
type held struct {
	w  *Worker
	id string // logical id of the message
	// dequeued is the delivery count of the message when it was taken.
	dequeued int
	// aged says that the message was sent a while before it came, which may have
	// been to others first.
	aged bool

	// ended is closed when the message is no longer ours.
	ended chan struct{}
	// lost is closed when somebody else has the message.
	lost chan struct{}

	mu    sync.Mutex // serialises the calls to the queue service; guards the rest
	lease *taskhub.Lease
	over  bool // removed, given back or lost; ended is closed then
	// hosted says that the Functions host handed the message over and removes
	// it when its invocation is answered.
	hosted bool
	stop   func() bool
}

// hold starts to renew a lease that the worker was given.
func (w *Worker) hold(id string, lease *taskhub.Lease, dequeued int) *held {
	h := &held{w: w, id: id, lease: lease, dequeued: dequeued, ended: make(chan struct{}), lost: make(chan struct{})}
	h.mu.Lock()
	h.arm()
	w.Journal.Hold(lease, dequeued)
	h.mu.Unlock()
	return h
}

// end notes that the message is no longer ours. The caller holds the lock.
func (h *held) end() {
	h.over = true
	h.w.Journal.LetGo(h.lease)
	close(h.ended)
	h.stop()
}

// arm plans the next renewal for half of the remaining time.
func (h *held) arm() {
	wait := h.lease.Until.Sub(h.w.clock.Now()) / 2
	h.stop = h.w.clock.AfterFunc(max(wait, 0), func() { h.w.spawn(h.renew) })
}

func (h *held) renew(ctx context.Context) {
	if h.extend(ctx) {
		h.w.checkEnded(ctx, h)
	}
}

// extend renews the lease and reports whether it is ours for another time.
func (h *held) extend(ctx context.Context) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return false
	}
	err := h.w.Store.Renew(ctx, h.lease, h.w.Lease)
	switch {
	case err == nil:
		h.w.Journal.Hold(h.lease, h.dequeued)
		h.arm()
	case errors.Is(err, taskhub.ErrLeaseLost):
		h.end()
		close(h.lost)
		h.w.log.Warn("lease lost: another process works on the message", "message", h.id, "queue", h.lease.Queue)
	case ctx.Err() == nil:
		h.w.storage.failed(ctx, err)
		h.stop = h.w.clock.AfterFunc(h.w.Lease/10, func() { h.w.spawn(h.renew) })
	}
	return err == nil
}

// alive tells whether work may still be started under the lease: somebody else
// may have the message after its time.
func (h *held) alive() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.over && h.w.clock.Now().Before(h.lease.Until)
}

// isOver tells whether the message is no longer ours.
func (h *held) isOver() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.over
}

// deliveries is how often the message was delivered.
func (h *held) deliveries() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dequeued
}

// absorb takes over a newer delivery of the same message, of which newer is the
// lease: only its pop receipt is good from now on.
func (h *held) absorb(ctx context.Context, newer *held) {
	newer.mu.Lock()
	lease := newer.lease
	gone := newer.over
	if !gone {
		newer.end()
	}
	newer.mu.Unlock()
	if gone {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return
	}
	h.stop()
	h.lease = lease
	h.dequeued = max(h.dequeued, newer.dequeued)
	// The host would remove the message when the newer delivery is answered, so
	// that one's pop receipt must not stay the good one.
	if err := h.w.Store.Renew(ctx, h.lease, h.w.Lease); err != nil {
		h.w.storage.failed(ctx, err)
	}
	h.w.Journal.Hold(h.lease, h.dequeued)
	h.hosted = false
	h.arm()
}

// sameMessage tells whether two leases are of one message of a queue.
func (h *held) sameMessage(other *held) bool {
	h.mu.Lock()
	id := h.lease.MessageID
	h.mu.Unlock()
	other.mu.Lock()
	defer other.mu.Unlock()
	return other.lease.MessageID == id
}

// remove deletes the message: all that it caused is durable elsewhere.
func (h *held) remove(ctx context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return
	}
	// The host deletes the message only, not the blob that it may have.
	if !h.hosted || taskhub.StubBlob(h.lease.Body) != nil {
		if err := h.w.Store.Remove(ctx, h.lease); err != nil {
			h.w.storage.failed(ctx, err)
		}
	}
	h.end()
}

// giveBack lets others have the message after the delay. It is best effort: the
// lease ends by itself.
func (h *held) giveBack(ctx context.Context, delay time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return
	}
	if !h.sendAnew(ctx, delay) {
		if err := h.w.Store.Renew(ctx, h.lease, delay); err != nil && !errors.Is(err, taskhub.ErrLeaseLost) {
			h.w.storage.failed(ctx, err)
		}
	}
	h.end()
}

// manyDeliveries is the delivery count from which a message that is given back
// is sent anew.
const manyDeliveries = 5

// sendAnew replaces the message by a copy that was never delivered. Many
// deliveries are the mark of work that ends the process, but a process that
// gives a message back is alive: an instance that waits for other code must not
// be blamed when that comes. A message that is young is left alone: its age tells
// how long a name may be unknown. It reports whether the message was replaced.
func (h *held) sendAnew(ctx context.Context, delay time.Duration) bool {
	if h.dequeued < manyDeliveries {
		return false
	}
	m, err := h.w.Store.Open(ctx, []byte(h.lease.Body))
	if err != nil || h.w.clock.Now().Sub(m.Event.Timestamp) <= unknownPatience {
		return false
	}
	if m.ID == "" {
		m.ID = h.id
	}
	if _, err := h.w.Store.Send(ctx, h.lease.Queue, m, delay); err != nil {
		return false
	}
	// A copy too many is recognised by its id.
	if err := h.w.Store.Remove(ctx, h.lease); err != nil {
		h.w.storage.failed(ctx, err)
	}
	return true
}

// adopt replaces the lease of the host, which may be much longer than ours, by
// our own.
func (h *held) adopt(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return nil
	}
	if err := h.w.Store.Renew(ctx, h.lease, h.w.Lease); err != nil {
		return err
	}
	h.w.Journal.Hold(h.lease, h.dequeued)
	h.hosted = false
	h.stop()
	h.arm()
	return nil
}
