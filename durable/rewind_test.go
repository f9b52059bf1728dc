package durable

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// broken counts the runs of activities and fails those that are broken.
type broken struct {
	mu   sync.Mutex
	runs map[string]int
	down map[string]bool
}

func (b *broken) run(name string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.runs[name]++
	if b.down[name] {
		return "", errors.New(name + " is down")
	}
	return name, nil
}

func (b *broken) mend() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = map[string]bool{}
}

// rewindable are orchestrators that fail as long as "x" is down, each with the
// runs that "x" and "a" have had when it has completed after a rewind.
func rewindable(b *broken) ([]Registration, map[*Orchestrator[None, string]]string) {
	do := NewActivity("Do", func(_ context.Context, name string) (string, error) { return b.run(name) })
	forever := NewActivity("Forever", func(ctx context.Context, name string) (string, error) {
		if result, err := b.run(name); err != nil || !b.isDown("x") {
			return result, err
		}
		<-ctx.Done()
		return "", ctx.Err()
	})
	chain := NewOrchestrator("Chain", func(ctx *Context, _ None) (string, error) {
		if _, err := do.Call(ctx, "a").Await(); err != nil {
			return "", err
		}
		return do.Call(ctx, "x").Await()
	})
	fan := NewOrchestrator("Fan", func(ctx *Context, _ None) (string, error) {
		_, err := All(do.Call(ctx, "a"), do.Call(ctx, "x"), do.Call(ctx, "a"), do.Call(ctx, "x"))
		return "fan", err
	})
	first := NewOrchestrator("First", func(ctx *Context, _ None) (string, error) {
		running := forever.Call(ctx, "a")
		if err := ctx.Sleep(1e9); err != nil {
			return "", err
		}
		_, err := FirstError(running, do.Call(ctx, "x"))
		return "first", err
	})
	retried := NewOrchestrator("Retried", func(ctx *Context, _ None) (string, error) {
		if _, err := do.Call(ctx, "a").Await(); err != nil {
			return "", err
		}
		return do.Call(ctx, "x", WithRetry(RetryPolicy{MaxAttempts: 3, FirstInterval: 1e9})).Await()
	})
	handled := NewOrchestrator("Handled", func(ctx *Context, _ None) (string, error) {
		_, first := do.Call(ctx, "x").Await()
		if _, err := do.Call(ctx, "a").Await(); err != nil {
			return "", err
		}
		_, err := do.Call(ctx, "x").Await()
		return fmt.Sprint(first != nil), err
	})
	saga := NewOrchestrator("Saga", func(ctx *Context, _ None) (string, error) {
		result, err := do.Call(ctx, "x").Await()
		if err != nil {
			if _, undo := do.Call(ctx, "undo").Await(); undo != nil {
				return "", undo
			}
			return "", fmt.Errorf("undone: %w", err)
		}
		_, err = do.Call(ctx, "a").Await()
		return result + " saga", err
	})
	thrown := NewOrchestrator("Thrown", func(ctx *Context, _ None) (string, error) {
		if _, err := do.Call(ctx, "a").Await(); err != nil {
			return "", err
		}
		if b.isDown("x") {
			return "", errors.New("thrown")
		}
		return "thrown", nil
	})
	parent := NewOrchestrator("Parent", func(ctx *Context, _ None) (string, error) {
		if _, err := do.Call(ctx, "a").Await(); err != nil {
			return "", err
		}
		return chain.Call(ctx, None{}, WithInstanceID("kid")).Await()
	})
	late := NewOrchestrator("Late", func(ctx *Context, _ None) (string, error) {
		if err := ctx.Sleep(1e9); err != nil {
			return "", err
		}
		return do.Call(ctx, "a").Await()
	})
	deserted := NewOrchestrator("Deserted", func(ctx *Context, _ None) (string, error) {
		_, err := FirstError(late.Call(ctx, None{}, WithInstanceID("late")), do.Call(ctx, "x"))
		return "deserted", err
	})
	all := map[*Orchestrator[None, string]]string{
		chain: "x2 a1 x", fan: "x4 a2 fan", first: "x2 a2 first", retried: "x4 a1 x", handled: "x3 a1 true",
		saga:   "x2 a1 x saga",
		thrown: "x0 a1 thrown", parent: "x2 a2 x", deserted: "x2 a1 deserted",
	}
	maps.Copy(all, undoing(do, chain))
	functions := []Registration{do, forever, late}
	for o := range all {
		functions = append(functions, o)
	}
	return functions, all
}

func (b *broken) isDown(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.down[name]
}

