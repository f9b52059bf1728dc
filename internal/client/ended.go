package client

import (
	"context"
	"errors"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// ended reports whether the execution that a row speaks of has ended. The history
// decides: the row is only what lists and status show, and may be behind it. An
// instance without a history, and one whose sentinel says nothing because an older
// version wrote it, is what its row shows.
func (c *Client) ended(ctx context.Context, row *taskhub.Instance) (bool, error) {
	if !row.Status.Finished() {
		// That the history has ended already may be told by the row in a moment.
		return false, nil
	}
	head, err := c.store.Head(ctx, row.ID)
	if errors.Is(err, taskhub.ErrFormat) || errors.Is(err, taskhub.ErrUnreadable) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return head.State.Origin == "" || head.Origins() != row.Origins() || head.State.Ended, nil
}

// settleWithin bounds how long an operation on an ended instance waits for its row.
const settleWithin = 10 * time.Second

// settled returns the row of an instance once it shows what the history says. A history
// that has ended still owes something while its row does not show the end: whichever
// process is woken does that, and the row last.
func (c *Client) settled(ctx context.Context, row *taskhub.Instance) (*taskhub.Instance, error) {
	if row.Status.Finished() || row.Purging {
		return row, nil
	}
	head, err := c.store.Head(ctx, row.ID)
	if err != nil || !head.State.Ended || head.Origins() != row.Origins() {
		return row, ignoreUnreadable(err)
	}
	within := c.o.After(settleWithin)
	for pause := minPause / 4; !row.Status.Finished(); pause = min(2*pause, maxPause) {
		// Once at first, and again after a while: the process that was woken may have ended.
		if pause == minPause/4 || pause >= maxPause/2 {
			if err := c.wake(ctx, row, head.ETag); err != nil {
				return nil, err
			}
		}
		select {
		case <-c.o.After(pause):
		case <-within:
			return row, nil
		case <-ctx.Done():
			return row, ctx.Err()
		}
		if row, err = c.store.Instance(ctx, row.ID); err != nil {
			return nil, err
		}
	}
	return row, nil
}

func ignoreUnreadable(err error) error {
	if errors.Is(err, taskhub.ErrFormat) || errors.Is(err, taskhub.ErrUnreadable) {
		return nil
	}
	return err
}
