package durable

import (
	"context"
	"time"

	"github.com/durable-go/functions/internal/client"
)

// PurgeResult is what a purge has done.
type PurgeResult struct {
	// Instances that were purged, and Rows deleted from the tables for them.
	Instances, Rows int
	// Complete means that nothing is left of what was to be purged.
	Complete bool
}

// Purge deletes all that is kept of an instance that has finished: its status,
// its history and its large payloads. With WithChildren the finished children
// go, too. ErrNotFound, or a *StateError with ErrNotFinished. A purge that was
// cut off can be repeated.
func (c *Client) Purge(ctx context.Context, id string, options ...ControlOption) (PurgeResult, error) {
	core, err := c.core()
	if err != nil {
		return PurgeResult{}, err
	}
	r, err := core.client.Purge(ctx, id, client.PurgeOptions{Children: control(options).children})
	return PurgeResult(r), public(err)
}

// PurgeFilter says which instances PurgeInstances purges. Only finished ones are.
type PurgeFilter struct {
	// CreatedFrom and CreatedTo are inclusive; zero: open.
	CreatedFrom, CreatedTo time.Time
	// Statuses that match; none: all that are Finished. Another one is
	// ErrNotFinished.
	Statuses []RuntimeStatus
	// Prefix of the instance id.
	Prefix string
	// Children purges the finished children, too.
	Children bool
	// Budget bounds the time that it takes; 0: no bound.
	Budget time.Duration
	// Progress, when not nil, is called now and then with what was done so far.
	Progress func(PurgeResult)
}

// PurgeInstances purges the finished instances that the filter names. When the budget
// is used up, the result is not Complete; when ctx ends, there is its error,
// and the result says how far it came. The next call goes on.
func (c *Client) PurgeInstances(ctx context.Context, f PurgeFilter) (PurgeResult, error) {
	core, err := c.core()
	if err != nil {
		return PurgeResult{}, err
	}
	statuses, err := parseStatuses(f.Statuses)
	if err != nil {
		return PurgeResult{}, err
	}
	var progress func(client.PurgeResult)
	if f.Progress != nil {
		progress = func(r client.PurgeResult) { f.Progress(PurgeResult(r)) }
	}
	r, err := core.client.PurgeAll(ctx, client.PurgeFilter{
		From: f.CreatedFrom, To: f.CreatedTo, Statuses: statuses, Prefix: f.Prefix, Children: f.Children, Budget: f.Budget,
	}, progress)
	return PurgeResult(r), err
}

// Rewind lets an instance that has failed go on where it failed: what failed is
// done again, in the instance and in its failed children, and what succeeded is
// not. Of a call that was tried several times, the last try is done again.
// Compensation that was done before the instance failed stays done, although the
// history that goes on does not know of it any more: it is not taken back, and a
// failure after the rewind asks for it once more. An orchestrator that failed by
// itself runs its last turn again, which helps when its code was mended. The
// output of the row is the old failure until there is another one. ErrNotFound, or a *StateError with
// ErrNotFailed. A rewind that was cut off can be repeated.
func (c *Client) Rewind(ctx context.Context, id, reason string) error {
	return c.do(func(c *client.Client) error { return c.Rewind(ctx, id, reason) })
}
