package memory

import (
	"bytes"
	"context"
	"maps"

	"github.com/durable-go/functions/internal/history"
)

// progressKey names the progress of a call.
type progressKey struct{ instance, call string }

// SaveProgress keeps the progress of a call.
func (h *Hub) SaveProgress(ctx context.Context, id, key string, p history.Payload) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if p == nil {
		delete(h.progress, progressKey{id, key})
		return nil
	}
	h.progress[progressKey{id, key}] = bytes.Clone(p)
	return nil
}

// Progress reads the progress of a call.
func (h *Hub) Progress(ctx context.Context, id, key string) (history.Payload, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.progress[progressKey{id, key}], nil
}

// forget removes the progress of an instance's calls. The caller holds the lock.
func (h *Hub) forget(id string) {
	maps.DeleteFunc(h.progress, func(k progressKey, _ history.Payload) bool { return k.instance == id })
}
