package memory

import (
	"context"
	"fmt"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

type queue struct {
	messages []*message
	// wake is closed when a message is visible before due, of which its waiters
	// know; nil when nobody waits.
	wake chan struct{}
	due  time.Time
}

type message struct {
	id, receipt, body string
	visible, inserted time.Time
	dequeued          int
	// target is the instance that it is for; empty when nobody can tell.
	target string
}

// queue finds or makes a queue. The caller holds the lock.
func (h *Hub) queue(name string) *queue {
	q := h.queues[name]
	if q == nil {
		q = &queue{}
		h.queues[name] = q
	}
	return q
}

// notify tells those who wait that a message is visible from then on.
func (q *queue) notify(visible time.Time) {
	if q.wake != nil && (q.due.IsZero() || visible.Before(q.due)) {
		close(q.wake)
		q.wake = nil
	}
}

// Wake returns a channel that is closed when a message of the queue comes, or
// is to be visible earlier than due. due is when the first of the hidden ones is
// visible, zero when there is none.
func (h *Hub) Wake(name string) (wake <-chan struct{}, due time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	q, now := h.queue(name), h.options.Now()
	if q.wake == nil {
		q.wake = make(chan struct{})
	}
	for _, m := range q.messages {
		if m.visible.After(now) && (due.IsZero() || m.visible.Before(due)) {
			due = m.visible
		}
	}
	q.due = due
	return q.wake, due
}

// Send puts a message on the queue.
func (h *Hub) Send(ctx context.Context, name string, m *taskhub.Message, delay time.Duration) (*taskhub.Lease, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return h.put(name, taskhub.EncodeBody(taskhub.EncodeMessage(m)), m.Target.InstanceID, delay), nil
}

// Put puts a text on the queue, as a foreign client may.
func (h *Hub) Put(name, body string, delay time.Duration) *taskhub.Lease {
	target := ""
	if m, err := taskhub.DecodeMessage([]byte(body)); err == nil {
		target = m.Target.InstanceID
	}
	return h.put(name, body, target, delay)
}

func (h *Hub) put(name, body, target string, delay time.Duration) *taskhub.Lease {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.options.Now()
	delay = (min(max(delay, 0), taskhub.MaxDelay) + time.Second - 1).Truncate(time.Second)
	stored := &message{id: h.tag(), receipt: h.tag(), body: body, target: target, inserted: now, visible: now.Add(delay)}
	q := h.queue(name)
	q.messages = append(q.messages, stored)
	q.notify(stored.visible)
	h.touch()
	return stored.lease(name)
}

func (m *message) lease(queue string) *taskhub.Lease {
	return &taskhub.Lease{Queue: queue, MessageID: m.id, PopReceipt: m.receipt, Body: m.body, Until: m.visible}
}

// Receive takes visible messages, oldest first.
func (h *Hub) Receive(ctx context.Context, name string, most int, hide time.Duration) ([]taskhub.Delivery, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.options.Now()
	var out []taskhub.Delivery
	for _, m := range h.queue(name).messages {
		if len(out) == most {
			break
		}
		if m.visible.After(now) {
			continue
		}
		m.receipt, m.visible = h.tag(), now.Add(hide)
		m.dequeued++
		d := taskhub.Delivery{Lease: m.lease(name), Dequeued: m.dequeued, Inserted: m.inserted}
		d.Message, d.Err = h.Open(ctx, []byte(m.body))
		if d.Message != nil && d.Message.ID == "" {
			d.Message.ID = m.id
		}
		out = append(out, d)
	}
	return out, nil
}

// Open decodes the text of a message.
func (h *Hub) Open(_ context.Context, body []byte) (*taskhub.Message, error) {
	return taskhub.DecodeMessage(body)
}

// held finds the message of a lease that is still good. The caller holds the
// lock.
func (h *Hub) held(l *taskhub.Lease) (q *queue, place int, err error) {
	q = h.queue(l.Queue)
	for i, m := range q.messages {
		if m.id == l.MessageID && m.receipt == l.PopReceipt {
			return q, i, nil
		}
	}
	return q, 0, fmt.Errorf("message %s of queue %s: %w", l.MessageID, l.Queue, taskhub.ErrLeaseLost)
}

// Renew hides the message for another time.
func (h *Hub) Renew(ctx context.Context, l *taskhub.Lease, hide time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	q, place, err := h.held(l)
	if err != nil {
		return err
	}
	m := q.messages[place]
	m.receipt = h.tag()
	m.visible = h.options.Now().Add((hide + time.Second - 1).Truncate(time.Second))
	l.PopReceipt, l.Until = m.receipt, m.visible
	q.notify(m.visible)
	h.touch()
	return nil
}

// Remove deletes the message.
func (h *Hub) Remove(ctx context.Context, l *taskhub.Lease) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if q, place, err := h.held(l); err == nil {
		q.messages = append(q.messages[:place], q.messages[place+1:]...)
		h.touch()
	}
	return nil
}

// Pending is the number of messages of a queue, hidden ones included.
func (h *Hub) Pending(name string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.queue(name).messages)
}

// Changed returns a channel that is closed when a message of any queue next is
// sent, renewed or removed.
func (h *Hub) Changed() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.changed == nil {
		h.changed = make(chan struct{})
	}
	return h.changed
}

// touch tells those who wait for a change. The caller holds the lock.
func (h *Hub) touch() {
	if h.changed != nil {
		close(h.changed)
		h.changed = nil
	}
}

// Messages decodes the messages of a queue, hidden ones included. Those that do
// not decode are left out.
func (h *Hub) Messages(name string) []*taskhub.Message {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []*taskhub.Message
	for _, stored := range h.queue(name).messages {
		if m, err := taskhub.DecodeMessage([]byte(stored.body)); err == nil {
			out = append(out, m)
		}
	}
	return out
}

// Expects reports whether there is a message, in any queue, for an instance that
// has not finished and is not parked: something will still happen.
func (h *Hub) Expects() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, q := range h.queues {
		for _, m := range q.messages {
			if m.target == "" {
				continue
			}
			if row := h.instances[m.target]; row == nil || !row.Status.Finished() && row.Parked == "" {
				return true
			}
		}
	}
	return false
}
