package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/durable-go/functions/internal/taskhub"
)

// List reads a page of rows.
func (h *Hub) List(ctx context.Context, q taskhub.Query) (*taskhub.Page, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	after := ""
	if q.Token != "" {
		position, err := taskhub.DecodeToken("memory", 1, q.Token)
		if err != nil {
			return nil, fmt.Errorf("listing instances: %w", err)
		}
		after = position[0]
	}
	page := &taskhub.Page{}
	if q.Empty() {
		return page, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var room taskhub.Room
	for _, row := range h.matching(&q, after) {
		bare := *row
		if q.WithoutPayloads || q.WithoutInput {
			bare.Input = nil
		}
		if q.WithoutPayloads {
			bare.Output = nil
		}
		if len(page.Instances) == q.Size() || !room.Takes(&bare) {
			last := page.Instances[len(page.Instances)-1]
			page.Token = taskhub.EncodeToken("memory", taskhub.EscapeKey(last.ID))
			break
		}
		page.Instances = append(page.Instances, clone(&bare))
	}
	return page, nil
}

// matching are the rows that pass, after a key, in the order of the keys. The
// caller holds the lock.
func (h *Hub) matching(q *taskhub.Query, after string) []*taskhub.Instance {
	var out []*taskhub.Instance
	for id, row := range h.instances {
		if taskhub.EscapeKey(id) > after && q.Match(row) {
			out = append(out, row)
		}
	}
	slices.SortFunc(out, func(a, b *taskhub.Instance) int {
		return cmp.Compare(taskhub.EscapeKey(a.ID), taskhub.EscapeKey(b.ID))
	})
	return out
}

// Purge removes the row and the history, at once.
func (h *Hub) Purge(ctx context.Context, id, etag string) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	rows := 0
	if l := h.histories[id]; l != nil && l.fence.ETag != "" {
		rows = len(l.rows) + 1
	}
	if in := h.inboxes[id]; in != nil {
		rows += len(in.rows) + len(in.receipts)
	}
	if _, err := h.current(id, etag); err == nil {
		rows++
	} else if h.instances[id] != nil || rows == 0 {
		return 0, err
	}
	delete(h.instances, id)
	delete(h.histories, id)
	delete(h.inboxes, id)
	h.forget(id)
	return rows, nil
}

// Clear removes an entity, but for its inbox.
func (h *Hub) Clear(ctx context.Context, id string, fence taskhub.Fence, etag string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if fence.ETag != "" {
		if l := h.histories[id]; l == nil || l.fence.ETag != fence.ETag {
			return fmt.Errorf("clearing %q: %w", id, taskhub.ErrConflict)
		}
		delete(h.histories, id)
	}
	if etag != "" {
		if _, err := h.current(id, etag); err == nil {
			delete(h.instances, id)
		}
	}
	return nil
}
