package client

import (
	"context"
	"fmt"
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

// etag reads the version of a row and nothing else that costs: the instance is
// the first one whose id begins with its id. A page may be empty before that.
func (c *Client) etag(ctx context.Context, id string) (string, error) {
	q := taskhub.Query{Prefix: id, Entities: true, WithoutPayloads: true, Max: 1}
	for {
		page, err := c.store.List(ctx, q)
		if err != nil {
			return "", err
		}
		for _, row := range page.Instances {
			if row.ID == id {
				return row.ETag, nil
			}
		}
		if q.Token = page.Token; q.Token == "" || len(page.Instances) > 0 {
			return "", fmt.Errorf("instance %q: %w", id, taskhub.ErrNotFound)
		}
	}
}
