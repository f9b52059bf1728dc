package durable

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// waiting waits for an event and returns its data.
var waiting = NewOrchestrator("Waiting", func(ctx *Context, _ None) (string, error) {
	return WaitForEvent[string](ctx, "Go").Await()
})

// startIt starts an orchestrator and waits until everything has settled.
func startIt[In, Out any](h *hub, o *Orchestrator[In, Out], in In, options ...StartOption) *Instance[Out] {
	h.t.Helper()
	run, err := o.Start(h.t.Context(), h.client(), in, options...)
	if err != nil {
		h.t.Fatal(err)
	}
	h.settle()
	return run
}

// settle lets every poll and message pass.
func (h *hub) settle() {
	synctest.Wait()
	<-time.After(3 * time.Second)
	synctest.Wait()
}

func (h *hub) status(id string) history.Status {
	h.t.Helper()
	row, err := h.memory.Instance(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return row.Status
}

func wantState(h *hub, err, cause error, status history.Status) {
	h.t.Helper()
	var state *client.StateError
	if !errors.Is(err, cause) || !errors.As(err, &state) || state.Status != status {
		h.t.Errorf("got %v; want %v of a %v instance", err, cause, status)
	}
}

func TestControlOfEveryStatus(t *testing.T) {
	inHub(t, []Registration{waiting}, func(h *hub) {
		c, ctx := h.core.client, h.t.Context()
		if err := c.Terminate(ctx, "nobody", "", client.TerminateOptions{}); !errors.Is(err, taskhub.ErrNotFound) {
			h.t.Error(err)
		}
		run := startIt(h, waiting, None{})
		wantState(h, c.Resume(ctx, run.ID, ""), client.ErrNotSuspended, history.Running)
		if err := c.Suspend(ctx, run.ID, "lunch"); err != nil {
			h.t.Fatal(err)
		}
		h.settle()
		wantState(h, c.Suspend(ctx, run.ID, ""), client.ErrSuspended, history.Suspended)
		if err := errors.Join(c.Raise(ctx, run.ID, "go", history.Payload(`"on"`)), c.Resume(ctx, run.ID, "back")); err != nil {
			h.t.Fatal(err)
		}
		got, err := run.Result(ctx)
		want(h, got, err, "on")
		for _, err := range []error{
			c.Raise(ctx, run.ID, "go", nil), c.Suspend(ctx, run.ID, ""), c.Resume(ctx, run.ID, ""), c.Terminate(ctx, run.ID, "", client.TerminateOptions{}),
		} {
			wantState(h, err, client.ErrFinished, history.Completed)
		}
		if err := c.Raise(ctx, run.ID, "", nil); !errors.Is(err, client.ErrInvalidEventName) {
			h.t.Error(err)
		}
		if err := c.Raise(ctx, run.ID, "go", make(history.Payload, taskhub.MaxPayload+1)); !errors.Is(err, taskhub.ErrTooLarge) {
			h.t.Error(err)
		}
	})
}

// TestAnEventIsDeliveredWithoutAPoll has the instance in memory: no time passes.
func TestAnEventIsDeliveredWithoutAPoll(t *testing.T) {
	inHub(t, []Registration{waiting}, func(h *hub) {
		run := startIt(h, waiting, None{})
		before := time.Now()
		if err := h.core.client.Raise(h.t.Context(), run.ID, "Go", history.Payload(`"x"`)); err != nil {
			h.t.Fatal(err)
		}
		got, err := run.Result(h.t.Context())
		want(h, got, err, "x")
		if took := time.Since(before); took > 0 && h.dispatch == 0 {
			h.t.Errorf("it took %v", took)
		}
	})
}

func TestTerminateWhatHasNotStarted(t *testing.T) {
	ran := false
	o := NewOrchestrator("O", func(ctx *Context, _ None) (string, error) { ran = true; return "ran", nil })
	inHub(t, []Registration{o}, func(h *hub) {
		run := startIt(h, o, None{}, WithStartTime(time.Now().Add(time.Hour)))
		if err := h.core.client.Terminate(h.t.Context(), run.ID, "changed my mind", client.TerminateOptions{}); err != nil {
			h.t.Fatal(err)
		}
		h.settle()
		_, err := run.Result(h.t.Context())
		if failed := new(OrchestrationError); !errors.As(err, &failed) || failed.Status != "Terminated" || failed.Message != "changed my mind" {
			h.t.Error(err)
		}
		<-time.After(2 * time.Hour)
		if n := h.memory.Pending(taskhub.ControlQueue(hubName)); n != 0 || ran || h.status(run.ID) != history.Terminated {
			h.t.Errorf("%d messages left; ran: %v; %v", n, ran, h.status(run.ID))
		}
	})
}

func TestEventsBeforeAScheduledStart(t *testing.T) {
	inHub(t, []Registration{waiting}, func(h *hub) {
		run := startIt(h, waiting, None{}, WithStartTime(time.Now().Add(5*time.Hour)))
		if err := h.core.client.Raise(h.t.Context(), run.ID, "Go", history.Payload(`"early"`)); err != nil {
			h.t.Fatal(err)
		}
		got, err := run.Result(h.t.Context())
		want(h, got, err, "early")
	})
}

// TestControlOfALoop suspends and terminates an orchestration whose code begins
// anew because of what comes together with that.
func TestControlOfALoop(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, n int) (int, error) {
		if _, err := WaitForEvent[None](ctx, "Go").Await(); err != nil {
			return 0, err
		}
		return 0, ctx.ContinueAsNew(n + 1)
	})
	inHub(t, []Registration{o}, func(h *hub) {
		run := startIt(h, o, 0)
		h.raise(run.ID, "Go", "null")
		h.settle()
		h.send(run.ID, &history.Event{Type: history.ExecutionSuspended, ID: history.NoID, Reason: history.Payload("pause"), Timestamp: time.Now()})
		h.settle()
		if row, err := h.core.client.Get(h.t.Context(), run.ID); err != nil || row.Shown() != history.Suspended || string(row.Input) != "1" {
			h.t.Errorf("suspended: %+v %v", row, err)
		}
		h.send(run.ID, &history.Event{Type: history.ExecutionResumed, ID: history.NoID, Timestamp: time.Now()})
		h.raise(run.ID, "Go", "null")
		h.terminate(run.ID)
		h.settle()
		if row, err := h.core.client.Get(h.t.Context(), run.ID); err != nil || row.Shown() != history.Terminated || string(row.Output) != "enough" {
			h.t.Errorf("terminated: %+v %v", row, err)
		}
	})
}

