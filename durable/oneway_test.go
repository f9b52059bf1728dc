package durable

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/faults"
	"github.com/durable-go/functions/internal/taskhub/memory"
	"github.com/durable-go/functions/internal/worker"
)

// TestUnawaitedChildren starts a child for which nobody waits in the last turn
// of an execution, however that ends.
func TestUnawaitedChildren(t *testing.T) {
	child := NewOrchestrator("Child", func(ctx *Context, _ None) (None, error) { return None{}, ctx.Sleep(time.Second) })
	o := NewOrchestrator("O", func(ctx *Context, how string) (string, error) {
		if how == "ended anew" {
			return "", nil
		}
		_ = child.Call(ctx, None{}, WithInstanceID("child "+how))
		switch how {
		case "fails":
			return "", errors.New("no")
		case "begins anew":
			return "", ctx.ContinueAsNew("ended anew")
		}
		return "", nil
	})
	inHub(t, []Registration{o, child}, func(h *hub) {
		for _, how := range []string{"ends", "fails", "begins anew"} {
			if _, err := result(h, o, how, nil); (err != nil) != (how == "fails") {
				h.t.Errorf("%s: %v", how, err)
			}
			<-time.After(time.Minute)
			if text := h.is("child "+how, history.Completed); text != "" {
				h.t.Error(how, text)
			}
		}
	})
}

// sender starts an orchestration of its own and sends two events to the target,
// the second one after an event has come, and continues as new.
func sender() []Registration {
	child := NewOrchestrator("Child", func(ctx *Context, _ None) (None, error) { return None{}, nil })
	target := NewOrchestrator("Target", func(ctx *Context, _ None) (string, error) {
		got := ""
		for {
			e, err := WaitForEvent[string](ctx, "E", WithTimeout(time.Hour)).Await()
			if err != nil {
				return got, nil
			}
			got += e
		}
	})
	o := NewOrchestrator("Sender", func(ctx *Context, again bool) (string, error) {
		if again {
			return "", nil
		}
		if _, err := child.StartDetached(ctx, None{}, WithInstanceID("child")); err != nil {
			return "", err
		}
		if err := ctx.SendEvent("target", "E", "a"); err != nil {
			return "", err
		}
		if _, err := WaitForEvent[string](ctx, "Go").Await(); err != nil {
			return "", err
		}
		if err := ctx.SendEvent("target", "E", "b"); err != nil {
			return "", err
		}
		return "", ctx.ContinueAsNew(true)
	})
	return []Registration{o, target, child}
}

// TestSentByAnother has a process die at any call before it has sent what the
// first turn of an orchestration asks for, and the orchestration end in another
// process before the message comes again under which that turn was taken: all is
// sent, once and in order.
func TestSentByAnother(t *testing.T) {
	for _, kind := range []faults.Kind{faults.DieBefore, faults.DieAfter} {
		for _, dispatch := range []worker.Dispatch{worker.Local, worker.Queue} {
			t.Run(fmt.Sprint(dispatch, " ", kind), func(t *testing.T) {
				calls := 0
				for dieSending(t, dispatch, calls+1, kind) {
					calls++
				}
				if calls < 5 {
					t.Errorf("it died at %d calls only", calls)
				}
			})
		}
	}
}

