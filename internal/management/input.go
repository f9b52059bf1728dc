package management

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
	"unicode/utf8"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

var (
	errInvalidJSON = errors.New("Invalid JSON content")
	errSlowBody    = fmt.Errorf("the body did not come within %v", bodyWithin)
)

// maxDepth is how deep JSON of a caller may be nested.
const maxDepth = 128

// ReadInput reads a request's body as the input of an orchestration: one JSON
// value of at most limit bytes. An empty body is absent.
func ReadInput(w http.ResponseWriter, r *http.Request, limit int) (history.Payload, error) {
	raw, err := readBody(w, r, limit)
	if err != nil {
		return nil, err
	}
	return checkJSON(raw)
}

// readValue reads a body that must be there: the data of an event.
func readValue(w http.ResponseWriter, r *http.Request, limit int) (history.Payload, error) {
	raw, err := readBody(w, r, limit)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, errInvalidJSON
	}
	return checkJSON(raw)
}

// bodyWithin bounds how long a caller may take to send a body, so that slow ones
// hold nothing up.
const bodyWithin = 30 * time.Second

// boundBody gives the rest of a body its time. It is for all requests that have
// one: the server itself reads what the handler leaves, before it answers. A
// server that has no deadlines has no slow bodies: a test.
func boundBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyWithin))
	}
}

func readBody(w http.ResponseWriter, r *http.Request, limit int) ([]byte, error) {
	boundBody(w, r)
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(limit)))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return nil, fmt.Errorf("the body is larger than %d bytes (maxPayload): %w", limit, taskhub.ErrTooLarge)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, errSlowBody
	}
	if err != nil {
		return nil, fmt.Errorf("%w: reading the body: %w", errInvalidJSON, err)
	}
	// The answer may take longer than the body may. After an error the deadline
	// stays: the server would wait for the rest for ever.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	return raw, nil
}

// checkJSON returns the value in compact form, with every number as it was
// sent.
func checkJSON(raw []byte) (history.Payload, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	if !utf8.Valid(raw) {
		return nil, fmt.Errorf("%w: the body is not UTF-8", errInvalidJSON)
	}
	var out bytes.Buffer
	if err := json.Compact(&out, raw); err != nil {
		return nil, fmt.Errorf("%w: %w", errInvalidJSON, err)
	}
	if depth(out.Bytes()) > maxDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d levels", errInvalidJSON, maxDepth)
	}
	return out.Bytes(), nil
}

// depth is how deep valid JSON is nested.
func depth(raw []byte) (deepest int) {
	level, inString := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case !inString && (c == '{' || c == '['):
			level++
			deepest = max(deepest, level)
		case !inString && (c == '}' || c == ']'):
			level--
		}
	}
	return deepest
}
