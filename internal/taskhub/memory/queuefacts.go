package memory

import (
	"context"

	"github.com/durable-go/functions/internal/taskhub"
)

var _ taskhub.Gauge = (*Hub)(nil)

// Queue looks at a queue.
func (h *Hub) Queue(ctx context.Context, name string) (taskhub.QueueFacts, error) {
	facts := taskhub.QueueFacts{Name: name}
	if err := ctx.Err(); err != nil {
		return facts, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	q := h.queues[name]
	if q == nil {
		facts.Missing = true
		return facts, nil
	}
	facts.Messages = len(q.messages)
	now := h.options.Now()
	for _, m := range q.messages {
		if !m.visible.After(now) && (facts.Oldest.IsZero() || m.inserted.Before(facts.Oldest)) {
			facts.Oldest = m.inserted
		}
	}
	return facts, nil
}
