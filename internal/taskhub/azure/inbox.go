package azure

import (
	"context"
	"errors"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// Tell is not there yet.
func (h *Hub) Tell(context.Context, string, ...*taskhub.Telling) error { return errors.ErrUnsupported }

// Look is not there yet.
func (h *Hub) Look(context.Context, string, taskhub.LookOptions) (*taskhub.Inbox, error) {
	return nil, errors.ErrUnsupported
}

// Discard is not there yet.
func (h *Hub) Discard(context.Context, string, ...string) error { return errors.ErrUnsupported }

// ForgetReceipts is not there yet.
func (h *Hub) ForgetReceipts(context.Context, string, time.Time) (int, error) {
	return 0, errors.ErrUnsupported
}

// Head reads the sentinel alone.
func (h *Hub) Head(ctx context.Context, id string) (taskhub.Fence, error) {
	s, err := h.readSentinel(ctx, id)
	if s == nil || err != nil {
		return taskhub.Fence{}, err
	}
	return s.fence, nil
}
