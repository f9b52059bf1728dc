package management

import (
	"errors"
	"mime"
	"net/http"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
)

// raise answers POST instances/{id}/raiseEvent/{name}.
func (c *call) raise(w http.ResponseWriter, r *http.Request) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		WriteError(w, http.StatusBadRequest, "Only application/json request content is supported")
		return
	}
	data, err := readValue(w, r, c.Client.MaxPayload())
	if err == nil {
		err = c.Client.Raise(r.Context(), c.id, c.name, data)
	}
	c.done(w, r, err)
}

// terminate answers POST instances/{id}/terminate. With recursive=true the
// children end, too.
func (c *call) terminate(w http.ResponseWriter, r *http.Request) {
	children, err := c.recursive()
	if err == nil {
		err = c.Client.Terminate(r.Context(), c.id, c.query.get("reason"), client.TerminateOptions{Children: children})
	}
	c.done(w, r, err)
}

func (c *call) suspend(w http.ResponseWriter, r *http.Request) {
	c.done(w, r, c.Client.Suspend(r.Context(), c.id, c.query.get("reason")))
}

func (c *call) resume(w http.ResponseWriter, r *http.Request) {
	c.done(w, r, c.Client.Resume(r.Context(), c.id, c.query.get("reason")))
}

// rewind answers POST instances/{id}/rewind: 412 for an instance that has not
// failed, whether it has finished or not.
func (c *call) rewind(w http.ResponseWriter, r *http.Request) {
	c.done(w, r, c.Client.Rewind(r.Context(), c.id, c.query.get("reason")))
}

// done answers an operation that was accepted: it happens when the instance's
// next turn is made.
func (c *call) done(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusAccepted)
}

// errReach refuses a link that would reach further than its instance.
var errReach = errors.New("a link is good for its own instance: recursive is not allowed here")

// recursive reads whether an operation is for the instance's children as well.
// That is for operators: a link does not open other instances.
func (c *call) recursive() (bool, error) {
	children, err := c.query.choice("recursive", false)
	if err == nil && children && c.signed {
		err = errReach
	}
	return children, err
}

// restart answers POST instances/{id}/restart.
func (c *call) restart(w http.ResponseWriter, r *http.Request) {
	fresh, err := c.query.choice("restartWithNewInstanceId", true)
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	timeout, err := c.query.waitMode()
	if err != nil && !c.signed {
		c.writeFailure(w, r, err)
		return
	}
	have, err := c.Client.Get(r.Context(), c.id)
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	if err := c.Check(have.Name); err != nil {
		WriteError(w, http.StatusBadRequest, err.Error())
		return
	}
	row, err := c.Client.Restart(r.Context(), c.id, client.RestartOptions{SameID: !fresh})
	switch {
	case errors.Is(err, client.ErrNotFinished):
		WriteError(w, http.StatusConflict, err.Error())
	case err != nil:
		c.writeFailure(w, r, err)
	case c.signed:
		// The link is for the restart alone: its bearer learns neither what the
		// instance returns nor links to do more with it.
		writeJSON(w, http.StatusAccepted, append(history.AppendString([]byte(`{"id":`), row.ID), '}'))
	default:
		c.started(w, r, row.ID, timeout)
	}
}

// makePrimary answers POST makeprimary as the official extension does where the
// app lease is off.
func (c *call) makePrimary(w http.ResponseWriter, _ *http.Request) {
	WriteError(w, http.StatusBadRequest, "This task hub has no app lease: every process of the app works on it, and none is the primary one")
}
