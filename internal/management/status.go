package management

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// maxWait bounds how long a status request may hold its answer: the front end
// of Azure ends requests after 230 seconds.
const maxWait = 200 * time.Second

// maxKey is the longest key of a table, in characters (1 KiB of UTF-16): nothing
// longer can be there.
const maxKey = 512

// status answers GET instances/{id}: 202 while the instance runs, 200 when it
// has finished.
func (d *door) status(w http.ResponseWriter, r *http.Request, id string) {
	if !utf8.ValidString(id) || utf8.RuneCountInString(id) > maxKey {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	row, err := d.read(r, id)
	if notFound(w, err) {
		return
	}
	if err != nil {
		d.fail(w, r, err)
		return
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
		header.Set("Location", d.Links.base(r)+r.URL.RequestURI())
		header.Set("Retry-After", "5")
	case row.Status == history.Failed && boolean(r, "returnInternalServerErrorOnFailure", false):
		code = http.StatusInternalServerError
	}
	writeJSON(w, code, StatusPayload(row, boolean(r, "showInput", true)))
}

// read reads the row, after waiting for it as the caller prefers.
func (d *door) read(r *http.Request, id string) (*taskhub.Instance, error) {
	wait := waitFor(r)
	if wait == 0 {
		return d.Client.Get(r.Context(), id)
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	row, err := d.Client.Wait(ctx, id, r.Header.Get("If-None-Match"))
	if errors.Is(err, context.DeadlineExceeded) {
		// The time was over before anything was read.
		return d.Client.Get(r.Context(), id)
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

// boolean reads a boolean of the query: true or false, keys and values without
// case. Anything else is the default.
func boolean(r *http.Request, name string, otherwise bool) bool {
	for key, values := range r.URL.Query() {
		if strings.EqualFold(key, name) && len(values) > 0 {
			switch strings.ToLower(values[0]) {
			case "true":
				return true
			case "false":
				return false
			}
		}
	}
	return otherwise
}

// StatusPayload is the official status object.
func StatusPayload(row *taskhub.Instance, showInput bool) []byte {
	status, output := row.Shown().String(), row.Output
	if row.Parked != "" && !row.Status.Finished() {
		output = history.Payload(row.Parked)
	}
	input := row.Input
	if !showInput {
		input = nil
	}
	dst := append([]byte(`{"name":`), history.AppendString(nil, row.Name)...)
	dst = append(dst, `,"instanceId":`...)
	dst = history.AppendString(dst, row.ID)
	dst = append(dst, `,"runtimeStatus":`...)
	dst = history.AppendString(dst, status)
	dst = appendValue(append(dst, `,"input":`...), input)
	dst = appendValue(append(dst, `,"customStatus":`...), row.CustomStatus)
	dst = appendValue(append(dst, `,"output":`...), output)
	dst = row.Created.UTC().AppendFormat(append(dst, `,"createdTime":`...), `"2006-01-02T15:04:05Z"`)
	dst = row.Updated.UTC().AppendFormat(append(dst, `,"lastUpdatedTime":`...), `"2006-01-02T15:04:05Z"`)
	return append(dst, '}')
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

func writeJSON(w http.ResponseWriter, code int, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	_, _ = w.Write(body)
}

// WriteError answers in the official shape.
func WriteError(w http.ResponseWriter, code int, message string) {
	writeJSON(w, code, append(history.AppendString([]byte(`{"Message":`), message), '}'))
}
