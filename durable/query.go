package durable

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Query says which instances are meant. The zero Query means all.
type Query struct {
	// Prefix of the instance id.
	Prefix string
	// Name of the orchestrator, without case; empty: any.
	Name string
	// Statuses that match; none: all.
	Statuses []RuntimeStatus
	// CreatedFrom and CreatedTo are inclusive; zero: open.
	CreatedFrom, CreatedTo time.Time
	// Tags must all be there with these values.
	Tags map[string]string
	// WithoutPayloads leaves Input and Output away, which saves time.
	WithoutPayloads bool
	// PageSize is the most instances that are read at once: 1 to 1,000. 0: 100.
	PageSize int
}

func (q *Query) internal() (out taskhub.Query, err error) {
	if q.PageSize < 0 || q.PageSize > taskhub.MaxPage {
		return out, fmt.Errorf("durable: a page has 1 to %d instances, not %d", taskhub.MaxPage, q.PageSize)
	}
	statuses, err := parseStatuses(q.Statuses)
	return taskhub.Query{
		Prefix: q.Prefix, Name: q.Name, Statuses: statuses, CreatedFrom: q.CreatedFrom, CreatedTo: q.CreatedTo, Tags: q.Tags,
		WithoutPayloads: q.WithoutPayloads, Max: q.PageSize,
	}, err
}

// parseStatuses reads the names of statuses; no names are no statuses.
func parseStatuses(names []RuntimeStatus) (out []history.Status, err error) {
	for _, name := range names {
		s, err := history.ParseStatus(name)
		if err != nil {
			return nil, fmt.Errorf("durable: %q is not a runtime status; they are %s", name, strings.Join(statusNames(), ", "))
		}
		out = append(out, s)
	}
	return out, nil
}

func statusNames() (names []string) {
	for s := history.Running; s <= history.Suspended; s++ {
		names = append(names, s.String())
	}
	return names
}

// List goes through the instances that match, in the order of their ids as they
// are stored, and reads a page when the one before is used up. It ends with the
// first error. Instances that come and go meanwhile may be seen or not.
func (c *Client) List(ctx context.Context, q Query) iter.Seq2[*Status, error] {
	return func(yield func(*Status, error) bool) {
		for token := ""; ; {
			page, next, err := c.ListPage(ctx, q, token)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, s := range page {
				if !yield(s, nil) {
					return
				}
			}
			if token = next; token == "" {
				return
			}
		}
	}
}

// ListPage reads a page of instances. token is "" for the first page, then what
// the page before returned as next; the list ends where next is "". A page may
// have fewer instances than PageSize, even none, before the end. A token that no
// page returned is ErrInvalidToken.
func (c *Client) ListPage(ctx context.Context, q Query, token string) (page []*Status, next string, err error) {
	core, err := c.core()
	if err != nil {
		return nil, "", err
	}
	query, err := q.internal()
	if err != nil {
		return nil, "", err
	}
	query.Token = token
	read, err := core.client.List(ctx, query)
	if err != nil {
		return nil, "", err
	}
	for _, row := range read.Instances {
		page = append(page, statusOf(row))
	}
	return page, read.Token, nil
}

// Count counts the instances that match. It reads them all, without payloads:
// some thousand a second.
func (c *Client) Count(ctx context.Context, q Query) (int, error) {
	core, err := c.core()
	if err != nil {
		return 0, err
	}
	query, err := q.internal()
	if err != nil {
		return 0, err
	}
	return core.client.Count(ctx, query)
}
