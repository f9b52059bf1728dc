package client

import (
	"context"
	"errors"

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

// HistoryPart is HistoryFrom of at most so many events. Of a long history no more is
// read than they take.
func (c *Client) HistoryPart(ctx context.Context, id string, row uint64, most int) (*taskhub.History, error) {
	return c.store.LoadPart(ctx, id, row, most)
}

// endRows is how many of the last rows of a history have the event that ended it.
const endRows = 3

// Failure reads why the execution of a row has failed, from the end of its history:
// two requests, however long that is. It is nil where the history does not say so
// or is not there: it was purged, replaced or rewound, or cannot be read.
func (c *Client) Failure(ctx context.Context, row *taskhub.Instance) (*history.FailureDetails, error) {
	head, err := c.store.Head(ctx, row.ID)
	if err != nil || head.ExecutionID != row.ExecutionID {
		return nil, ignoreLost(err)
	}
	end, err := c.store.Load(ctx, row.ID, max(head.NextRow, endRows)-endRows)
	if err != nil || end.Fence.ExecutionID != row.ExecutionID {
		return nil, ignoreLost(err)
	}
	for _, e := range end.Events {
		if e.Type == history.ExecutionCompleted && e.Status == history.Failed {
			return e.Failure, nil
		}
	}
	return nil, nil
}

// ignoreLost leaves out errors that no repetition helps against.
func ignoreLost(err error) error {
	if errors.Is(err, taskhub.ErrPayloadGone) || errors.Is(err, taskhub.ErrSealed) {
		return nil
	}
	return ignoreUnreadable(err)
}
