package durable

import (
	"encoding/json"

	"github.com/durable-go/functions/internal/history"
)

// None is an absent body: the input of an orchestrator that takes none, the
// result of an activity that has none.
type None struct{}

// encode makes a payload of a value. None and JSON's null are absent.
func encode(v any) (history.Payload, error) {
	if _, none := v.(None); none {
		return nil, nil
	}
	raw, err := json.Marshal(v)
	if err != nil || string(raw) == "null" {
		return nil, err
	}
	return raw, nil
}

// decode reads a payload. An absent one is the zero value.
func decode[T any](p history.Payload) (v T, err error) {
	if p == nil {
		return v, nil
	}
	if _, none := any(v).(None); none {
		return v, nil
	}
	return v, json.Unmarshal(p, &v)
}
