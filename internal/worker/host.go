package worker

import (
	"context"
	"errors"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/journal"
	"github.com/durable-go/functions/internal/orchestration"
	"github.com/durable-go/functions/internal/taskhub"
)

// host is what orchestrations see of the worker.
type host struct{ *Worker }

func (h host) Post(id string, items ...orchestration.Item) {
	all := make([]any, len(items))
	for i, it := range items {
		all[i] = it
	}
	h.post(id, all...)
}

func (h host) HandOver(d taskhub.Delivery, row *taskhub.Instance) { h.handOver(d, row) }

func (h host) RowChanged(id string) { h.watches.changed(id) }

// RunCode runs code of an orchestrator in a slot, known to the journal and watched.
func (h host) RunCode(ctx context.Context, c journal.Code, deliveries int, eng *engine.Instance, run func() error) error {
	if blocked := h.watchdog.isStuck(c.Instance); blocked != nil {
		return orchestration.Parked(blocked)
	}
	if err := h.turns.take(ctx); err != nil {
		return err
	}
	defer h.turns.put()
	running, err := h.Journal.Begin(ctx, c, deliveries)
	if journal.IsElsewhere(err) {
		return err
	}
	if err != nil {
		return errors.Join(ctx.Err(), blame(ctx, err))
	}
	left := false
	defer func() { running.Return(left) }()
	err = h.watchdog.watch(eng, run)
	if blocked := new(engine.BlockedError); errors.As(err, &blocked) {
		left = true
		h.watchdog.whenBack(blocked, running.Gone)
	}
	return err
}

func blame(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return &orchestration.Blame{Cause: err}
}

// CloseCode ends the code of an orchestration. Its deferred calls run, and may block
// like all other code.
func (h host) CloseCode(eng *engine.Instance) {
	_ = h.watchdog.watch(eng, func() error {
		eng.Close()
		return nil
	})
}
