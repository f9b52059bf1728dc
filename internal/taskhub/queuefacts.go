package taskhub

import (
	"context"
	"time"
)

// QueueFacts is what can be seen of a queue from outside.
type QueueFacts struct {
	Name string
	// Messages is about how many there are, those that somebody holds included.
	Messages int
	// Oldest is when the first visible message was put on the queue; zero when
	// none is visible.
	Oldest time.Time
	// Missing means that there is no such queue.
	Missing bool
}

// Gauge is a store that says how full queues are.
type Gauge interface {
	// Queue looks at a queue, with two requests. It takes nothing from it.
	Queue(ctx context.Context, name string) (QueueFacts, error)
}