// dieSending reports whether there was a call to die at.
func dieSending(t *testing.T, dispatch worker.Dispatch, at int, kind faults.Kind) (hit bool) {
	synctest.Test(t, func(t *testing.T) {
		h := &hub{t: t, memory: memory.New(memory.Options{}), registry: newRegistry(), dispatch: dispatch}
		for _, f := range sender() {
			if err := f.register(h.registry); err != nil {
				t.Fatal(err)
			}
		}
		begin := func(name, id string, in any) {
			if _, err := h.client().StartNew(t.Context(), name, in, WithInstanceID(id)); err != nil {
				t.Fatal(err)
			}
			h.settle()
		}
		next := func(store taskhub.Store) {
			h.restart(store)
		}
		h.store = h.memory
		h.open()
		begin("Target", "target", None{})
		store := faults.New(h.memory, at, kind)
		next(store)
		// The client is another process.
		h.core = &core{client: client.New(h.memory, client.Options{Queue: taskhub.ControlQueue(hubName)}), registry: h.registry}
		begin("Sender", "it", false)
		select {
		case <-store.Dead():
			hit = true
		default:
		}
		next(h.memory)
		h.raise("it", "Go", `""`)
		<-time.After(2 * time.Hour)
		h.stop()
		h.worker.Kill()
		if text := first(h.is("it", history.Completed), h.is("child", history.Completed), h.is("target", history.Completed)); text != "" {
			t.Errorf("call %d of %q: %s", at, store.Calls(), text)
		}
		if row, err := h.memory.Instance(t.Context(), "target"); err != nil || string(row.Output) != `"ab"` {
			t.Errorf("call %d of %q: %s %v", at, store.Calls(), row.Output, err)
		}
	})
	return hit
}

// TestStartedByAnother has an orchestration go on in another process after it has
// started one that has continued as new and ended since: that does not run again.
func TestStartedByAnother(t *testing.T) {
	runs := 0
	child := NewOrchestrator("Child", func(ctx *Context, again bool) (None, error) {
		if again {
			return None{}, nil
		}
		runs++
		return None{}, ctx.ContinueAsNew(true)
	})
	o := NewOrchestrator("O", func(ctx *Context, how string) (string, error) {
		if how == "again" {
			return "", nil
		}
		if _, err := child.StartDetached(ctx, false, WithInstanceID("child "+how)); err != nil {
			return "", err
		}
		if _, err := WaitForEvent[string](ctx, "Go").Await(); err != nil {
			return "", err
		}
		if how == "ends" {
			return "", nil
		}
		return "", ctx.ContinueAsNew("again")
	})
	inHub(t, []Registration{o, child}, func(h *hub) {
		for _, how := range []string{"ends", "begins anew"} {
			runs = 0
			if _, err := h.client().StartNew(h.t.Context(), "O", how, WithInstanceID(how)); err != nil {
				h.t.Fatal(err)
			}
			h.settle()
			h.restart(h.store)
			h.raise(how, "Go", `""`)
			<-time.After(time.Minute)
			if text := first(h.is(how, history.Completed), h.is("child "+how, history.Completed)); text != "" || runs != 1 {
				h.t.Errorf("%s: it ran %d times %s", how, runs, text)
			}
		}
	})
}

// TestBurstEndsElsewhere has an orchestration end in another process than the one
// that has sent its events, which are more than their target remembers: it
// continues as new after each. Each comes once.
func TestBurstEndsElsewhere(t *testing.T) {
	target := NewOrchestrator("Target", func(ctx *Context, came map[int]int) (string, error) {
		e, err := WaitForEvent[int](ctx, "E", WithTimeout(time.Hour)).Await()
		if err == nil {
			if came == nil {
				came = map[int]int{}
			}
			came[e]++
			return "", ctx.ContinueAsNew(came)
		}
		more := 0
		for _, n := range came {
			more += n - 1
		}
		return fmt.Sprintf("%d, %d again", len(came), more), nil
	})
	o := NewOrchestrator("Burst", func(ctx *Context, n int) (string, error) {
		for e := range n {
			if err := ctx.SendEvent("target", "E", e); err != nil {
				return "", err
			}
		}
		return WaitForEvent[string](ctx, "Go").Await()
	})
	inHub(t, []Registration{o, target}, func(h *hub) {
		startIt(h, target, nil, WithInstanceID("target"))
		h.settle()
		startIt(h, o, 600, WithInstanceID("it"))
		<-time.After(time.Minute)
		h.restart(h.store)
		h.raise("it", "Go", `""`)
		<-time.After(2 * time.Hour)
		if row, err := h.memory.Instance(h.t.Context(), "target"); err != nil || string(row.Output) != `"600, 0 again"` {
			h.t.Errorf("%s came, %v", row.Output, err)
		}
	})
}
