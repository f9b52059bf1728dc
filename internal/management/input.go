package management

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

var errInvalidJSON = errors.New("Invalid JSON content")

// maxDepth is how deep JSON of a caller may be nested.
const maxDepth = 128

// ReadInput reads a request's body as the input of an orchestration: one JSON
// value of at most client.MaxInput bytes. An empty body is absent.
func ReadInput(w http.ResponseWriter, r *http.Request) (history.Payload, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, client.MaxInput))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return nil, fmt.Errorf("the body is larger than %d bytes: %w", client.MaxInput, taskhub.ErrTooLarge)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: reading the body: %w", errInvalidJSON, err)
	}
	return checkJSON(raw)
}

func checkJSON(raw []byte) (history.Payload, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	for depth := 0; ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errInvalidJSON, err)
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth > maxDepth {
			return nil, fmt.Errorf("%w: nested deeper than %d levels", errInvalidJSON, maxDepth)
		}
	}
	if !json.Valid(raw) {
		return nil, fmt.Errorf("%w: more than one value", errInvalidJSON)
	}
	return raw, nil
}