// family is a parent, its child and that one's child, which waits.
func family() (*Orchestrator[None, string], []Registration) {
	grandchild := NewOrchestrator("Grandchild", func(ctx *Context, _ None) (string, error) {
		return WaitForEvent[string](ctx, "Go").Await()
	})
	child := NewOrchestrator("Child", func(ctx *Context, n int) (string, error) {
		if n < 3 {
			return "", ctx.ContinueAsNew(n + 1)
		}
		return grandchild.Call(ctx, None{}, WithInstanceID("grandchild")).Await()
	})
	parent := NewOrchestrator("Parent", func(ctx *Context, _ None) (string, error) {
		_, err := child.Call(ctx, 0, WithInstanceID("child")).Await()
		return fmt.Sprint(err), nil
	})
	return parent, []Registration{parent, child, grandchild}
}

func TestTerminateWithChildren(t *testing.T) {
	parent, functions := family()
	inHub(t, functions, func(h *hub) {
		startIt(h, parent, None{}, WithInstanceID("parent"))
		if err := h.core.client.Terminate(h.t.Context(), "parent", "all of it", client.TerminateOptions{Children: true}); err != nil {
			h.t.Fatal(err)
		}
		h.settle()
		for _, id := range []string{"parent", "child", "grandchild"} {
			if s := h.status(id); s != history.Terminated {
				h.t.Errorf("%s is %v", id, s)
			}
		}
	})
}

func TestTerminateAChild(t *testing.T) {
	parent, functions := family()
	inHub(t, functions, func(h *hub) {
		run := startIt(h, parent, None{}, WithInstanceID("parent"))
		if err := h.core.client.Terminate(h.t.Context(), "child", "just you", client.TerminateOptions{}); err != nil {
			h.t.Fatal(err)
		}
		got, err := run.Result(h.t.Context())
		if err != nil || !strings.Contains(got, "just you") {
			h.t.Errorf("%q %v", got, err)
		}
		if s := h.status("grandchild"); s != history.Running {
			h.t.Errorf("the grandchild is %v", s)
		}
	})
}

