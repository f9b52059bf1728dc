package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Insert writes the first row of an instance.
func (h *Hub) Insert(ctx context.Context, row *taskhub.Instance) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := row.Check(); err != nil {
		return fmt.Errorf("instance %q: %w", row.ID, err)
	}
	if h.instances[row.ID] != nil {
		return fmt.Errorf("instance %q: %w", row.ID, taskhub.ErrExists)
	}
	h.store(row)
	return nil
}

// store keeps a copy and gives the row its version. The caller holds the lock.
func (h *Hub) store(row *taskhub.Instance) {
	row.ETag = h.tag()
	h.instances[row.ID] = clone(row)
}

func clone(row *taskhub.Instance) *taskhub.Instance {
	c := *row
	c.Input, c.Output, c.CustomStatus = slices.Clone(row.Input), slices.Clone(row.Output), slices.Clone(row.CustomStatus)
	c.Tags = maps.Clone(row.Tags)
	for _, t := range []*time.Time{&c.Created, &c.Updated, &c.Completed, &c.Scheduled} {
		*t = t.UTC().Truncate(100 * time.Nanosecond)
	}
	return &c
}

// current finds the row with the version. The caller holds the lock.
func (h *Hub) current(id, etag string) (*taskhub.Instance, error) {
	row := h.instances[id]
	switch {
	case row == nil:
		return nil, fmt.Errorf("instance %q: %w", id, taskhub.ErrNotFound)
	case etag != "" && row.ETag != etag:
		return nil, fmt.Errorf("instance %q: %w", id, taskhub.ErrChanged)
	}
	return row, nil
}

// Replace writes the whole row.
func (h *Hub) Replace(ctx context.Context, row *taskhub.Instance, etag string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := row.Check(); err != nil {
		return fmt.Errorf("instance %q: %w", row.ID, err)
	}
	if _, err := h.current(row.ID, etag); err != nil {
		return err
	}
	h.store(row)
	return nil
}

// Merge changes columns of the row.
func (h *Hub) Merge(ctx context.Context, id string, c taskhub.Change) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	row, err := h.current(id, c.ETag)
	if err != nil {
		return "", err
	}
	if err := c.Check(); err != nil {
		return "", fmt.Errorf("instance %q: %w", id, err)
	}
	changed := clone(row)
	if c.ExecutionID != "" {
		changed.ExecutionID = c.ExecutionID
	}
	if c.Origin != "" {
		changed.Origin = c.Origin
	}
	if !c.Updated.IsZero() {
		changed.Updated = c.Updated
	}
	set(&changed.Status, c.Status)
	set(&changed.Completed, c.Completed)
	set(&changed.Created, c.Created)
	set(&changed.Name, c.Name)
	set(&changed.Version, c.Version)
	set(&changed.Parked, c.Parked)
	set(&changed.Backlog, c.Backlog)
	set(&changed.CustomStatus, c.CustomStatus)
	// A merge cannot remove a column: an absent text leaves what is there.
	merge(&changed.Output, c.Output)
	merge(&changed.Input, c.Input)
	h.store(changed)
	return changed.ETag, nil
}

func set[T any](column *T, value *T) {
	if value != nil {
		*column = *value
	}
}

func merge(column *history.Payload, value *history.Payload) {
	if value != nil && *value != nil {
		*column = *value
	}
}

// Instance reads a row.
func (h *Hub) Instance(ctx context.Context, id string) (*taskhub.Instance, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	row, err := h.current(id, "")
	if err != nil {
		return nil, err
	}
	return clone(row), nil
}

// Delete removes everything of an instance, as a purge by an official tool
// does.
func (h *Hub) Delete(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.instances, id)
	delete(h.histories, id)
	delete(h.inboxes, id)
	h.forget(id)
}
