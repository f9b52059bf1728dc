package client

import (
	"context"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// Changed waits until the row of an instance is another one than that with the
// ETag, or ctx ends, and reports whether it is. A change by a worker of this
// process is seen at once, another one within the pace: it reads the row once
// in that time, without its payloads; a pace of 0 is one look and no wait.
// taskhub.ErrNotFound when there is none.
func (c *Client) Changed(ctx context.Context, id, etag string, pace time.Duration) (bool, error) {
	for {
		seen, stop := c.watch(id)
		current, err := c.etag(ctx, id)
		if err != nil || current != etag || pace == 0 {
			stop()
			return err == nil && current != etag, err
		}
		select {
		case <-seen:
		case <-c.o.After(pace):
		case <-ctx.Done():
			stop()
			return false, nil
		}
		stop()
	}
}

// etag reads the version of a row and nothing else that costs.
func (c *Client) etag(ctx context.Context, id string) (string, error) {
	row, err := c.listed(ctx, id, taskhub.Query{WithoutPayloads: true})
	if err != nil {
		return "", err
	}
	return row.ETag, nil
}
