package durable

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/handler/supervise"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// row reads an instance's row.
func (h *hub) row(id string) *taskhub.Instance {
	h.t.Helper()
	row, err := h.memory.Instance(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return row
}

// deploy ends the process and begins another one with the functions.
func (h *hub) deploy(functions ...Registration) {
	h.t.Helper()
	h.stop()
	h.worker.Kill()
	h.registry = newRegistry()
	for _, f := range functions {
		if err := f.register(h.registry); err != nil {
			h.t.Fatal(err)
		}
	}
	h.open()
}

// TestBlockedOrchestrator waits for a channel in an orchestrator, in its first
// turn and in a later one: it is given up and parked, its slot is free again,
// and it goes on when the code does not block any more.
func TestBlockedOrchestrator(t *testing.T) {
	for _, before := range []int{0, 2} {
		var release chan struct{}
		var touched bool
		o := NewOrchestrator("Blocks", func(ctx *Context, _ None) (string, error) {
			for range before {
				if _, err := testHello.Call(ctx, "you").Await(); err != nil {
					return "", err
				}
			}
			wait := release
			<-wait
			out, err := testHello.Call(ctx, "me").Await()
			touched = true
			return out, err
		})
		inHub(t, []Registration{o, testHello}, func(h *hub) {
			release, touched = make(chan struct{}), false
			run, err := o.Start(h.t.Context(), h.client(), None{})
			if err != nil {
				h.t.Fatal(err)
			}
			<-time.After(13 * time.Second)
			synctest.Wait()
			row := h.row(run.ID)
			for _, part := range []string{"orchestrator 'Blocks' does not come back", "chan receive", "durable.TestBlockedOrchestrator.func1", "parked_test.go:"} {
				if !strings.Contains(row.Parked, part) {
					h.t.Errorf("parked with %q, want %q", row.Parked, part)
				}
			}
			if h.worker.Lost() != 1 {
				h.t.Errorf("%d goroutines lost, want 1", h.worker.Lost())
			}
			// While the goroutine is there, no other joins it.
			<-time.After(5 * time.Minute)
			if h.worker.Lost() != 1 {
				h.t.Errorf("%d goroutines lost later, want 1", h.worker.Lost())
			}
			close(release)
			synctest.Wait()
			if h.worker.Lost() != 0 || touched {
				h.t.Errorf("%d goroutines lost after their end; went on: %v", h.worker.Lost(), touched)
			}
			got, err := run.Result(h.t.Context(), WithWaitWhileParked())
			want(h, got, err, "Hello me")
			if row := h.row(run.ID); row.Parked != "" {
				h.t.Errorf("still parked at the end: %s", row.Parked)
			}
		})
	}
}

// TestShortWait has an orchestrator that comes back before it is given up: it is
// warned of and goes on.
func TestShortWait(t *testing.T) {
	o := NewOrchestrator("Slow", func(*Context, None) (string, error) {
		<-time.After(8 * time.Second)
		return "came back", nil
	})
	inHub(t, []Registration{o}, func(h *hub) {
		got, err := result(h, o, None{}, nil)
		want(h, got, err, "came back")
	})
}

// waits is an orchestrator that calls an activity by its name when the event
// comes.
func waits(activity string) *Orchestrator[None, string] {
	return NewOrchestrator("Waits", func(ctx *Context, _ None) (string, error) {
		if _, err := CallActivity[string](ctx, activity, "x").Await(); err != nil {
			return "", err
		}
		if _, err := WaitForEvent[None](ctx, "Go").Await(); err != nil {
			return "", err
		}
		return CallActivity[string](ctx, "Long", "y").Await()
	})
}

// TestParkedAndMended deploys code that does not fit, and then code that does:
// the instance is parked, goes on by itself, and does not stay parked for its
// readers while it runs.
func TestParkedAndMended(t *testing.T) {
	release := make(chan struct{})
	long := NewActivity("Long", func(context.Context, string) (string, error) {
		<-release
		return "done", nil
	})
	other := NewActivity("Other", func(_ context.Context, in string) (string, error) { return in, nil })
	first := waits("Hello")
	inHub(t, []Registration{first, testHello, long}, func(h *hub) {
		release = make(chan struct{})
		run, err := first.Start(h.t.Context(), h.client(), None{})
		if err != nil {
			h.t.Fatal(err)
		}
		h.settle()
		h.journal = blamer{supervised{supervise.NewJournal()}, h}
		h.deploy(waits("Other"), other, testHello, long)
		h.raise(run.ID, "Go", "null")
		<-time.After(40 * time.Minute)
		row := h.row(run.ID)
		for _, part := range []string{"action 0: the history has activity 'Hello', the code now asks for activity 'Other'", "Deploy code"} {
			if !strings.Contains(row.Parked, part) {
				h.t.Errorf("parked with %q, want %q", row.Parked, part)
			}
		}
		if row.Status != history.Running {
			h.t.Errorf("the official column says %v", row.Status)
		}
		h.deploy(first, testHello, long)
		<-time.After(3 * time.Minute)
		if row := h.row(run.ID); row.Parked != "" || row.Status != history.Running {
			h.t.Errorf("it runs again and is %v, parked %q", row.Status, row.Parked)
		}
		close(release)
		ctx, cancel := context.WithTimeout(h.t.Context(), time.Hour)
		defer cancel()
		got, err := (&Instance[string]{ID: run.ID, client: h.client()}).Result(ctx)
		want(h, got, err, "done")
	})
}

// TestParkedAndResumed has an operator resume an instance after the deployment
// that mends it: it goes on at once.
func TestParkedAndResumed(t *testing.T) {
	long := NewActivity("Long", func(context.Context, string) (string, error) { return "done", nil })
	first := waits("Hello")
	inHub(t, []Registration{first, testHello, long}, func(h *hub) {
		run, err := first.Start(h.t.Context(), h.client(), None{})
		if err != nil {
			h.t.Fatal(err)
		}
		h.settle()
		h.deploy(waits("Long"), testHello, long)
		h.raise(run.ID, "Other", "null")
		<-time.After(10 * time.Second)
		if h.row(run.ID).Parked == "" {
			h.t.Error("not parked")
		}
		h.deploy(first, testHello, long)
		h.send(run.ID, &history.Event{Type: history.ExecutionResumed, ID: history.NoID, Timestamp: time.Now()})
		h.raise(run.ID, "Go", "null")
		<-time.After(10 * time.Second)
		if row := h.row(run.ID); row.Parked != "" || row.Status != history.Completed {
			h.t.Errorf("it is %v, parked %q", row.Status, row.Parked)
		}
	})
}