// A failed instance goes on where it failed: what had succeeded is not run
// again, what failed or had no result is.
func TestRewind(t *testing.T) {
	b := &broken{}
	functions, all := rewindable(b)
	for o, want := range all {
		t.Run(o.Name(), func(t *testing.T) {
			inHub(t, functions, func(h *hub) {
				b.runs, b.down = map[string]int{}, map[string]bool{"x": true}
				run := startIt(h, o, None{}, WithInstanceID("it"))
				if _, err := run.Result(h.t.Context()); err == nil {
					h.t.Fatal("it did not fail")
				}
				h.settle()
				b.mend()
				if err := h.core.client.Rewind(h.t.Context(), "it", "mended"); err != nil {
					h.t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(h.t.Context(), time.Hour)
				defer cancel()
				got, err := run.Result(ctx)
				if err != nil {
					h.t.Fatal(err)
				}
				if got := fmt.Sprintf("x%d a%d %s", b.runs["x"], b.runs["a"], got); got != want {
					h.t.Errorf("got %s, want %s", got, want)
				}
			})
		})
	}
}

// A rewind that mends nothing fails again, and can be repeated; only failed
// instances are rewound.
func TestRewindAgain(t *testing.T) {
	b := &broken{}
	functions, all := rewindable(b)
	for o := range all {
		t.Run(o.Name(), func(t *testing.T) {
			inHub(t, functions, func(h *hub) {
				b.runs, b.down = map[string]int{}, map[string]bool{"x": true}
				startIt(h, o, None{}, WithInstanceID("it"))
				for range 3 {
					h.settle()
					h.settle()
					if s := h.status("it"); s != history.Failed {
						h.t.Fatalf("it is %v", s)
					}
					if err := h.core.client.Rewind(h.t.Context(), "it", ""); err != nil {
						h.t.Fatal(err)
					}
				}
				h.settle()
				b.mend()
				h.settle()
				if err := h.core.client.Rewind(h.t.Context(), "it", ""); err != nil {
					h.t.Fatal(err)
				}
				h.settle()
				h.settle()
				if s := h.status("it"); s != history.Completed {
					h.t.Errorf("it is %v", s)
				}
				if err := h.core.client.Rewind(h.t.Context(), "it", ""); !errors.Is(err, client.ErrNotFailed) {
					h.t.Errorf("rewinding a completed instance: %v", err)
				}
			})
		})
	}
}

// rewindAsTools changes the history of an instance as "func durable rewind" does:
// every failure in it is taken out.
func rewindAsTools(h *hub, id string) {
	h.t.Helper()
	loaded, err := h.memory.Load(h.t.Context(), id, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	r := &taskhub.Rewind{InstanceID: id, Fence: loaded.Fence, Nonce: taskhub.NewID(), Time: time.Now()}
	failed, end := map[int32]bool{}, 0
	for i, e := range loaded.Events {
		switch e.Type {
		case history.TaskFailed:
			failed[e.TaskID] = true
			r.Marks = append(r.Marks, taskhub.Mark{Event: i, Generic: true, Reason: "Rewound: TaskFailed"})
		case history.ExecutionCompleted:
			end = i
		}
	}
	for i, e := range loaded.Events {
		if e.Type == history.TaskScheduled && failed[e.ID] {
			r.Marks = append(r.Marks, taskhub.Mark{Event: i, Generic: true, Reason: "Rewound: TaskScheduled"})
		}
	}
	r.Marks = append(r.Marks, taskhub.Mark{Event: end, Generic: true, Reason: "Rewound: ExecutionCompleted"})
	pending := history.Pending
	_, rewindErr := h.memory.Rewind(h.t.Context(), r)
	_, mergeErr := h.memory.Merge(h.t.Context(), id, taskhub.Change{Status: &pending})
	if err := errors.Join(rewindErr, mergeErr); err != nil {
		h.t.Fatal(err)
	}
	h.send(id, &history.Event{Type: history.GenericEvent, ID: history.NoID, Timestamp: time.Now()})
}

// The tools take out failures that the code has dealt with, too: it goes another
// way then, and what is recorded of the old one means nothing any more. Twice,
// and then with a process that knows only the history.
func TestRewindByTools(t *testing.T) {
	b := &broken{}
	functions, all := rewindable(b)
	for o, want := range all {
		_, text, _ := strings.Cut(want, " a")
		if o.Name() == "Parent" || o.Name() == "Deserted" || strings.HasPrefix(o.Name(), "Undone") {
			continue
		}
		t.Run(o.Name(), func(t *testing.T) {
			inHub(t, functions, func(h *hub) {
				b.runs, b.down = map[string]int{}, map[string]bool{"x": true}
				run := startIt(h, o, None{}, WithInstanceID("it"))
				h.settle()
				for n := range 3 {
					h.settle()
					if s := h.status("it"); s != history.Failed {
						h.t.Fatalf("it is %v", s)
					}
					if n == 2 {
						b.mend()
					}
					rewindAsTools(h, "it")
					h.settle()
				}
				h.stop()
				h.worker.Kill()
				h.open()
				ctx, cancel := context.WithTimeout(h.t.Context(), time.Hour)
				defer cancel()
				got, err := run.Result(ctx)
				if err != nil {
					h.t.Fatal(err)
				}
				if o.Name() == "Handled" {
					text = "1 false"
				}
				if _, want, _ := strings.Cut(text, " "); got != want {
					h.t.Errorf("got %q, want %q", got, want)
				}
				loaded, err := h.memory.Load(h.t.Context(), "it", 0)
				if err != nil {
					h.t.Fatal(err)
				}
				i := engine.New(engine.Options{InstanceID: "it", Program: h.registry.program})
				defer i.Close()
				if err := i.Load(loaded.Events); err != nil || i.Outcome() == nil || i.Unrecorded() {
					h.t.Errorf("the history does not replay: %v", err)
				}
			})
		})
	}
}
