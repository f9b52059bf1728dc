package memory

import (
	"context"
	"fmt"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

type queue struct {
	messages []*message
	// wake is closed when a message may have become visible; nil when nobody
	// waits.
	wake chan struct{}
}

type message struct {
	id, receipt, body string
	visible, inserted time.Time
	dequeued          int
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

func (q *queue) notify() {
	if q.wake != nil {
		close(q.wake)
		q.wake = nil
	}
}

// Wake returns a channel that is closed when a message of the queue was sent or
// given back.
func (h *Hub) Wake(name string) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	q := h.queue(name)
	if q.wake == nil {
		q.wake = make(chan struct{})
	}
	return q.wake
}

// Send puts a message on the queue.
func (h *Hub) Send(ctx context.Context, name string, m *taskhub.Message, delay time.Duration) (*taskhub.Lease, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return h.Put(name, taskhub.EncodeBody(taskhub.EncodeMessage(m)), delay), nil
}

// Put puts a text on the queue, as a foreign client may.
func (h *Hub) Put(name, body string, delay time.Duration) *taskhub.Lease {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.options.Now()
	delay = (min(max(delay, 0), taskhub.MaxDelay) + time.Second - 1).Truncate(time.Second)
	stored := &message{id: h.tag(), receipt: h.tag(), body: body, inserted: now, visible: now.Add(delay)}
	q := h.queue(name)
	q.messages = append(q.messages, stored)
	if delay == 0 {
		q.notify()
	}
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
	if hide <= 0 {
		q.notify()
	}
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
	}
	return nil
}

// Pending is the number of messages of a queue, hidden ones included.
func (h *Hub) Pending(name string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.queue(name).messages)
}
