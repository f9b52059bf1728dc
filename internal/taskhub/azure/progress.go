package azure

import (
	"context"
	"errors"
	"fmt"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// progressName is the blob that keeps the progress of a call. It is with the
// large payloads of the instance, which a purge deletes, also one of the official
// tools: no row of a table would be as invisible to them, and a work item's
// message is there only for work that is not done where it was asked for.
func progressName(id, key string) string { return folder(id) + "go-progress-" + key + ".json.gz" }

// SaveProgress writes or deletes the blob.
func (h *Hub) SaveProgress(ctx context.Context, id, key string, p history.Payload) error {
	var err error
	if p == nil {
		err = h.deleteBlob(ctx, progressName(id, key), nil)
	} else {
		_, err = h.writeLarge(ctx, largePayload{progressName(id, key), p})
	}
	if err != nil {
		return fmt.Errorf("progress of a call of instance %q: %w", id, err)
	}
	return nil
}

// Progress reads the blob.
func (h *Hub) Progress(ctx context.Context, id, key string) (history.Payload, error) {
	p, err := h.readLarge(ctx, progressName(id, key))
	if errors.Is(err, taskhub.ErrPayloadGone) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("progress of a call of instance %q: %w", id, err)
	}
	return p, nil
}
