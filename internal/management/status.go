package management

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// maxWait bounds how long a status request may hold its answer: the front end
// of Azure ends requests after 230 seconds.
const maxWait = 200 * time.Second

// status answers GET instances/{id}: 202 while the instance runs, 200 when it
// has finished.
func (c *call) status(w http.ResponseWriter, r *http.Request) {
	row, err := c.read(r)
	if err != nil {
		c.writeFailure(w, r, err)
		return
	}
	body := StatusPayload(row, c.query.boolean("showInput", true))
	if c.query.boolean("showHistory", false) && row.Status != history.Pending {
		if body, err = c.withHistory(w, r, body); err != nil {
			c.writeFailure(w, r, err)
			return
		}
	}
	header := w.Header()
	header.Set("ETag", row.ETag)
	if waitFor(r) > 0 {
		header.Set("Preference-Applied", "wait")
	}
	code := http.StatusOK
	switch {
	case !row.Status.Finished():
		code = http.StatusAccepted
		location, err := c.again(r)
		if err != nil {
			c.fail(w, r, err)
			return
		}
		header.Set("Location", location)
		header.Set("Retry-After", "5")
	case row.Status == history.Failed && c.query.boolean("returnInternalServerErrorOnFailure", false):
		code = http.StatusInternalServerError
	}
	writeJSON(w, code, body)
}

// again is the URL that asks for the same status again: the link that was used,
// which does not live longer by that, or a new one. The key that a caller may
// have shown is not repeated, and not needed.
func (c *call) again(r *http.Request) (location string, err error) {
	if c.signed {
		p, err := readPermit(r.URL.Query())
		if err != nil {
			return "", err
		}
		location = c.Links.at(r, c.id, members[0], p.query())
	} else if location, err = c.Links.Status(r.Context(), r, c.id); err != nil {
		return "", err
	}
	for _, pair := range c.query {
		switch strings.ToLower(pair[0]) {
		case "code", "op", "exp", "sig":
		default:
			location += "&" + url.QueryEscape(pair[0]) + "=" + url.QueryEscape(pair[1])
		}
	}
	return location, nil
}

// withHistory adds the member historyEvents to a status object. A long history comes
// in pages, as a list does.
func (c *call) withHistory(w http.ResponseWriter, r *http.Request, body []byte) ([]byte, error) {
	h, err := c.Client.HistoryFrom(r.Context(), c.id, 0)
	if err != nil {
		return nil, err
	}
	from, err := historyPlace(r.Header.Get(tokenHeader), h)
	if err != nil {
		return nil, err
	}
	body = append(body[:len(body)-1], `,"historyEvents":`...)
	body, next := appendHistoryPage(body, h.Events, c.query.boolean("showInput", true), c.query.boolean("showHistoryOutput", false), from, eventsBytes)
	if next > 0 {
		w.Header().Set(tokenHeader, h.Fence.ExecutionID+"."+strconv.Itoa(next))
		body = append(body, `,"isHistoryComplete":false`...)
	}
	return append(body, '}'), nil
}

// historyPlace is where the page of a history begins that a token asks for.
func historyPlace(token string, h *taskhub.History) (int, error) {
	if token == "" {
		return 0, nil
	}
	place, ours := strings.CutPrefix(token, h.Fence.ExecutionID+".")
	n, err := strconv.Atoi(place)
	if !ours || err != nil || n < 0 || n > len(h.Events) {
		return 0, fmt.Errorf("the history of the execution that is there now: %w", taskhub.ErrToken)
	}
	return n, nil
}

// read reads the row, after waiting for it as the caller prefers.
func (c *call) read(r *http.Request) (*taskhub.Instance, error) {
	wait := waitFor(r)
	switch {
	case wait == 0 && !c.query.boolean("showInput", true):
		return c.Client.GetWithoutInput(r.Context(), c.id)
	case wait == 0:
		return c.Client.Get(r.Context(), c.id)
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	if !c.query.boolean("showInput", true) {
		row, err := c.Client.WaitWithoutInput(ctx, c.id, r.Header.Get("If-None-Match"))
		if errors.Is(err, context.DeadlineExceeded) {
			// The time was over before anything was read.
			return c.Client.GetWithoutInput(r.Context(), c.id)
		}
		return row, err
	}
	row, err := c.Client.Wait(ctx, c.id, r.Header.Get("If-None-Match"))
	if errors.Is(err, context.DeadlineExceeded) {
		return c.Client.Get(r.Context(), c.id)
	}
	return row, err
}

// waitFor reads "Prefer: wait=N" (RFC 7240); 0 when there is none.
func waitFor(r *http.Request) time.Duration {
	for _, header := range r.Header.Values("Prefer") {
		for preference := range strings.SplitSeq(header, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(preference), "=")
			if n, err := strconv.Atoi(strings.Trim(value, `" `)); err == nil && n > 0 && strings.EqualFold(strings.TrimSpace(name), "wait") {
				return min(time.Duration(min(n, 1000))*time.Second, maxWait)
			}
		}
	}
	return 0
}

// StatusPayload is the official status object.
func StatusPayload(row *taskhub.Instance, showInput bool) []byte {
	return slices.Concat(statusParts(row, showInput)...)
}

// statusParts is the status object in pieces. Large payloads are the row's own.
func statusParts(row *taskhub.Instance, showInput bool) [][]byte {
	status, output := row.Shown().String(), row.Output
	if row.Parked != "" && !row.Status.Finished() {
		output = history.Payload(row.Parked)
	}
	if row.Err != nil {
		// It is listed, so that it can be purged.
		output = history.Payload("the instance cannot be read: " + row.Err.Error())
	}
	input := row.Input
	if !showInput {
		input = nil
	}
	head := append([]byte(`{"name":`), history.AppendString(nil, row.Name)...)
	head = append(head, `,"instanceId":`...)
	head = history.AppendString(head, row.ID)
	if row.ParentInstanceID != "" {
		head = history.AppendString(append(head, `,"parentInstanceId":`...), row.ParentInstanceID)
	}
	head = append(head, `,"runtimeStatus":`...)
	head = history.AppendString(head, status)
	tail := row.Created.UTC().AppendFormat([]byte(`,"createdTime":`), `"2006-01-02T15:04:05Z"`)
	tail = row.Updated.UTC().AppendFormat(append(tail, `,"lastUpdatedTime":`...), `"2006-01-02T15:04:05Z"`)
	return [][]byte{
		append(head, `,"input":`...), value(input), []byte(`,"customStatus":`), value(row.CustomStatus), []byte(`,"output":`), value(output), append(tail, '}'),
	}
}

// value is a payload as JSON.
func value(p history.Payload) []byte {
	if p != nil && json.Valid(p) {
		return p
	}
	return appendValue(nil, p)
}

// appendValue writes a payload as JSON where it is JSON, else as a string.
func appendValue(dst []byte, p history.Payload) []byte {
	switch {
	case p == nil:
		return append(dst, "null"...)
	case json.Valid(p):
		return append(dst, p...)
	}
	return history.AppendString(dst, p)
}

const contentType = "application/json; charset=utf-8"

func writeJSON(w http.ResponseWriter, code int, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	_, _ = w.Write(body)
}

// WriteError answers in the official shape.
func WriteError(w http.ResponseWriter, code int, message string) {
	writeJSON(w, code, append(history.AppendString([]byte(`{"Message":`), message), '}'))
}
