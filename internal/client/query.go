package client

import (
	"context"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// History reads the events of an instance's current execution.
// taskhub.ErrNotFound when there is no instance.
func (c *Client) History(ctx context.Context, id string) ([]*history.Event, error) {
	h, err := c.store.Load(ctx, id, 0)
	if err != nil {
		return nil, err
	}
	if len(h.Events) == 0 {
		// None has begun, or there is none.
		_, err = c.store.Instance(ctx, id)
	}
	return h.Events, err
}

// HistoryFrom reads the current history from a row on (0: all of it), with its
// fence. A history that has not begun has no events.
func (c *Client) HistoryFrom(ctx context.Context, id string, row uint64) (*taskhub.History, error) {
	return c.store.Load(ctx, id, row)
}
