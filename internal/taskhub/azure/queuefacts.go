package azure

import (
	"context"
	"fmt"

	"github.com/durable-go/functions/internal/taskhub"
)

var _ taskhub.Gauge = (*Hub)(nil)

// Queue reads the queue's properties and peeks at its first message.
func (h *Hub) Queue(ctx context.Context, name string) (taskhub.QueueFacts, error) {
	facts := taskhub.QueueFacts{Name: name}
	properties, err := h.queue(name).GetProperties(ctx, nil)
	if noHub(err) {
		facts.Missing = true
		return facts, nil
	}
	if err != nil {
		return facts, fmt.Errorf("reading the properties of queue %s: %w", name, err)
	}
	if n := properties.ApproximateMessagesCount; n != nil {
		facts.Messages = int(*n)
	}
	if facts.Messages == 0 {
		return facts, nil
	}
	peeked, err := h.queue(name).PeekMessage(ctx, nil)
	if err != nil {
		return facts, fmt.Errorf("peeking at queue %s: %w", name, err)
	}
	for _, m := range peeked.Messages {
		if m.InsertionTime != nil {
			facts.Oldest = m.InsertionTime.UTC()
		}
	}
	return facts, nil
}
