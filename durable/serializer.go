package durable

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/durable-go/functions/internal/history"
)

// Serializer turns Go values into bytes and back: inputs and results of
// orchestrators and activities, events, custom statuses, values of SideEffect.
// It may be called concurrently.
//
// What it makes is stored as text. The management API shows it as it is where
// it is JSON, and as a string where it is other text. Bytes that are no UTF-8
// are stored, and shown, as the JSON string "data:;base64,...". What comes over
// the management API is JSON, whatever the app's serializer is, so Unmarshal
// should read JSON as well where that API is used.
//
// None is absent and never reaches a serializer. A json.RawMessage is stored and
// read byte for byte, whatever the serializer: it must be one JSON value in UTF-8.
// JSON of other values is not escaped for HTML: what an app puts into a page it
// escapes there.
type Serializer interface {
	// Marshal encodes a value. No bytes at all mean that the value is absent:
	// whoever reads it gets the zero value.
	Marshal(v any) ([]byte, error)
	// Unmarshal decodes what Marshal made into v, a pointer.
	Unmarshal(data []byte, v any) error
}

// UseSerializer replaces JSON as the form of Go values in the task hub. Call it
// before Run. Instances that are not finished cannot be read any more when an
// app changes its serializer, unless the new one reads what the old one wrote.
func (a *App) UseSerializer(s Serializer) { a.registry.serializer = s }

// encode makes a payload of a value. None is absent, and in JSON so is null.
func (r *registry) encode(v any) (history.Payload, error) {
	switch v := v.(type) {
	case None:
		return nil, nil
	case json.RawMessage:
		return encodeRaw(v)
	case *json.RawMessage:
		if v != nil {
			return encodeRaw(*v)
		}
		return nil, nil
	}
	if r.serializer == nil {
		return encodeJSON(v)
	}
	raw, err := r.serializer.Marshal(v)
	if err != nil || len(raw) == 0 {
		return nil, err
	}
	return asText(raw), nil
}

// encodeRaw takes JSON as it is, in a copy: the caller may go on using it.
func encodeRaw(raw json.RawMessage) (history.Payload, error) {
	switch {
	case raw == nil || string(bytes.TrimSpace(raw)) == "null":
		return nil, nil
	case !utf8.Valid(raw):
		return nil, errors.New("a json.RawMessage is not UTF-8")
	}
	if err := checkRaw(raw); err != nil {
		return nil, err
	}
	return bytes.Clone(raw), nil
}

// checkRaw reports what is wrong with JSON, as Unmarshal does.
func checkRaw(raw []byte) error {
	if json.Valid(raw) {
		return nil
	}
	var v any
	return fmt.Errorf("a json.RawMessage is no JSON: %w", json.Unmarshal(raw, &v))
}

func encodeJSON(v any) (history.Payload, error) {
	raw, err := marshalJSON(v)
	if err != nil || string(raw) == "null" {
		return nil, err
	}
	return raw, nil
}

// marshalJSON is json.Marshal without escapes for HTML.
func marshalJSON(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte{'\n'}), nil
}

// decode reads a payload. An absent one is the zero value.
func decode[T any](r *registry, p history.Payload) (v T, err error) {
	err = r.decode(p, &v)
	return v, err
}

// decode reads a payload into what to points to, which an absent one leaves as
// it is.
func (r *registry) decode(p history.Payload, to any) error {
	if p == nil {
		return nil
	}
	switch to := to.(type) {
	case *None:
		return nil
	case *json.RawMessage:
		*to = bytes.Clone(p)
		return checkRaw(p)
	}
	if r.serializer == nil {
		return json.Unmarshal(p, to)
	}
	raw, err := fromText(p)
	if err != nil {
		return err
	}
	return r.serializer.Unmarshal(raw, to)
}

// decodeSent reads an event or an input into what to points to. The Core Tools
// ("func durable raise-event", "start-new") send JSON as a JSON string: where the
// string does not fit and is the text of a JSON value, that value is read.
func (r *registry) decodeSent(p history.Payload, to any) error {
	err := r.decode(p, to)
	var text string
	if err == nil || json.Unmarshal(p, &text) != nil || !json.Valid([]byte(text)) {
		return err
	}
	if r.decode(history.Payload(text), to) != nil {
		return err
	}
	return nil
}

// binaryText begins the text of bytes that are no text.
const binaryText = `"data:;base64,`

// asText makes a text of a serializer's bytes. Text that looks like the form of
// other bytes takes that form too.
func asText(raw []byte) history.Payload {
	if utf8.Valid(raw) && !bytes.HasPrefix(raw, []byte(binaryText)) {
		return raw
	}
	dst := append(make([]byte, 0, len(binaryText)+base64.StdEncoding.EncodedLen(len(raw))+1), binaryText...)
	return append(base64.StdEncoding.AppendEncode(dst, raw), '"')
}

func fromText(p history.Payload) ([]byte, error) {
	text, binary := bytes.CutPrefix(p, []byte(binaryText))
	if !binary {
		return p, nil
	}
	return base64.StdEncoding.AppendDecode(nil, bytes.TrimSuffix(text, []byte{'"'}))
}
