package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// PurgeOptions say how far a purge reaches.
type PurgeOptions struct {
	// Children purges the finished children, too, and theirs.
	Children bool
}

// PurgeResult is what a purge has done.
type PurgeResult struct {
	// Instances were purged, and Rows deleted from the tables.
	Instances, Rows int
	// Complete means that nothing is left that should have been purged.
	Complete bool
}

func (r *PurgeResult) add(other PurgeResult) {
	r.Instances += other.Instances
	r.Rows += other.Rows
}

// Purge removes all that is kept of a finished instance. An unfinished one is a
// *StateError (ErrNotFinished). A purge that was cut off can be repeated.
func (c *Client) Purge(ctx context.Context, id string, o PurgeOptions) (PurgeResult, error) {
	row, err := c.store.Instance(ctx, id)
	if errors.Is(err, taskhub.ErrNotFound) {
		return c.purgeLeftovers(ctx, id)
	}
	if err != nil {
		return PurgeResult{}, err
	}
	if row, err = c.settled(ctx, row); err != nil {
		return PurgeResult{}, err
	}
	ended, err := c.ended(ctx, row)
	if err != nil {
		return PurgeResult{}, err
	}
	if !ended && !row.Purging {
		return PurgeResult{}, stateError(row, "purge", ErrNotFinished)
	}
	return c.purge(ctx, row, o)
}

// purgeLeftovers removes what a purge that was cut off has left of an instance
// that is not there.
func (c *Client) purgeLeftovers(ctx context.Context, id string) (PurgeResult, error) {
	rows, err := c.store.Purge(ctx, id, "")
	return PurgeResult{Rows: rows, Complete: err == nil}, err
}

func (c *Client) purge(ctx context.Context, row *taskhub.Instance, o PurgeOptions) (r PurgeResult, err error) {
	if o.Children {
		// Children first: without their parent nobody would find them.
		if r, err = c.purgeChildren(ctx, row); err != nil {
			return r, err
		}
	}
	rows, err := c.store.Purge(ctx, row.ID, row.ETag)
	if err != nil {
		return r, fmt.Errorf("purging instance %q: %w", row.ID, err)
	}
	r.add(PurgeResult{Instances: 1, Rows: rows})
	r.Complete = true
	return r, nil
}

// purgeEnded is purge for a row that shows an end. A row that shows a failure may be that of an
// instance that is rewound at this moment: its history goes on, and is left alone.
func (c *Client) purgeEnded(ctx context.Context, row *taskhub.Instance, o PurgeOptions) (PurgeResult, error) {
	if row.Status == history.Failed && !row.Purging {
		if ended, err := c.ended(ctx, row); err != nil || !ended {
			return PurgeResult{}, err
		}
	}
	return c.purge(ctx, row, o)
}

func (c *Client) purgeChildren(ctx context.Context, row *taskhub.Instance) (r PurgeResult, err error) {
	children, err := c.childrenOf(ctx, row.ID)
	if err != nil {
		return r, err
	}
	for _, child := range children {
		if child, err = c.settled(ctx, child); errors.Is(err, taskhub.ErrNotFound) {
			continue
		}
		if err != nil {
			return r, err
		}
		if !child.Status.Finished() {
			continue
		}
		purged, err := c.purgeEnded(ctx, child, PurgeOptions{Children: true})
		r.add(purged)
		if err != nil && !errors.Is(err, taskhub.ErrNotFound) {
			return r, err
		}
	}
	return r, nil
}

// childrenOf reads the rows of an instance's children. An id that somebody else
// has started since is none.
func (c *Client) childrenOf(ctx context.Context, id string) (children []*taskhub.Instance, err error) {
	loaded, err := c.store.Load(ctx, id, 0)
	if err != nil {
		return nil, err
	}
	for _, e := range loaded.Events {
		if e.Type != history.SubOrchestrationInstanceCreated || e.InstanceID == id {
			continue
		}
		child, err := c.child(ctx, id, e)
		if err != nil {
			return nil, err
		}
		if child != nil {
			children = append(children, child)
		}
	}
	return children, nil
}

