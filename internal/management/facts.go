package management

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// rowFacts is what the row of an instance says but its payloads.
type rowFacts struct {
	ID          string            `json:"instanceId"`
	Name        string            `json:"name"`
	Status      string            `json:"runtimeStatus"`
	Version     string            `json:"version,omitempty"`
	ExecutionID string            `json:"executionId,omitempty"`
	Created     *time.Time        `json:"createdTime,omitempty"`
	Updated     *time.Time        `json:"lastUpdatedTime,omitempty"`
	Completed   *time.Time        `json:"completedTime,omitempty"`
	Scheduled   *time.Time        `json:"scheduledStartTime,omitempty"`
	Generation  *int32            `json:"generation,omitempty"`
	Child       bool              `json:"isChild,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
	// Parked says why the engine stopped working on it.
	Parked  string `json:"parked,omitempty"`
	Purging bool   `json:"isPurging,omitempty"`
	// Error says why the row could not be read.
	Error        string `json:"error,omitempty"`
	CustomStatus *text  `json:"customStatus,omitempty"`
}

func factsOf(row *taskhub.Instance) rowFacts {
	if row.Err != nil {
		return rowFacts{ID: row.ID, Status: row.Status.String(), Error: row.Err.Error()}
	}
	f := rowFacts{
		ID: row.ID, Name: row.Name, Status: row.Shown().String(), Version: row.Version, ExecutionID: row.ExecutionID,
		Created: Moment(row.Created), Updated: Moment(row.Updated), Scheduled: Moment(row.Scheduled),
		Generation: row.Generation, Child: row.Generation == nil, Tags: row.Tags, Purging: row.Purging,
		CustomStatus: textOf(row.CustomStatus, previewBytes),
	}
	if row.Status.Finished() {
		f.Completed = Moment(row.Completed)
		if f.Completed == nil {
			f.Completed = f.Updated
		}
	} else {
		f.Parked = row.Parked
	}
	return f
}

// Moment is a time, or nil for none.
func Moment(t time.Time) *time.Time {
	if t.IsZero() || t.Year() > 9000 { // the official engine's "not yet"
		return nil
	}
	t = t.UTC()
	return &t
}

// previewBytes is how long a payload may be that is shown with what names it;
// a longer one is asked for.
const previewBytes = 1024

// text is a payload: how long it is, and what it says where that is short.
type text struct {
	Bytes int     `json:"bytes"`
	Text  *string `json:"text,omitempty"`
}

func textOf(p history.Payload, most int) *text {
	if p == nil {
		return nil
	}
	t := &text{Bytes: len(p)}
	if len(p) <= most {
		s := string(p)
		t.Text = &s
	}
	return t
}

// details is what is known of one instance.
type details struct {
	rowFacts
	Input   *text  `json:"input,omitempty"`
	Output  *text  `json:"output,omitempty"`
	Waiting []Wait `json:"waitingFor,omitempty"`
}

// detailPace is how often the row of a held request is read again. Changes by
// this process are seen at once.
const detailPace = 15 * time.Second

// details answers GET instances/{id}/details.
func (c *call) details(w http.ResponseWriter, r *http.Request) {
	if same, err := c.unchanged(r); err != nil || same {
		if err != nil {
			c.writeFailure(w, r, err)
			return
		}
		w.WriteHeader(http.StatusNotModified)
		return
	}
	row, err := c.Client.Get(r.Context(), c.id)
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	d := details{rowFacts: factsOf(row), Input: textOf(row.Input, previewBytes), Output: textOf(row.Output, previewBytes)}
	if c.query.boolean("waiting", false) && !row.Status.Finished() {
		if d.Waiting, err = c.waiting(r.Context(), row); err != nil {
			c.writeFailure(w, r, err)
			return
		}
	}
	w.Header().Set("ETag", row.ETag)
	c.writeView(w, r, d)
}

// unchanged waits as long as the caller prefers, and reports whether the row is
// the one that the caller has.
func (c *call) unchanged(r *http.Request) (bool, error) {
	etag, wait := r.Header.Get("If-None-Match"), waitFor(r)
	if etag == "" {
		return false, nil
	}
	if wait == 0 {
		changed, err := c.Client.Changed(r.Context(), c.id, etag, 0)
		return !changed, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	changed, err := c.Client.Changed(ctx, c.id, etag, detailPace)
	if err != nil && ctx.Err() != nil && r.Context().Err() == nil {
		return true, nil // the time was over before anything was read
	}
	return !changed, err
}

// payload answers GET instances/{id}/payload: one text as it is stored.
func (c *call) payload(w http.ResponseWriter, r *http.Request) {
	p, err := c.findPayload(r)
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	if json.Valid(p) {
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	protect(h)
	writeBody(w, r, p)
}

func (c *call) findPayload(r *http.Request) (history.Payload, error) {
	of := c.query.get("of")
	if c.query.get("row") != "" {
		return c.eventPayload(r, of)
	}
	row, err := c.Client.Get(r.Context(), c.id)
	if err != nil {
		return nil, err
	}
	for name, p := range map[string]history.Payload{"input": row.Input, "output": row.Output, "customStatus": row.CustomStatus} {
		if name == of {
			return present(p)
		}
	}
	return nil, &parameterError{"of", of, "input, output or customStatus; with a row: input, result, reason, details or stack"}
}

// errNoPayload means that an instance or event has no such text.
var errNoPayload = errors.New("there is no such payload")

func present(p history.Payload) (history.Payload, error) {
	if p == nil {
		return nil, errNoPayload
	}
	return p, nil
}
