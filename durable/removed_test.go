package durable

import (
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// An orchestration that has begun waits for its code when an app does not have it any
// more, however long its message was under way; it goes on when the code is back. What
// has done nothing yet fails.
func TestRemovedOrchestrator(t *testing.T) {
	sleeps := NewOrchestrator("Sleeps", func(ctx *Context, _ None) (string, error) {
		if err := ctx.Sleep(time.Hour); err != nil {
			return "", err
		}
		return testHello.Call(ctx, "you").Await()
	})
	inHub(t, []Registration{sleeps, testHello}, func(h *hub) {
		run := startIt(h, sleeps, None{})
		<-time.After(time.Minute)
		h.deploy(testHello)
		never := &taskhub.Instance{ID: "never", ExecutionID: taskhub.NewGUID(), Name: "Never", Status: history.Pending, Created: time.Now(), Updated: time.Now()}
		h.check(h.store.Insert(h.t.Context(), never))
		_, err := h.store.Send(h.t.Context(), taskhub.ControlQueue(hubName), taskhub.Started(never), 0)
		h.check(err)
		<-time.After(2 * time.Hour)
		if row := h.row(run.ID); row.Status != history.Running || !strings.Contains(row.Parked, "'Sleeps' doesn't exist") {
			h.t.Errorf("%v, parked %q", row.Status, row.Parked)
		}
		if row := h.row("never"); row.Status != history.Failed {
			h.t.Errorf("an orchestration without code is %v", row.Status)
		}
		h.deploy(sleeps, testHello)
		<-time.After(2 * time.Minute)
		got, err := run.Result(h.t.Context())
		want(h, got, err, "Hello you")
		if row := h.row(run.ID); row.Parked != "" {
			h.t.Errorf("it is still parked: %q", row.Parked)
		}
	})
}

// A work item that waited longer than a name may be unknown is given back for those who
// know it by the first process that does not.
func TestOldWorkItemOfAnUnknownActivity(t *testing.T) {
	calls := NewOrchestrator("Calls", func(ctx *Context, _ None) (string, error) { return testHello.Call(ctx, "you").Await() })
	inHub(t, []Registration{calls}, func(h *hub) {
		if h.dispatch == 0 {
			return // the process that asks runs it
		}
		run := startIt(h, calls, None{})
		h.stop()
		h.worker.Kill()
		<-time.After(5 * time.Minute)
		h.open()
		<-time.After(15 * time.Second)
		h.deploy(calls, testHello)
		got, err := run.Result(h.t.Context())
		want(h, got, err, "Hello you")
	})
}