func TestReusePolicies(t *testing.T) {
	inHub(t, []Registration{waiting}, func(h *hub) {
		c, ctx := h.core.client, h.t.Context()
		start := func(reuse client.Reuse) (*taskhub.Instance, error) {
			return c.Start(ctx, client.Start{Name: "Waiting", InstanceID: "one", Reuse: reuse})
		}
		first, err := start(client.RejectIfRunning)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, reuse := range []client.Reuse{client.RejectIfRunning, client.RejectIfExists} {
			if _, err := start(reuse); !errors.Is(err, client.ErrExists) || !errors.Is(err, client.ErrRunning) {
				h.t.Errorf("%v: %v", reuse, err)
			}
		}
		if have, err := start(client.ReturnExisting); err != nil || have.ExecutionID != first.ExecutionID {
			h.t.Errorf("%+v %v", have, err)
		}
		second, err := start(client.TerminateAndReplace)
		if err != nil || second.ExecutionID == first.ExecutionID || *second.Generation != 1 {
			h.t.Fatalf("%+v %v", second, err)
		}
		h.settle()
		if err := c.Raise(ctx, "one", "Go", history.Payload(`"second"`)); err != nil {
			h.t.Fatal(err)
		}
		row, err := c.Wait(ctx, "one", "")
		if err != nil || string(row.Output) != `"second"` || row.ExecutionID != second.ExecutionID {
			h.t.Errorf("%+v %v", row, err)
		}
		if _, err := start(client.RejectIfExists); !errors.Is(err, client.ErrExists) {
			h.t.Error(err)
		}
		if third, err := start(client.TerminateAndReplace); err != nil || *third.Generation != 2 {
			h.t.Errorf("%+v %v", third, err)
		}
	})
}

func TestRestart(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, n int) (int, error) {
		_, err := WaitForEvent[None](ctx, "Go").Await()
		return n, err
	})
	inHub(t, []Registration{o}, func(h *hub) {
		c, ctx := h.core.client, h.t.Context()
		if _, err := c.Restart(ctx, "nobody", client.RestartOptions{}); !errors.Is(err, taskhub.ErrNotFound) {
			h.t.Error(err)
		}
		run := startIt(h, o, 7, WithTags(map[string]string{"a": "b"}))
		_, err := c.Restart(ctx, run.ID, client.RestartOptions{SameID: true})
		wantState(h, err, client.ErrNotFinished, history.Running)
		other, err := c.Restart(ctx, run.ID, client.RestartOptions{})
		if err != nil || other.ID == run.ID || other.Name != "O" || string(other.Input) != "7" || other.Tags["a"] != "b" {
			h.t.Fatalf("%+v %v", other, err)
		}
		h.settle()
		for _, id := range []string{run.ID, other.ID} {
			if err := c.Raise(ctx, id, "Go", nil); err != nil {
				h.t.Fatal(err)
			}
		}
		if row, err := c.Wait(ctx, other.ID, ""); err != nil || string(row.Output) != "7" {
			h.t.Errorf("%+v %v", row, err)
		}
		if _, err := run.Result(ctx); err != nil {
			h.t.Error(err)
		}
		if again, err := c.Restart(ctx, run.ID, client.RestartOptions{SameID: true}); err != nil || again.ID != run.ID || *again.Generation != 1 {
			h.t.Errorf("%+v %v", again, err)
		}
	})
}

// TestTerminateAndResumeWhatIsParked has code that does not fit a history.
func TestTerminateAndResumeWhatIsParked(t *testing.T) {
	changed := false
	o := NewOrchestrator("O", func(ctx *Context, _ None) (string, error) {
		if changed {
			return "", ctx.Sleep(time.Hour)
		}
		if _, err := testHello.Call(ctx, "x").Await(); err != nil {
			return "", err
		}
		return WaitForEvent[string](ctx, "Go").Await()
	})
	inHub(t, []Registration{o, testHello}, func(h *hub) {
		ctx := h.t.Context()
		changed = false
		dead, alive := startIt(h, o, None{}), startIt(h, o, None{})
		changed = true
		h.stop()
		h.worker.Kill()
		h.open()
		c := h.core.client
		for _, id := range []string{dead.ID, alive.ID} {
			if err := c.Raise(ctx, id, "Go", history.Payload(`"x"`)); err != nil {
				h.t.Fatal(err)
			}
		}
		h.settle()
		wantState(h, c.Suspend(ctx, dead.ID, ""), client.ErrSuspended, history.Suspended)
		if err := c.Terminate(ctx, dead.ID, "give up", client.TerminateOptions{}); err != nil {
			h.t.Fatal(err)
		}
		h.settle()
		if row, err := c.Get(ctx, dead.ID); err != nil || row.Shown() != history.Terminated || string(row.Output) != "give up" || row.Parked != "" {
			h.t.Errorf("%+v %v", row, err)
		}
		changed = false
		if err := c.Resume(ctx, alive.ID, ""); err != nil {
			h.t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(ctx, time.Hour)
		defer cancel()
		got, err := alive.Result(ctx, WithWaitWhileParked())
		want(h, got, err, "x")
	})
}
