package durable

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// TestIDsOfTheVoid has a failure ask for an event, or a child, that its rewind
// makes void, and the orchestration then ask for another one, which has the same
// id: that one is sent, or runs, too.
func TestIDsOfTheVoid(t *testing.T) {
	down := true
	do := NewActivity("Do", func(context.Context, None) (None, error) {
		if down {
			return None{}, errors.New("no")
		}
		return None{}, nil
	})
	child := NewOrchestrator("Child", func(_ *Context, in string) (string, error) { return in, nil })
	o := NewOrchestrator("O", func(ctx *Context, how string) (string, error) {
		_, err := do.Call(ctx, None{}).Await()
		text := "good"
		if err != nil {
			text = "bad"
		}
		if how == "child" {
			got, _ := child.Call(ctx, text).Await()
			return got, err
		}
		return text, errors.Join(err, ctx.SendEvent("target", "E", text))
	})
	inHub(t, append(collect(), o, do, child), func(h *hub) {
		if _, err := h.client().StartNew(h.t.Context(), "Collect", None{}, WithInstanceID("target")); err != nil {
			h.t.Fatal(err)
		}
		for _, how := range []string{"event", "child"} {
			down = true
			startIt(h, o, how, WithInstanceID(how))
			if text := h.is(how, history.Failed); text != "" {
				h.t.Error(text)
			}
			down = false
			if err := h.core.client.Rewind(h.t.Context(), how, "mended"); err != nil {
				h.t.Error(err)
			}
			h.settle()
			if row, err := h.memory.Instance(h.t.Context(), how); err != nil || string(row.Output) != `"good"` {
				h.t.Errorf("%s: %s %v", how, row.Output, err)
			}
		}
		<-time.After(10 * time.Minute)
		if row, err := h.memory.Instance(h.t.Context(), "target"); err != nil || string(row.Output) != `"badgood"` {
			h.t.Errorf("%s came, %v", row.Output, err)
		}
	})
}

// TestRewindWithoutChild has children that failed and are not there when their
// parent is rewound: one was purged, of the other only the id was in use. They
// are started.
func TestRewindWithoutChild(t *testing.T) {
	down := true
	do := NewActivity("Do", func(context.Context, None) (string, error) {
		if down {
			return "", errors.New("no")
		}
		return "well", nil
	})
	child := NewOrchestrator("Child", func(ctx *Context, _ None) (string, error) { return do.Call(ctx, None{}).Await() })
	purged := NewOrchestrator("Purged", func(ctx *Context, _ None) (string, error) {
		return child.Call(ctx, None{}, WithInstanceID("kid")).Await()
	})
	twice := NewOrchestrator("Twice", func(ctx *Context, _ None) (string, error) {
		a, b := child.Call(ctx, None{}, WithInstanceID("kid")), child.Call(ctx, None{}, WithInstanceID("kid"))
		_, first := a.Await()
		result, second := b.Await()
		return result, errors.Join(first, second)
	})
	for _, o := range []*Orchestrator[None, string]{purged, twice} {
		inHub(t, []Registration{do, child, o}, func(h *hub) {
			down = true
			startIt(h, o, None{}, WithInstanceID("it"))
			if text := h.is("it", history.Failed); text != "" {
				h.t.Error(text)
			}
			down = false
			if o == purged {
				if _, err := h.core.client.Purge(h.t.Context(), "kid", client.PurgeOptions{}); err != nil {
					h.t.Error(err)
				}
			}
			for range 2 { // the id is in use once more: the second call fails again
				if h.is("it", history.Completed) == "" {
					return
				}
				if err := h.core.client.Rewind(h.t.Context(), "it", "mended"); err != nil {
					h.t.Error(err)
				}
				h.settle()
				<-time.After(10 * time.Minute)
			}
			if text := h.is("it", history.Completed); text != "" {
				h.t.Error(text)
			}
		})
	}
}

// TestRewindBehind has a child that failed and whose row does not say so yet,
// because the process died before it wrote that. It is rewound with its parent.
func TestRewindBehind(t *testing.T) {
	down := true
	do := NewActivity("Do", func(context.Context, None) (string, error) {
		if down {
			return "", errors.New("no")
		}
		return "well", nil
	})
	child := NewOrchestrator("Child", func(ctx *Context, _ None) (string, error) { return do.Call(ctx, None{}).Await() })
	parent := NewOrchestrator("Parent", func(ctx *Context, _ None) (string, error) {
		return child.Call(ctx, None{}, WithInstanceID("kid")).Await()
	})
	inHub(t, []Registration{do, child, parent}, func(h *hub) {
		down = true
		startIt(h, parent, None{}, WithInstanceID("it"))
		if text := h.is("it", history.Failed); text != "" {
			h.t.Error(text)
		}
		down = false
		row, err := h.store.Instance(h.t.Context(), "kid")
		if err != nil {
			h.t.Fatal(err)
		}
		running := history.Running
		if _, err := h.store.Merge(h.t.Context(), "kid", taskhub.Change{ETag: row.ETag, Status: &running, Updated: row.Updated}); err != nil {
			h.t.Fatal(err)
		}
		if err := h.core.client.Rewind(h.t.Context(), "it", "mended"); err != nil {
			h.t.Error(err)
		}
		h.settle()
		if text := h.is("it", history.Completed) + h.is("kid", history.Completed); text != "" {
			h.t.Error(text)
		}
	})
}
