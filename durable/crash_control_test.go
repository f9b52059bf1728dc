package durable

import (
	"context"
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

// controlled is something that a client asks for, and what must come of it when
// the process ends meanwhile, or an answer is lost.
type controlled struct {
	name string
	// functions make an app anew.
	functions func() []Registration
	// before makes the instances.
	before func(h *hub)
	// ask is repeated until it succeeds, as people do, or until its error says
	// that it has had its effect.
	ask  func(ctx context.Context, c *client.Client) error
	done error
	// wrong says what is not as it must be in the end; empty: nothing.
	wrong func(h *hub) string
}

// is is the complaint about an instance that is not of the status.
func (h *hub) is(id string, status history.Status) string {
	row, err := h.memory.Instance(h.t.Context(), id)
	if err != nil {
		return fmt.Sprint(id, ": ", err)
	}
	if row.Shown() != status {
		return fmt.Sprintf("%s is %v", id, row.Shown())
	}
	return ""
}

// gone is the complaint about an instance of which something is left.
func (h *hub) gone(id string) string {
	_, err := h.memory.Instance(h.t.Context(), id)
	loaded, loadErr := h.memory.Load(h.t.Context(), id, 0)
	if !errors.Is(err, taskhub.ErrNotFound) || loadErr != nil || len(loaded.Events) > 0 {
		return id + " is not gone"
	}
	return ""
}

func first(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// collect returns four events, or what has come of them in time.
func collect() []Registration {
	return []Registration{NewOrchestrator("Collect", func(ctx *Context, _ None) (string, error) {
		all := ""
		for {
			e, err := WaitForEvent[string](ctx, "E", WithTimeout(5*time.Minute)).Await()
			if err != nil {
				return all, nil
			}
			all += e
		}
	})}
}

func controls() []controlled {
	parent, kin := family()
	b := &broken{}
	start := func(name, id string) func(*hub) {
		return func(h *hub) {
			if _, err := h.client().StartNew(h.t.Context(), name, None{}, WithInstanceID(id)); err != nil {
				h.t.Fatal(err)
			}
			h.settle()
		}
	}
	family := func() []Registration { return kin }
	wait := func() []Registration { return []Registration{waiting} }
	return []controlled{
		{
			name: "raise", functions: collect, before: start("Collect", "it"),
			ask: func(ctx context.Context, c *client.Client) error {
				for n := range 4 {
					data := history.Payload(fmt.Sprintf(`"%d"`, n))
					if err := c.RaiseOnce(ctx, taskhub.GUID("event", string(data)), "it", "E", data); err != nil {
						return err
					}
				}
				return nil
			},
			wrong: func(h *hub) string {
				if text := h.is("it", history.Completed); text != "" {
					return text
				}
				if row, _ := h.memory.Instance(h.t.Context(), "it"); string(row.Output) != `"0123"` {
					return "events: " + string(row.Output)
				}
				return ""
			},
		},
		{
			name: "terminate", functions: family, before: start(parent.Name(), "parent"), done: client.ErrFinished,
			ask: func(ctx context.Context, c *client.Client) error {
				return c.Terminate(ctx, "parent", "enough", client.TerminateOptions{Children: true})
			},
			wrong: func(h *hub) string {
				return first(h.is("parent", history.Terminated), h.is("child", history.Terminated), h.is("grandchild", history.Terminated))
			},
		},
		{
			name: "suspend", functions: wait, before: start("Waiting", "it"), done: client.ErrSuspended,
			ask:   func(ctx context.Context, c *client.Client) error { return c.Suspend(ctx, "it", "lunch") },
			wrong: func(h *hub) string { return h.is("it", history.Suspended) },
		},
		{
			name: "resume", functions: wait, done: client.ErrNotSuspended,
			before: func(h *hub) {
				start("Waiting", "it")(h)
				if err := h.core.client.Suspend(h.t.Context(), "it", ""); err != nil {
					h.t.Fatal(err)
				}
				h.settle()
			},
			ask:   func(ctx context.Context, c *client.Client) error { return c.Resume(ctx, "it", "back") },
			wrong: func(h *hub) string { return h.is("it", history.Running) },
		},
		{
			name: "replace", functions: wait, before: start("Waiting", "it"),
			ask: func(ctx context.Context, c *client.Client) error {
				ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
				defer cancel()
				_, err := c.Start(ctx, client.Start{Name: "Waiting", InstanceID: "it", ExecutionID: "second", Reuse: client.TerminateAndReplace})
				return err
			},
			wrong: func(h *hub) string {
				if row, err := h.memory.Instance(h.t.Context(), "it"); err != nil || row.ExecutionID != "second" {
					return fmt.Sprint("it was not replaced: ", err)
				}
				return h.is("it", history.Running)
			},
		},
		{
			name: "rewind", done: client.ErrNotFailed,
			functions: func() []Registration {
				b = &broken{runs: map[string]int{}, down: map[string]bool{"x": true}}
				functions, _ := rewindable(b)
				return functions
			},
			before: func(h *hub) {
				start("Parent", "it")(h)
				b.mend()
			},
			ask: func(ctx context.Context, c *client.Client) error { return c.Rewind(ctx, "it", "mended") },
			wrong: func(h *hub) string {
				b.mu.Lock()
				defer b.mu.Unlock()
				if b.runs["a"] != 2 {
					return fmt.Sprint("what had succeeded ran again: ", b.runs)
				}
				return first(h.is("it", history.Completed), h.is("kid", history.Completed))
			},
		},
		{
			name: "purge", functions: family, done: taskhub.ErrNotFound,
			before: func(h *hub) {
				start(parent.Name(), "parent")(h)
				if err := h.core.client.Terminate(h.t.Context(), "parent", "", client.TerminateOptions{Children: true}); err != nil {
					h.t.Fatal(err)
				}
				h.settle()
			},
			ask: func(ctx context.Context, c *client.Client) error {
				_, err := c.Purge(ctx, "parent", client.PurgeOptions{Children: true})
				return err
			},
			wrong: func(h *hub) string { return first(h.gone("parent"), h.gone("child"), h.gone("grandchild")) },
		},
		{
			name: "purge all", functions: wait,
			before: func(h *hub) {
				for n := range 4 {
					start("Waiting", fmt.Sprint("it", n))(h)
					if err := h.core.client.Raise(h.t.Context(), fmt.Sprint("it", n), "Go", nil); n > 0 && err != nil {
						h.t.Fatal(err)
					}
				}
				start("Waiting", "on")(h)
				h.settle()
			},
			ask: func(ctx context.Context, c *client.Client) error {
				r, err := c.PurgeAll(ctx, client.PurgeFilter{}, nil)
				if err == nil && !r.Complete {
					return errors.New("it is not complete")
				}
				return err
			},
			wrong: func(h *hub) string {
				return first(h.gone("it0"), h.gone("it1"), h.gone("it2"), h.gone("it3"), h.is("on", history.Running))
			},
		},
	}
}

// TestCrashAtEveryControl ends the process before and after every storage call
// that a client's wish causes, or loses one answer.
func TestCrashAtEveryControl(t *testing.T) {
	for _, dispatch := range []worker.Dispatch{worker.Local, worker.Queue} {
		for _, c := range controls() {
			for _, kind := range []faults.Kind{faults.DieBefore, faults.DieAfter, faults.LoseAnswer} {
				t.Run(fmt.Sprint([]string{"local", "queue"}[dispatch], " ", c.name, " ", kind), func(t *testing.T) {
					for at := 1; crashControl(t, dispatch, c, at, kind); at++ {
						if at > 200 {
							t.Fatal("it makes ever more calls")
						}
					}
				})
			}
		}
	}
}

// crashControl plays one wish with one fault and reports whether there was a
// call for it.
func crashControl(t *testing.T, dispatch worker.Dispatch, c controlled, at int, kind faults.Kind) (hit bool) {
	synctest.Test(t, func(t *testing.T) {
		h := &hub{t: t, memory: memory.New(memory.Options{}), registry: newRegistry(), dispatch: dispatch, onDeath: func() {}}
		for _, f := range c.functions() {
			if err := f.register(h.registry); err != nil {
				t.Fatal(err)
			}
		}
		store := faults.New(h.memory, 0, kind)
		h.store = store
		h.open()
		c.before(h)
		dying := h.worker
		go func() {
			select {
			case <-store.Dead():
				dying.Kill()
			case <-t.Context().Done():
			}
		}()
		begun := len(store.Calls())
		store.Arm(at, kind)
		for n := 0; ; n++ {
			err := c.ask(t.Context(), h.core.client)
			if err == nil || c.done != nil && errors.Is(err, c.done) {
				break
			}
			if n == 100 {
				t.Fatalf("call %d of %q: %v", at, store.Calls()[begun:], err)
			}
			<-time.After(time.Second)
			h.reopen(store)
		}
		text := c.wrong(h)
		for n := 0; n < 600 && text != ""; n++ {
			<-time.After(time.Second)
			h.reopen(store)
			text = c.wrong(h)
		}
		if text != "" {
			t.Errorf("%v call %d of %q: %s", kind, at, store.Calls()[begun:], text)
		}
		hit = len(store.Calls())-begun >= at
		h.stop()
		h.worker.Kill()
		<-time.After(time.Minute)
	})
	return hit
}