// child reads the row of the child that an action has started, nil when the
// instance of that id is another one.
func (c *Client) child(ctx context.Context, parent string, action *history.Event) (*taskhub.Instance, error) {
	row, err := c.store.Instance(ctx, action.InstanceID)
	if errors.Is(err, taskhub.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	loaded, err := c.store.Load(ctx, action.InstanceID, 0)
	if err != nil {
		return nil, err
	}
	for _, e := range loaded.Events {
		if e.Type == history.ExecutionStarted {
			if e.Parent == nil || e.Parent.Instance.InstanceID != parent || e.Parent.TaskID != action.ID {
				return nil, nil
			}
			return row, nil
		}
	}
	return nil, nil
}

// PurgeFilter says which finished instances to purge.
type PurgeFilter struct {
	// From and To bound when they were created, both inclusive; zero: open.
	From, To time.Time
	// Statuses are statuses of finished instances; nil: all of them.
	Statuses []history.Status
	// Prefix of the instance ids.
	Prefix string
	// Children purges the finished children, too.
	Children bool
	// Budget bounds how long it takes; 0: until all is done.
	Budget time.Duration
}

// purgeAtOnce bounds the purges of PurgeAll at the same time.
const purgeAtOnce = 8

var finishedStatuses = []history.Status{history.Completed, history.Failed, history.Terminated, history.Canceled}

// PurgeAll purges the finished instances that the filter names, page by page.
// progress, when not nil, is called after each page with what has been done so
// far. When the budget is used up, or ctx ends, the result says what was done
// and is not Complete; asked again, it goes on.
func (c *Client) PurgeAll(ctx context.Context, f PurgeFilter, progress func(PurgeResult)) (r PurgeResult, err error) {
	q := taskhub.Query{Prefix: f.Prefix, Statuses: f.Statuses, CreatedFrom: f.From, CreatedTo: f.To, WithoutPayloads: true, Max: taskhub.MaxPage}
	if q.Statuses == nil {
		q.Statuses = finishedStatuses
	}
	for _, status := range q.Statuses {
		if !status.Finished() {
			return r, fmt.Errorf("purging instances that are %s: %w", status, ErrNotFinished)
		}
	}
	until := c.o.Now().Add(f.Budget)
	inTime := func() bool { return f.Budget == 0 || c.o.Now().Before(until) }
	for {
		page, err := c.store.List(ctx, q)
		if err != nil {
			return r, err
		}
		purged, err := c.purgePage(ctx, page.Instances, f, inTime)
		r.add(purged)
		if progress != nil {
			progress(r)
		}
		if err != nil || !inTime() {
			return r, err
		}
		if q.Token = page.Token; q.Token == "" {
			r.Complete = true
			return r, nil
		}
	}
}

// purgePage purges some instances, several at the same time. One that is gone,
// or was started again, is no error.
func (c *Client) purgePage(ctx context.Context, rows []*taskhub.Instance, f PurgeFilter, inTime func() bool) (r PurgeResult, err error) {
	var mu sync.Mutex // guards r and err
	var group sync.WaitGroup
	gate := make(chan struct{}, purgeAtOnce)
	for _, row := range rows {
		mu.Lock()
		stop := err != nil || ctx.Err() != nil || !inTime()
		mu.Unlock()
		if stop {
			break
		}
		gate <- struct{}{}
		group.Go(func() {
			defer func() { <-gate }()
			purged, failed := c.purgeEnded(ctx, row, PurgeOptions{Children: f.Children})
			mu.Lock()
			defer mu.Unlock()
			r.add(purged)
			if failed != nil && !errors.Is(failed, taskhub.ErrNotFound) && !errors.Is(failed, taskhub.ErrChanged) {
				err = errors.Join(err, failed)
			}
		})
	}
	group.Wait()
	return r, errors.Join(err, ctx.Err())
}
