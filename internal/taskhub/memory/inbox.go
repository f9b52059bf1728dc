package memory

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// inbox is what was told an instance.
type inbox struct {
	rows map[string]*told
	// receipts have the time at which each was stored.
	receipts map[string]time.Time
	// answers are by the key of the receipt.
	answers map[string]history.Payload
}

func newInbox() *inbox {
	return &inbox{rows: map[string]*told{}, receipts: map[string]time.Time{}, answers: map[string]history.Payload{}}
}

// answer stores what a commit answers. The caller holds the lock.
func (h *Hub) answer(id string, a taskhub.Answer) {
	in := h.inboxes[id]
	if in == nil {
		in = newInbox()
		h.inboxes[id] = in
	}
	key := taskhub.ReceiptKey(a.Telling)
	in.receipts[key], in.answers[key] = h.stamp(), bytes.Clone(a.Payload)
}

// Answer reads the answer to a telling.
func (h *Hub) Answer(ctx context.Context, id, telling string) (history.Payload, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if in := h.inboxes[id]; in != nil {
		return in.answers[taskhub.ReceiptKey(telling)], nil
	}
	return nil, nil
}

// told is an inbox row.
type told struct {
	raw    []byte
	stored time.Time
}

// Tell stores tellings with their receipts.
func (h *Hub) Tell(ctx context.Context, id string, tellings ...*taskhub.Telling) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, t := range tellings {
		if err := t.Check(); err != nil {
			return fmt.Errorf("telling instance %q: %w", id, err)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	in := h.inboxes[id]
	if err := in.admit(tellings); err != nil {
		return fmt.Errorf("telling instance %q: %w", id, err)
	}
	if in == nil {
		in = newInbox()
		h.inboxes[id] = in
	}
	for _, t := range tellings {
		receipt := taskhub.ReceiptKey(t.ID)
		if _, told := in.receipts[receipt]; told {
			continue
		}
		now := h.stamp()
		key := t.Key(nil)
		in.receipts[receipt] = now
		if t.Voids != "" {
			in.receipts[taskhub.ReceiptKey(t.Voids)] = now
		}
		in.rows[key] = &told{taskhub.AppendInboxRow(nil, taskhub.EscapeKey(id), key, t, nil), now}
	}
	h.touch()
	return nil
}

// admit refuses what would be one event too many.
func (in *inbox) admit(tellings []*taskhub.Telling) error {
	if in == nil {
		return nil
	}
	for _, t := range tellings {
		if _, told := in.receipts[taskhub.ReceiptKey(t.ID)]; told || t.Control() || t.Limit == 0 && t.LimitBytes == 0 {
			continue
		}
		n, size := in.events()
		if t.Limit > 0 && n >= t.Limit || t.LimitBytes > 0 && size >= t.LimitBytes {
			return taskhub.Crowded(n, size)
		}
	}
	return nil
}

// events counts the rows that are no control rows, and about the bytes of their data.
func (in *inbox) events() (n, size int) {
	for key, row := range in.rows {
		if key >= taskhub.RestFrom {
			n, size = n+1, size+len(row.raw)
		}
	}
	return n, size
}

// stamp is a time for a write, different from that of every other one. The
// caller holds the lock.
func (h *Hub) stamp() time.Time {
	now := h.options.Now().UTC().Truncate(100 * time.Nanosecond)
	if !now.After(h.stamped) {
		now = h.stamped.Add(100 * time.Nanosecond)
	}
	h.stamped = now
	return now
}

// Look reads the inbox.
func (h *Hub) Look(ctx context.Context, id string, o taskhub.LookOptions) (*taskhub.Inbox, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if o.Now.IsZero() {
		o.Now = h.options.Now()
	}
	in := h.inboxes[id]
	if in == nil {
		return &taskhub.Inbox{}, nil
	}
	var rows []*taskhub.InboxRow
	for key, t := range in.rows {
		row := &taskhub.InboxRow{Key: key, Stored: t.stored}
		if o.ControlOnly && !row.Control() {
			continue
		}
		rows = append(rows, row)
	}
	found := taskhub.Arrange(rows, taskhub.Unread{}, o)
	size := 0
	for i, r := range found.Rows {
		if size >= taskhub.MaxLookBytes {
			found.Cut(i)
			break
		}
		size += len(in.rows[r.Key].raw)
		found.Rows[i] = taskhub.DecodeInboxRow(in.rows[r.Key].raw, nil)
		found.Rows[i].Stored = r.Stored
	}
	return found, nil
}

// Discard deletes inbox rows.
func (h *Hub) Discard(ctx context.Context, id string, keys ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if in := h.inboxes[id]; in != nil {
		in.remove(keys)
	}
	return nil
}

func (in *inbox) remove(keys []string) {
	for _, key := range keys {
		delete(in.rows, key)
	}
}

// has reports whether all rows are there.
func (in *inbox) has(keys []string) bool {
	for _, key := range keys {
		if in == nil || in.rows[key] == nil {
			return false
		}
	}
	return true
}

// ForgetReceipts deletes old receipts.
func (h *Hub) ForgetReceipts(ctx context.Context, id string, before time.Time) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	if in := h.inboxes[id]; in != nil {
		for key, stored := range in.receipts {
			if n < maxForgotten && stored.Before(before) {
				delete(in.receipts, key)
				delete(in.answers, key)
				n++
			}
		}
	}
	return n, nil
}

// maxForgotten is how many receipts one call deletes.
const maxForgotten = 1000

// Head reads the fence.
func (h *Hub) Head(ctx context.Context, id string) (taskhub.Fence, error) {
	if err := ctx.Err(); err != nil {
		return taskhub.Fence{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if l := h.histories[id]; l != nil && l.fence.ETag != "" {
		return l.fence, nil
	}
	return taskhub.Fence{}, nil
}
