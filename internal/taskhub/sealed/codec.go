// Package sealed puts a codec between the engine and a task hub: every payload
// at rest (inputs, results, events, custom statuses, the texts of failures) goes
// through it. Names, ids, statuses, times and tags stay readable.
package sealed

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Codec turns payloads into what is stored and back. It is called concurrently.
type Codec interface {
	Encode(ctx context.Context, plain []byte) ([]byte, error)
	Decode(ctx context.Context, stored []byte) ([]byte, error)
}

// prefix begins every sealed text. What begins otherwise was written without a
// codec and is what it says. The whole is a JSON string, so that tools that know
// nothing of the codec show it.
const prefix = `"durable-sealed:`

// sealer applies the codec.
type sealer struct{ codec Codec }

// call runs the codec and catches its panics.
func call(f func(context.Context, []byte) ([]byte, error), ctx context.Context, in []byte) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, fmt.Errorf("panic: %v", p)
		}
	}()
	return f(ctx, in)
}

func (s sealer) seal(ctx context.Context, p history.Payload) (history.Payload, error) {
	if p == nil {
		return nil, nil
	}
	raw, err := call(s.codec.Encode, ctx, p)
	if err != nil {
		return nil, fmt.Errorf("payload codec: encoding %d bytes: %w: %w", len(p), taskhub.ErrSealed, err)
	}
	out := append(make(history.Payload, 0, len(prefix)+base64.StdEncoding.EncodedLen(len(raw))+1), prefix...)
	return append(base64.StdEncoding.AppendEncode(out, raw), '"'), nil
}

func (s sealer) open(ctx context.Context, p history.Payload) (history.Payload, error) {
	text, isSealed := bytes.CutPrefix(p, []byte(prefix))
	if !isSealed {
		return p, nil
	}
	raw, err := base64.StdEncoding.AppendDecode(nil, bytes.TrimSuffix(text, []byte{'"'}))
	if err == nil {
		raw, err = call(s.codec.Decode, ctx, raw)
	}
	if err != nil {
		return nil, fmt.Errorf("payload codec: decoding %d bytes: %w: %w", len(p), taskhub.ErrSealed, err)
	}
	if raw == nil {
		raw = []byte{}
	}
	return raw, nil
}

// apply is seal or open.
type apply func(context.Context, history.Payload) (history.Payload, error)

// each applies f to the payloads that are there.
func each(ctx context.Context, f apply, payloads ...*history.Payload) (err error) {
	for _, p := range payloads {
		if *p == nil {
			continue
		}
		if *p, err = f(ctx, *p); err != nil {
			return err
		}
	}
	return nil
}

// event returns the event with f applied to its payloads. The one that was
// given is not changed.
func event(ctx context.Context, f apply, wrap apply, e *history.Event) (*history.Event, error) {
	// The custom status that a turn has set, and what an entity keeps beside its state.
	custom := (e.Type == history.OrchestratorCompleted || e.Type == history.ExecutionStarted) && e.Own.Options != nil
	if e.Input == nil && e.Result == nil && e.Reason == nil && e.Details == nil && e.Failure == nil && !custom {
		return e, nil
	}
	out := *e
	if custom {
		if err := each(ctx, f, &out.Own.Options); err != nil {
			return nil, err
		}
	}
	if err := each(ctx, f, &out.Input, &out.Result, &out.Reason, &out.Details); err != nil {
		return nil, err
	}
	var err error
	out.Failure, err = failure(ctx, f, wrap, e.Failure)
	return &out, err
}

func events(ctx context.Context, f apply, wrap apply, list []*history.Event) ([]*history.Event, error) {
	out := make([]*history.Event, len(list))
	for i, e := range list {
		var err error
		if out[i], err = event(ctx, f, wrap, e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func failure(ctx context.Context, f apply, wrap apply, d *history.FailureDetails) (*history.FailureDetails, error) {
	if d == nil {
		return nil, nil
	}
	out := *d
	message := history.Payload(d.ErrorMessage)
	if err := each(ctx, f, &message, &out.StackTrace); err != nil {
		return nil, err
	}
	out.ErrorMessage = string(message)
	if err := each(ctx, wrap, &out.Properties); err != nil {
		return nil, err
	}
	var err error
	out.Inner, err = failure(ctx, f, wrap, d.Inner)
	return &out, err
}

// wrapped holds sealed properties, which must be a JSON object.
type wrapped struct {
	Sealed json.RawMessage `json:"goSealed"`
}

func (s sealer) wrap(ctx context.Context, p history.Payload) (history.Payload, error) {
	text, err := s.seal(ctx, p)
	if err != nil {
		return nil, err
	}
	return json.Marshal(wrapped{Sealed: json.RawMessage(text)})
}

func (s sealer) unwrap(ctx context.Context, p history.Payload) (history.Payload, error) {
	if !bytes.HasPrefix(p, []byte(`{"goSealed":`)) {
		return p, nil
	}
	var w wrapped
	if err := json.Unmarshal(p, &w); err != nil {
		return nil, fmt.Errorf("payload codec: %w: %w", taskhub.ErrSealed, err)
	}
	return s.open(ctx, history.Payload(w.Sealed))
}

// row returns the row with f applied to its payloads.
func row(ctx context.Context, f apply, r *taskhub.Instance) (*taskhub.Instance, error) {
	out := *r
	if err := each(ctx, f, &out.Input, &out.Output, &out.CustomStatus); err != nil {
		return nil, err
	}
	parked, err := text(ctx, f, r.Parked)
	out.Parked = parked
	return &out, err
}

// text applies f to a text of which empty means absent.
func text(ctx context.Context, f apply, s string) (string, error) {
	if s == "" {
		return "", nil
	}
	p, err := f(ctx, history.Payload(s))
	return string(p), err
}
