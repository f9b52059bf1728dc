package durable

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/handler"
	"github.com/durable-go/functions/internal/history"
)

type decision struct{ OK bool }

// Data that the Core Tools have encoded twice is read as what was meant, and only
// where it is not a string that is asked for.
func TestDataThatIsEncodedTwice(t *testing.T) {
	r := newRegistry()
	read := func(p string, to any) string {
		err := r.decodeSent(history.Payload(p), to)
		if err != nil {
			return "error: " + err.Error()
		}
		out, err := json.Marshal(to)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	cases := []struct {
		name, payload string
		to            any
		want          string
	}{
		{"object", `"{\"OK\":true}"`, new(decision), `{"OK":true}`},
		{"object, once", `{"OK":true}`, new(decision), `{"OK":true}`},
		{"number", `"5"`, new(int), `5`},
		{"list", `"[1,2]"`, new([]int), `[1,2]`},
		{"null", `"null"`, new(decision), `{"OK":false}`},
		{"string", `"{\"OK\":true}"`, new(string), `"{\"OK\":true}"`},
		{"anything", `"5"`, new(any), `"5"`},
		{"raw", `"5"`, new(json.RawMessage), `"5"`},
		{"time", `"2026-01-02T03:04:05Z"`, new(time.Time), `"2026-01-02T03:04:05Z"`},
		{"text", `"plain words"`, new(int), `error: json: cannot unmarshal string into Go value of type int`},
		{"of another type", `"{\"OK\":1}"`, new(decision), `error: json: cannot unmarshal string into Go value of type durable.decision`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := read(c.payload, c.to); got != c.want {
				t.Errorf("%s is %s, want %s", c.payload, got, c.want)
			}
		})
	}
}

// Events and inputs are read so, however they are received.
func TestEventsThatAreEncodedTwice(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, in decision) (int, error) {
		first, err := WaitForEvent[decision](ctx, "Go").Await()
		if err != nil {
			return 0, err
		}
		if err := ctx.Sleep(time.Minute); err != nil {
			return 0, err
		}
		second, ok, err := Events[int](ctx, "Go").TryReceive()
		if !in.OK || !first.OK || !ok {
			return 0, err
		}
		return second, err
	})
	inHub(t, []Registration{o}, func(h *hub) {
		id, err := h.client().StartNew(h.t.Context(), "O", `{"OK":true}`)
		if err != nil {
			h.t.Fatal(err)
		}
		h.raise(id, "Go", `"{\"OK\":true}"`)
		h.raise(id, "Go", `"5"`)
		run := &Instance[int]{ID: id, client: h.client()}
		got, err := run.Result(h.t.Context())
		want(h, got, err, 5)
	})
}

// An app whose host.json has no partitionCount says so when it starts.
func TestWarningOfPartitions(t *testing.T) {
	for _, c := range []struct {
		name, section, storage string
		warns                  bool
	}{
		{"no section", ``, "UseDevelopmentStorage=true", true},
		{"no count", `{"hubName":"MyHub"}`, "UseDevelopmentStorage=true", true},
		{"a count", `{"storageProvider":{"partitionCount":1}}`, "UseDevelopmentStorage=true", false},
		{"in memory", ``, "memory", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("AzureWebJobsStorage", c.storage)
			t.Setenv("TaskHub", "")
			var out bytes.Buffer
			s := &service{
				app:    &App{registry: newRegistry(), log: slog.New(slog.NewTextHandler(&out, nil))},
				config: &handler.App{DurableTask: json.RawMessage(c.section)},
			}
			if err := s.readSettings(); err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(out.String(), "partitionCount"); got != c.warns {
				t.Errorf("the log says %q", out.String())
			}
		})
	}
}
