package memory_test

import (
	"errors"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/memory"
)

var errCut = errors.New("the process died")

// timers are events that storage keeps whole.
func timers(first, n int) []*history.Event {
	var out []*history.Event
	for i := range n {
		out = append(out, &history.Event{Type: history.TimerFired, ID: history.NoID, TaskID: int32(first + i), Timestamp: time.Unix(1, 0).UTC(), FireAt: time.Unix(2, 0).UTC()})
	}
	return out
}

// A commit that is cut between two transactions leaves a prefix, and the same
// commit again adds the rest.
func TestCutCommit(t *testing.T) {
	for cut := range 4 {
		at := cut
		hub := memory.New(memory.Options{Cut: func(n int) error {
			if n == at {
				return errCut
			}
			return nil
		}})
		c := &taskhub.Commit{InstanceID: "i", ExecutionID: "x", Nonce: "n", Time: time.Unix(1, 0), Events: timers(0, 250)}
		if _, err := hub.Commit(t.Context(), c); (cut < 3) != errors.Is(err, errCut) {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		wantRows(t, hub, "", min(cut*99, 250), 0)
		at = -1
		fence, err := hub.Commit(t.Context(), c)
		if err != nil || fence.Number != 3 {
			t.Fatalf("cut at %d, again: %+v, %v", cut, fence, err)
		}
		wantRows(t, hub, fence.ETag, 250, 0)
	}
}

// A new execution that is cut before its first transaction leaves the old one
// as it was.
func TestCutNewExecution(t *testing.T) {
	for cut := range 2 {
		at := -1
		hub := memory.New(memory.Options{Cut: func(n int) error {
			if n == at {
				return errCut
			}
			return nil
		}})
		old, err := hub.Commit(t.Context(), &taskhub.Commit{InstanceID: "i", ExecutionID: "x", Nonce: "n1", Time: time.Unix(1, 0), Events: timers(0, 5)})
		if err != nil {
			t.Fatal(err)
		}
		next := &taskhub.Commit{InstanceID: "i", ExecutionID: "y", Fence: old, Nonce: "n2", Time: time.Unix(1, 0), Events: timers(10, 120), NewExecution: true}
		at = cut
		if _, err := hub.Commit(t.Context(), next); !errors.Is(err, errCut) {
			t.Fatal(err)
		}
		if cut == 0 {
			wantRows(t, hub, old.ETag, 5, 0)
		} else {
			wantRows(t, hub, "", 99, 10)
		}
		at = -1
		fence, err := hub.Commit(t.Context(), next)
		if err != nil || fence.ExecutionID != "y" || fence.FirstRow != old.NextRow {
			t.Fatalf("%+v, %v", fence, err)
		}
		wantRows(t, hub, fence.ETag, 120, 10)
	}
}

// wantRows checks how many events are stored, and their ids; etag "" is any.
func wantRows(t *testing.T, hub *memory.Hub, etag string, n, first int) {
	t.Helper()
	h, err := hub.Load(t.Context(), "i", 0)
	if err != nil || len(h.Events) != n || etag != "" && h.Fence.ETag != etag {
		t.Fatalf("%d events, fence %+v, %v; want %d events", len(h.Events), h.Fence, err, n)
	}
	for i, e := range h.Events {
		if int(e.TaskID) != first+i {
			t.Fatalf("event %d is %d, want %d", i, e.TaskID, first+i)
		}
	}
}
