package memory

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// log is the history of one instance.
type log struct {
	fence taskhub.Fence
	nonce string
	step  int
	rows  []row
}

type row struct {
	number uint64
	raw    []byte
	// event is what raw says, once somebody has asked.
	event *history.Event
}

// Commit appends events, in as many transactions as the real storage needs.
func (h *Hub) Commit(ctx context.Context, c *taskhub.Commit) (taskhub.Fence, error) {
	if err := ctx.Err(); err != nil {
		return taskhub.Fence{}, err
	}
	fail := func(err error) (taskhub.Fence, error) {
		return taskhub.Fence{}, fmt.Errorf("committing %d events of instance %q: %w", len(c.Events), c.InstanceID, err)
	}
	units, err := c.Units()
	if err != nil {
		return fail(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	stored, done, err := h.check(c)
	if err != nil {
		return fail(err)
	}
	for n := 0; n == 0 || done < len(units); n++ {
		if h.options.Cut != nil {
			if err := h.options.Cut(n); err != nil {
				return taskhub.Fence{}, err
			}
		}
		if stored.nonce == c.Nonce && done == len(units) {
			break
		}
		if done, err = h.append(stored, c, units, done); err != nil {
			return fail(err)
		}
	}
	return stored.fence, nil
}

// check finds the history that the commit may append to, and how many of its
// events are there already.
func (h *Hub) check(c *taskhub.Commit) (*log, int, error) {
	stored := h.histories[c.InstanceID]
	switch {
	case stored == nil && c.Fence.ETag != "":
		return nil, 0, taskhub.ErrGone
	case stored == nil:
		first := taskhub.FirstRow(c.InstanceID, c.ExecutionID)
		stored = &log{fence: taskhub.Fence{NextRow: first, FirstRow: first}}
		h.histories[c.InstanceID] = stored
		return stored, 0, nil
	case stored.nonce == c.Nonce:
		return stored, stored.step, nil
	case stored.fence.ETag == c.Fence.ETag:
		return stored, 0, nil
	case c.Fence.ETag != "" && stored.fence.ExecutionID != c.Fence.ExecutionID && !c.NewExecution:
		return nil, 0, taskhub.ErrGone
	}
	return nil, 0, taskhub.ErrConflict
}

// append is one transaction: of the units from the given one on. It returns how
// many are done. The caller holds the lock.
func (h *Hub) append(l *log, c *taskhub.Commit, units []taskhub.Unit, from int) (done int, err error) {
	operations := 0
	for done = from; done < len(units) && operations+units[done].Operations() <= taskhub.MaxUnits; done++ {
		operations += units[done].Operations()
		if !h.inboxes[c.InstanceID].has(units[done].Takes) {
			return from, taskhub.ErrTaken
		}
	}
	if c.NewExecution && from == 0 {
		l.rows = nil
		l.fence.FirstRow = l.fence.NextRow
	}
	for _, u := range units[from:done] {
		if u.Event >= 0 {
			h.appendEvent(l, c, c.Events[u.Event])
		}
		if len(u.Takes) > 0 {
			h.inboxes[c.InstanceID].remove(u.Takes)
		}
		for _, a := range u.Answers {
			h.answer(c.InstanceID, a)
		}
	}
	last := done == len(units)
	l.nonce, l.step = c.Nonce, done
	l.fence.ETag = h.tag()
	l.fence.ExecutionID = c.ExecutionID
	l.fence.Number++
	l.fence.State = c.StateAfter(last)
	if last {
		l.fence.Spilled = slices.Clone(c.Spilled)
	}
	return done, nil
}

func (h *Hub) appendEvent(l *log, c *taskhub.Commit, e *history.Event) {
	key := taskhub.RowKey(l.fence.NextRow)
	raw := history.AppendRow(nil, taskhub.EscapeKey(c.InstanceID), key, c.ExecutionID, e, h.options.StoreInputs)
	l.rows = append(l.rows, row{number: l.fence.NextRow, raw: raw})
	l.fence.NextRow++
}

// Sweep has nothing to do: all payloads are in the rows.
func (h *Hub) Sweep(context.Context, string, taskhub.Fence) error { return nil }

// Load reads the history from a row on.
func (h *Hub) Load(ctx context.Context, id string, from uint64) (*taskhub.History, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	stored := h.histories[id]
	if stored == nil || stored.fence.ETag == "" {
		return &taskhub.History{}, nil
	}
	first := 0
	for first < len(stored.rows) && stored.rows[first].number < from {
		first++
	}
	rows := stored.rows[first:]
	// The events are the caller's: copies, in one piece.
	copies := make([]history.Event, len(rows))
	out := &taskhub.History{Fence: stored.fence, Events: make([]*history.Event, len(rows))}
	for i := range rows {
		r := &rows[i]
		if r.event == nil {
			var err error
			if r.event, _, err = history.DecodeRow(r.raw); err != nil {
				return nil, err
			}
		}
		copies[i] = *r.event
		out.Events[i] = &copies[i]
	}
	return out, nil
}

// LoadPart returns at most so many events.
func (h *Hub) LoadPart(ctx context.Context, id string, from uint64, most int) (*taskhub.History, error) {
	out, err := h.Load(ctx, id, from)
	if err == nil {
		out.Events = out.Events[:min(len(out.Events), max(most, 1))]
	}
	return out, err
}

// Rewind changes rows in place.
func (h *Hub) Rewind(ctx context.Context, r *taskhub.Rewind) (taskhub.Fence, error) {
	if err := ctx.Err(); err != nil {
		return taskhub.Fence{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.rewind(r); err != nil {
		return taskhub.Fence{}, fmt.Errorf("rewinding instance %q: %w", r.InstanceID, err)
	}
	return h.histories[r.InstanceID].fence, nil
}

func (h *Hub) rewind(r *taskhub.Rewind) error {
	if err := r.Check(); err != nil {
		return err
	}
	l := h.histories[r.InstanceID]
	switch {
	case l == nil:
		return taskhub.ErrGone
	case l.nonce == r.Nonce:
		return nil
	case l.fence.ETag != r.Fence.ETag && l.fence.ExecutionID != r.Fence.ExecutionID:
		return taskhub.ErrGone
	case l.fence.ETag != r.Fence.ETag:
		return taskhub.ErrConflict
	}
	for _, m := range r.Marks {
		raw, err := mark(l.rows[m.Event].raw, m)
		if err != nil {
			return err
		}
		l.rows[m.Event].raw, l.rows[m.Event].event = raw, nil
	}
	l.nonce, l.step = r.Nonce, len(r.Marks)
	l.fence.ETag = h.tag()
	l.fence.Number++
	l.fence.Rewinds++
	l.fence.Spilled = nil
	l.fence.State = r.StateAfter(true)
	return nil
}

func mark(raw []byte, m taskhub.Mark) ([]byte, error) {
	columns := map[string]any{}
	if err := json.Unmarshal(raw, &columns); err != nil {
		return nil, err
	}
	columns["Reason"] = m.Reason
	if m.Generic {
		columns["EventType"] = history.GenericEvent.String()
	}
	return json.Marshal(columns)
}
