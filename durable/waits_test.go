package durable

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// begun is a history of an instance that was just started.
func begun(orchestrator string, more ...*history.Event) []*history.Event {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	events := []*history.Event{
		{Type: history.OrchestratorStarted, ID: history.NoID, Timestamp: at},
		{Type: history.ExecutionStarted, ID: history.NoID, Timestamp: at, Name: orchestrator, Instance: history.InstanceRef{InstanceID: "i", ExecutionID: "x"}},
	}
	return append(append(events, more...), &history.Event{Type: history.OrchestratorCompleted, ID: history.NoID, Timestamp: at})
}

func TestWaitsAreFoundByReplay(t *testing.T) {
	r := newRegistry()
	hello := NewActivity("Hello", func(context.Context, string) (string, error) { return "", nil })
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	for _, f := range []Registration{
		hello,
		NewOrchestrator("Asks", func(ctx *Context, _ None) (string, error) { return hello.Call(ctx, "x").Await() }),
		NewOrchestrator("Waits", func(ctx *Context, _ None) (string, error) { return WaitForEvent[string](ctx, "Approved").Await() }),
		NewOrchestrator("Hangs", func(*Context, None) (string, error) { <-hang; return "", nil }),
	} {
		if err := f.register(r); err != nil {
			t.Fatal(err)
		}
	}
	call := &history.Event{Type: history.TaskScheduled, ID: 0, Name: "Hello"}
	cases := []struct {
		orchestrator string
		more         []*history.Event
		kind, name   string
	}{
		{"Asks", []*history.Event{call}, "activity", "Hello"},
		{"Waits", nil, "event", "Approved"},
		{"Waits", []*history.Event{call}, "", ""}, // other code than that of the history
		{"Unknown", nil, "", ""},
		{"Hangs", nil, "", ""},
	}
	for _, c := range cases {
		got := r.waits(t.Context(), "i", begun(c.orchestrator, c.more...))
		if c.kind == "" {
			if len(got) != 0 {
				t.Errorf("%s: %+v", c.orchestrator, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Kind != c.kind || got[0].Name != c.name || !strings.Contains(got[0].Where, "waits_test.go:") {
			t.Errorf("%s: %+v", c.orchestrator, got)
		}
	}
	if got := r.waits(t.Context(), "i", make([]*history.Event, waitsEvents+1)); got != nil {
		t.Errorf("a long history was replayed: %+v", got)
	}
}
