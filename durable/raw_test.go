package durable

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/management"
	"pgregory.net/rapid"
)

// oddJSON is JSON that an encoder would write another way.
const oddJSON = "{ \"b\" : 1.0e+2,\"a\":\"<b>&amp;\\u003c\\/ \u2028 \",\n\t\"b\":[ ] }"

// A json.RawMessage is the same bytes wherever it goes.
func TestRawMessageIsKeptByteForByte(t *testing.T) {
	echo := NewActivity("Echo", func(_ context.Context, in json.RawMessage) (json.RawMessage, error) { return in, nil })
	child := NewOrchestrator("Child", func(_ *Context, in json.RawMessage) (json.RawMessage, error) { return in, nil })
	o := NewOrchestrator("O", func(ctx *Context, in json.RawMessage) (json.RawMessage, error) {
		out, err := echo.Call(ctx, in).Await()
		if err != nil {
			return nil, err
		}
		if out, err = child.Call(ctx, out).Await(); err != nil {
			return nil, err
		}
		if out, err = CallActivity[json.RawMessage](ctx, "Echo", &out).Await(); err != nil {
			return nil, err
		}
		event, err := WaitForEvent[json.RawMessage](ctx, "go").Await()
		if err != nil || string(event) != string(out) {
			return nil, err
		}
		value := SideEffect(ctx, func() json.RawMessage { return event })
		ctx.SetCustomStatus(value)
		return value, nil
	})
	inHub(t, []Registration{o, child, echo}, func(h *hub) {
		run, err := o.Start(h.t.Context(), h.client(), json.RawMessage(oddJSON))
		if err != nil {
			h.t.Fatal(err)
		}
		if err := run.RaiseEvent(h.t.Context(), "go", json.RawMessage(oddJSON)); err != nil {
			h.t.Fatal(err)
		}
		got, err := run.Result(h.t.Context())
		if err != nil || string(got) != oddJSON {
			h.t.Fatalf("the result is %s, %v", got, err)
		}
		<-time.After(time.Minute)
		row, err := h.store.Instance(h.t.Context(), run.ID)
		if err != nil {
			h.t.Fatal(err)
		}
		for what, p := range map[string]history.Payload{"input": row.Input, "output": row.Output, "custom status": row.CustomStatus} {
			if string(p) != oddJSON {
				h.t.Errorf("the %s is %s", what, p)
			}
		}
		if n := strings.Count(string(management.StatusPayload(row, true)), oddJSON); n != 3 {
			h.t.Errorf("the API shows it %d times", n)
		}
	})
}

// JSON of Go values has no escapes for HTML: in payloads, errors and bodies.
func TestJSONIsNotEscapedForHTML(t *testing.T) {
	const text = "a<b>&c"
	r := newRegistry()
	p, err := r.encode(map[string]string{"<": text})
	if want := `{"<":"a<b>&c"}`; err != nil || string(p) != want {
		t.Errorf("a payload is %s, %v; want %s", p, err, want)
	}
	var w httpWire
	if err := w.setBody([]string{text}); err != nil || *w.Content != `["a<b>&c"]` {
		t.Errorf("a body is %s, %v", *w.Content, err)
	}
	d := failureDetails(&HTTPError{StatusCode: 500, Content: text})
	if strings.Contains(string(d.Properties), `\u003c`) || !strings.Contains(string(d.Properties), text) {
		t.Errorf("the properties of a failure are %s", d.Properties)
	}
}

// Whatever a RawMessage holds, it comes back as it was or is refused.
func TestRawMessageComesBackOrIsRefused(t *testing.T) {
	r := newRegistry()
	rapid.Check(t, func(t *rapid.T) {
		raw := json.RawMessage(rapid.OneOf(
			rapid.SliceOf(rapid.Byte()),
			rapid.Custom(func(t *rapid.T) []byte {
				space := rapid.SampledFrom([]string{"", " ", "\n\t"}).Draw(t, "space")
				value, _ := json.Marshal(rapid.MapOf(rapid.String(), rapid.Float64Range(-1, 1)).Draw(t, "value"))
				return []byte(space + string(value) + space)
			}),
		).Draw(t, "raw"))
		p, err := r.encode(raw)
		if err != nil {
			return
		}
		back, err := decode[json.RawMessage](r, p)
		if err != nil || p != nil && string(back) != string(raw) {
			t.Errorf("%q came back as %q, %v", raw, back, err)
		}
		if p == nil && raw != nil && strings.TrimSpace(string(raw)) != "null" {
			t.Errorf("%q is absent", raw)
		}
	})
}

// The reason of a terminate is shown as a text although it looks like JSON.
func TestReasonsThatLookLikeJSON(t *testing.T) {
	for _, reason := range []string{"42", `{"a":1}`, `"quoted"`, "plain"} {
		o := NewOrchestrator("O", func(ctx *Context, _ None) (None, error) { return WaitForEvent[None](ctx, "never").Await() })
		inHub(t, []Registration{o}, func(h *hub) {
			_, err := result(h, o, None{}, func(id string) {
				if err := h.client().Suspend(h.t.Context(), id, reason); err != nil {
					h.t.Fatal(err)
				}
				<-time.After(time.Minute)
				status, err := h.client().Status(h.t.Context(), id)
				if err != nil || textOf(status.Output) != reason {
					h.t.Errorf("suspended because of %s: shown %s, %v", reason, status.Output, err)
				}
				if err := h.client().Terminate(h.t.Context(), id, reason); err != nil {
					h.t.Fatal(err)
				}
				<-time.After(time.Minute)
				if status, err = h.client().Status(h.t.Context(), id); err != nil || textOf(status.Output) != reason {
					h.t.Errorf("terminated because of %s: shown %s, %v", reason, status.Output, err)
				}
			})
			if failed, ok := err.(*OrchestrationError); !ok || failed.Message != reason {
				h.t.Errorf("the error of the run is %v, want %s", err, reason)
			}
		})
	}
}

// textOf is a JSON string's text.
func textOf(raw json.RawMessage) (text string) {
	if json.Unmarshal(raw, &text) != nil {
		return "no string"
	}
	return text
}
