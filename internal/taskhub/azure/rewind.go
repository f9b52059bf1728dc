package azure

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/taskhub"
)

// Rewind merges the marks into their rows: a commit that appends nothing.
func (h *Hub) Rewind(ctx context.Context, r *taskhub.Rewind) (taskhub.Fence, error) {
	if err := r.Check(); err != nil {
		return taskhub.Fence{}, fmt.Errorf("rewinding instance %q: %w", r.InstanceID, err)
	}
	w := &writer{
		hub: h, partition: taskhub.EscapeKey(r.InstanceID), rows: len(r.Marks), fence: r.Fence, state: r.StateAfter,
		commit: &taskhub.Commit{InstanceID: r.InstanceID, ExecutionID: r.Fence.ExecutionID, Fence: r.Fence, Nonce: r.Nonce, Time: r.Time},
		// Nothing is deleted or written over.
		apart: true, over: true,
	}
	w.fence.Rewinds++
	w.put = func(b *storage.Batch, next *sentinel) error {
		m := r.Marks[next.step]
		row := taskhub.RowKey(r.Fence.FirstRow + uint64(m.Event))
		e := newEntity(w.partition, row)
		if m.Generic {
			e.text("EventType", history.GenericEvent.String())
		}
		e.text("Reason", m.Reason)
		raw, err := e.end()
		b.Merge(h.account, w.partition, row, string(azcore.ETagAny), raw)
		return err
	}
	if err := w.write(ctx); err != nil {
		return taskhub.Fence{}, fmt.Errorf("rewinding instance %q: %w", r.InstanceID, err)
	}
	return w.fence, nil
}
