package worker

import (
	"context"
	"errors"
	"sync"

	"github.com/durable-go/functions/internal/entity"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/journal"
)

// Wake puts an alarm into the mailbox of an entity.
func (h host) Wake(id string) { h.post(id, entity.Alarm{}) }

// Answered gives an answer to the client of this process that waits for it.
func (h host) Answered(id, telling string, answer history.Payload) {
	h.answers.came(id, telling, answer)
}

// RunBatch runs operations in a slot.
func (h host) RunBatch(ctx context.Context, run func()) error {
	if err := h.batches.take(ctx); err != nil {
		return err
	}
	defer h.batches.put()
	run()
	return nil
}

// RunOperation runs an operation of an entity, known to the journal.
func (h host) RunOperation(ctx context.Context, c journal.Code, deliveries int, run func()) error {
	running, err := h.Journal.Begin(ctx, c, deliveries)
	if journal.IsElsewhere(err) {
		return err
	}
	if err != nil {
		return errors.Join(ctx.Err(), err)
	}
	defer running.Return(false)
	run()
	return nil
}

// answers give what entities answer to clients of this process.
type answers struct {
	mu      sync.Mutex // guards waiting
	waiting map[answerKey]chan history.Payload
}

type answerKey struct{ id, telling string }

// AwaitAnswer returns a channel that gets the answer to a telling when an entity of this
// process makes it, and a function that ends the wait.
func (w *Worker) AwaitAnswer(id, telling string) (answer <-chan history.Payload, stop func()) {
	a, key := &w.answers, answerKey{id, telling}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting == nil {
		a.waiting = map[answerKey]chan history.Payload{}
	}
	c := a.waiting[key]
	if c == nil {
		c = make(chan history.Payload, 1)
		a.waiting[key] = c
	}
	return c, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.waiting, key)
	}
}

func (a *answers) came(id, telling string, answer history.Payload) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.waiting[answerKey{id, telling}]; c != nil {
		select {
		case c <- answer:
		default: // it has one
		}
	}
}
