package management

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// start answers POST orchestrators/{name}/{id?}.
func (c *call) start(w http.ResponseWriter, r *http.Request) {
	if err := c.Check(c.name); err != nil {
		WriteError(w, http.StatusBadRequest, err.Error())
		return
	}
	timeout, err := c.query.waitMode()
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	input, err := ReadInput(w, r, c.Client.MaxPayload())
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	s := client.Start{Name: c.name, InstanceID: c.id, Input: input, Version: cmp.Or(c.query.get("version"), c.Version)}
	if err := c.startOptions(&s); err != nil {
		c.writeFailure(w, r, err)
		return
	}
	row, err := c.Client.Start(r.Context(), s)
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	c.started(w, r, row.ID, timeout)
}

// startOptions reads the tags of a start and its time.
func (c *call) startOptions(s *client.Start) (err error) {
	if s.Tags, err = c.query.tags("tag"); err != nil {
		return err
	}
	s.At, err = c.query.moment("scheduledStartTime")
	if away := s.At.Sub(c.Client.Now()); err == nil && away > taskhub.MaxDelay {
		return &parameterError{"scheduledStartTime", c.query.get("scheduledStartTime"), "within six days"}
	}
	return err
}

// waitMode reads how long a start shall wait for the end of its instance; 0:
// not at all. The official API waits when it has both a timeout and an interval
// for its polling; here nothing is polled, and the interval is only checked.
func (q query) waitMode() (time.Duration, error) {
	interval, err := q.seconds("pollingInterval")
	if err != nil {
		return 0, err
	}
	timeout, err := q.seconds("timeout")
	switch {
	case err != nil:
		return 0, err
	case timeout >= 0 && interval > timeout:
		return 0, &parameterError{"pollingInterval", q.get("pollingInterval"), "at most the timeout of " + q.get("timeout") + " seconds"}
	}
	return min(max(timeout, 0), maxWait), nil
}

// started answers a start or restart: at once, or after waiting for the end.
func (c *call) started(w http.ResponseWriter, r *http.Request, id string, timeout time.Duration) {
	if timeout > 0 {
		row, err := c.wait(r, id, timeout)
		switch {
		case err != nil:
			c.writeFailure(w, r, err)
			return
		case row == nil || !row.Status.Finished():
		case row.Status == history.Completed:
			writeJSON(w, http.StatusOK, appendValue(nil, row.Output))
			return
		default:
			writeJSON(w, http.StatusOK, StatusPayload(row, true))
			return
		}
	}
	if err := c.Links.accepted(w, r, id, startMembers); err != nil {
		c.fail(w, r, err)
	}
}

// wait waits for the end of an instance. The row is nil when the time was over
// before anything was read.
func (c *call) wait(r *http.Request, id string, timeout time.Duration) (*taskhub.Instance, error) {
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	row, err := c.Client.Wait(ctx, id, "")
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, nil
	}
	return row, err
}

// WriteCheckStatus answers 202 with the check-status payload of an instance.
func (l *Links) WriteCheckStatus(w http.ResponseWriter, r *http.Request, id string) error {
	return l.accepted(w, r, id, members)
}

func (l *Links) accepted(w http.ResponseWriter, r *http.Request, id string, with []member) error {
	body, err := l.payload(r.Context(), r, id, with)
	if err != nil {
		return err
	}
	location, err := l.Status(r.Context(), r, id)
	if err != nil {
		return err
	}
	w.Header().Set("Location", location)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Retry-After", "10")
	writeJSON(w, http.StatusAccepted, body)
	return nil
}

// WriteStartError answers an error of a start that is the caller's: 400, 408,
// 409 or 413. It reports false, and writes nothing, for every other error.
func WriteStartError(w http.ResponseWriter, err error) bool {
	switch {
	case errors.Is(err, errSlowBody):
		WriteError(w, http.StatusRequestTimeout, err.Error())
	case errors.Is(err, errInvalidJSON), errors.Is(err, client.ErrInvalidInstanceID), errors.As(err, new(*history.LimitError)):
		WriteError(w, http.StatusBadRequest, err.Error())
	case errors.Is(err, client.ErrRunning):
		WriteError(w, http.StatusConflict, err.Error())
	case errors.Is(err, taskhub.ErrTooLarge):
		WriteError(w, http.StatusRequestEntityTooLarge, err.Error())
	default:
		return false
	}
	return true
}
