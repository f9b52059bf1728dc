package durable

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/management"
	"github.com/durable-go/functions/internal/taskhub"
)

// WaitForStart waits until an instance has left Pending: its first turn is
// stored. It ends early as WaitForCompletion does.
func (c *Client) WaitForStart(ctx context.Context, id string, options ...WaitOption) (*Status, error) {
	return c.wait(ctx, id, options, func(row *taskhub.Instance) bool { return row.Status != history.Pending })
}

// WaitForCompletion waits until an instance has finished, well or not: see [Instance.Result] for its
// result. Changes in this process are seen at once, those of others within two
// seconds. When ctx ends first, it returns the last status, nil where none was
// read, and the error of ctx; for an instance that the engine has parked, the status and a
// [*ParkedError] at once, unless [WithWaitWhileParked] is given.
func (c *Client) WaitForCompletion(ctx context.Context, id string, options ...WaitOption) (*Status, error) {
	return c.wait(ctx, id, options, func(row *taskhub.Instance) bool { return row.Status.Finished() })
}

func (c *Client) wait(ctx context.Context, id string, options []WaitOption, done func(*taskhub.Instance) bool) (*Status, error) {
	core, err := c.core()
	if err != nil {
		return nil, err
	}
	o := waitOptionsOf(options)
	row, err := core.client.WaitUntil(ctx, id, func(row *taskhub.Instance) bool { return done(row) || o.stops(row) })
	switch {
	case err != nil:
		return nil, err
	case done(row):
		return core.status(ctx, row, o)
	case o.stops(row):
		return statusOf(row), parkedError(row)
	}
	return statusOf(row), ctx.Err()
}

// ManagementPayload is the official payload of management URLs for an instance:
// statusQueryGetUri and its siblings. They begin with the client's LinksURL, or
// the app's managementBaseUrl, or WEBSITE_HOSTNAME; on a developer's machine with
// the host of the request, where that is this machine. The URLs are signed.
func (c *Client) ManagementPayload(r *http.Request, id string) (json.RawMessage, error) {
	core, err := c.core()
	if err != nil {
		return nil, err
	}
	if err := core.linked(); err != nil {
		return nil, err
	}
	return core.links.Payload(r.Context(), r, id)
}

// EntityLink is a signed URL from which the state of an entity can be read without a key,
// and nothing else. It begins as those of ManagementPayload do.
func (c *Client) EntityLink(r *http.Request, id EntityID) (string, error) {
	core, err := c.core()
	if err != nil {
		return "", err
	}
	if err := core.linked(); err != nil {
		return "", err
	}
	return core.links.Entity(r.Context(), r, id.internal())
}

var errNoLinks = errors.New("durable: the client does not know where the app serves its links: set ClientOptions.LinksURL")

func (c *core) linked() error {
	if c.links == nil {
		return errNoLinks
	}
	return nil
}

// WaitForCompletionOrCheckStatus answers an HTTP request with the end of an
// instance, if that comes in time: 200 and the bare output when it completed,
// 200 and the status object when it failed or was terminated. Otherwise the
// answer is that of WriteCheckStatus.
func (c *Client) WaitForCompletionOrCheckStatus(w http.ResponseWriter, r *http.Request, id string, timeout time.Duration) error {
	core, err := c.core()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	row, err := core.client.Wait(ctx, id, "")
	switch {
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		return err
	case err != nil || !row.Status.Finished():
		return c.WriteCheckStatus(w, r, id)
	}
	body := management.StatusPayload(row, true)
	if row.Status == history.Completed {
		if body = asJSON(row.Output); body == nil {
			body = []byte("null")
		}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, err = w.Write(body)
	return err
}

func statusOf(row *taskhub.Instance) *Status {
	s := &Status{
		InstanceID: row.ID, ParentInstanceID: row.ParentInstanceID, Name: row.Name, Version: row.Version, RuntimeStatus: runtimeStatus(row.Shown()),
		Input: asJSON(row.Input), Output: asJSON(row.Output), CustomStatus: asJSON(row.CustomStatus),
		Created: row.Created, LastUpdated: row.Updated, ScheduledStart: row.Scheduled, Tags: row.Tags, Err: row.Err,
	}
	if isParked(row) {
		s.Parked = row.Parked
		s.Output = asJSON(history.Payload(row.Parked))
	}
	return s
}
