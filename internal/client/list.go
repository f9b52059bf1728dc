package client

import (
	"context"

	"github.com/durable-go/functions/internal/taskhub"
)

// List reads one page of instances. See taskhub.Store for what a page may be.
func (c *Client) List(ctx context.Context, q taskhub.Query) (*taskhub.Page, error) {
	return c.store.List(ctx, q)
}

// Count counts instances. It reads them page by page, without their payloads.
func (c *Client) Count(ctx context.Context, q taskhub.Query) (n int, err error) {
	q.WithoutPayloads, q.Max, q.Token = true, taskhub.MaxPage, ""
	for {
		page, err := c.store.List(ctx, q)
		if err != nil {
			return n, err
		}
		n += len(page.Instances)
		if q.Token = page.Token; q.Token == "" {
			return n, nil
		}
	}
}
