package management

import (
	"errors"
	"net/http"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/taskhub"
)

// start answers POST orchestrators/{name}/{id?}.
func (d *door) start(w http.ResponseWriter, r *http.Request, name, id string) {
	if err := d.Check(name); err != nil {
		WriteError(w, http.StatusBadRequest, err.Error())
		return
	}
	input, err := ReadInput(w, r, d.Client.MaxPayload())
	if err != nil {
		WriteStartError(w, err)
		return
	}
	row, err := d.Client.Start(r.Context(), client.Start{Name: name, InstanceID: id, Input: input, Version: r.URL.Query().Get("version")})
	if err != nil {
		if !WriteStartError(w, err) {
			d.fail(w, r, err)
		}
		return
	}
	if err := d.Links.accepted(w, r, row.ID, startMembers); err != nil {
		d.fail(w, r, err)
	}
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
	w.Header().Set("Retry-After", "10")
	writeJSON(w, http.StatusAccepted, body)
	return nil
}

// WriteStartError answers an error of a start that is the caller's: 400, 409 or
// 413. It reports false, and writes nothing, for every other error.
func WriteStartError(w http.ResponseWriter, err error) bool {
	switch {
	case errors.Is(err, errInvalidJSON), errors.Is(err, client.ErrInvalidInstanceID):
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
