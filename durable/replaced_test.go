package durable

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/worker"
)

// meanwhileStore is a store of a process in which something else happens before the
// first commit with a certain event.
type meanwhileStore struct {
	taskhub.Store
	is        func(*history.Event) bool
	first     sync.Once
	meanwhile func()
}

func (s *meanwhileStore) Commit(ctx context.Context, c *taskhub.Commit) (taskhub.Fence, error) {
	for _, e := range c.Events {
		if s.is(e) {
			s.first.Do(s.meanwhile)
		}
	}
	return s.Store.Commit(ctx, c)
}

// replaceBefore restarts the process of h on a store in which another process puts
// another execution in the place of the instance "it" before the first commit with
// such an event. It returns the row long after.
func replaceBefore(h *hub, is func(*history.Event) bool, replace func(*Client) error) *taskhub.Instance {
	h.t.Helper()
	s := &meanwhileStore{Store: h.memory, is: is}
	replaced := false
	s.meanwhile = func() {
		h.stop()
		synctest.Wait()
		other := &hub{t: h.t, store: h.memory, memory: h.memory, registry: h.registry, dispatch: h.dispatch}
		other.open()
		if err := replace(other.client()); err != nil {
			h.t.Error("start:", err)
		}
		<-time.After(2 * time.Minute)
		replaced = true
		other.stop()
		other.worker.Kill()
	}
	h.restart(s)
	if err := h.client().RaiseEvent(h.t.Context(), "it", "Go", None{}); err != nil {
		h.t.Fatal(err)
	}
	<-time.After(20 * time.Minute)
	if !replaced {
		h.t.Error("it was not replaced: there was no such commit")
	}
	row, err := h.memory.Instance(h.t.Context(), "it")
	if err != nil {
		h.t.Fatal(err)
	}
	return row
}

// An execution that another process has put in the place of one whose code did not
// fit is not failed for what was wrong with that one.
func TestReplacedExecutionIsNotBlamed(t *testing.T) {
	inHub(t, nil, func(h *hub) {
		if h.dispatch != worker.Local {
			return
		}
		h.set(`{"nonDeterminism":"fail"}`)
		h.deploy(stepper(twoCalls), testHello)
		startIt(h, stepper(twoCalls), None{}, WithInstanceID("it"))
		h.deploy(stepper(func(*Context) error { return nil }), testHello)
		failed := func(e *history.Event) bool {
			return e.Type == history.ExecutionCompleted && e.Status == history.Failed
		}
		row := replaceBefore(h, failed, func(c *Client) error {
			_, err := stepper(nil).Start(h.t.Context(), c, None{}, WithInstanceID("it"), WithReuse(TerminateAndReplace))
			return err
		})
		if row.Status == history.Failed {
			h.t.Errorf("the new execution failed: %s", row.Output)
		}
	})
}

// The row of an execution does not get the custom status of the one that it has
// replaced, from a process that did not know.
func TestReplacedExecutionKeepsItsCustomStatus(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, in string) (string, error) {
		if _, err := WaitForEvent[None](ctx, "Go").Await(); err != nil {
			return "", err
		}
		if in == "one" {
			ctx.SetCustomStatus(in)
		}
		return WaitForEvent[string](ctx, "Never").Await()
	})
	inHub(t, []Registration{o}, func(h *hub) {
		if h.dispatch != worker.Local {
			return
		}
		startIt(h, o, "one", WithInstanceID("it"))
		told := func(e *history.Event) bool { return e.Type == history.EventRaised }
		row := replaceBefore(h, told, func(c *Client) error {
			_, err := o.Start(h.t.Context(), c, "two", WithInstanceID("it"), WithReuse(TerminateAndReplace))
			return err
		})
		if string(row.Input) != `"two"` || row.CustomStatus != nil {
			h.t.Errorf("input %s, custom status %s", row.Input, row.CustomStatus)
		}
	})
}
