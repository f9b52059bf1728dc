package durable

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// TestDeferredFunctions: where the orchestrator returns an error, or panics, a
// deferred function calls activities and waits for them; where the orchestrator
// leaves memory, such a call ends it, and nothing that it asks for is done.
func TestDeferredFunctions(t *testing.T) {
	var undone, began, through []string
	undo := NewAction("Undo", func(_ context.Context, what string) error {
		undone = append(undone, what)
		return nil
	})
	o := NewOrchestrator("Order", func(ctx *Context, how string) (_ string, err error) {
		defer func() {
			if err != nil {
				_, failed := undo.Call(ctx, "on error").Await()
				err = errors.Join(err, failed)
			}
		}()
		defer func() {
			began = append(began, how)
			_, _ = undo.Call(ctx, "always").Await()
			through = append(through, how)
		}()
		if err := ctx.Sleep(time.Hour); err != nil {
			return "", err
		}
		switch how {
		case "fails":
			return "", errDeclined
		case "panics":
			panic("oh")
		}
		return "done", nil
	})
	for how, want := range map[string][]string{"fails": {"always", "on error"}, "panics": {"always"}, "well": {"always"}} {
		t.Run(how, func(t *testing.T) {
			inHub(t, []Registration{o, undo}, func(h *hub) {
				undone, began, through = nil, nil, nil
				run, err := o.Start(h.t.Context(), h.client(), how)
				if err != nil {
					h.t.Fatal(err)
				}
				h.settle()
				h.restart(h.store) // the orchestrator leaves memory while it waits
				if len(began) == 0 || len(undone)+len(through) > 0 {
					h.t.Errorf("when it left memory %d deferred functions began, %d came to their end, and %q was done", len(began), len(through), undone)
				}
				_, err = run.Result(h.t.Context())
				if errors.Is(err, errDeclined) != (how == "fails") || !slices.Equal(undone, want) {
					h.t.Errorf("%v; done: %q, want %q", err, undone, want)
				}
			})
		})
	}
}
