package durable

import (
	"context"
	"testing"
	"time"
)

// TestLastUpdated looks at the row of orchestrations that go on, one that wakes
// up and one whose activities follow each other: it is a minute behind at most,
// and no more than one step later than that.
func TestLastUpdated(t *testing.T) {
	slow := NewActivity("Slow", func(context.Context, None) (None, error) {
		<-time.After(20 * time.Second)
		return None{}, nil
	})
	wakes := NewOrchestrator("Wakes", func(ctx *Context, _ None) (None, error) {
		for {
			if err := ctx.Sleep(20 * time.Second); err != nil {
				return None{}, err
			}
		}
	})
	works := NewOrchestrator("Works", func(ctx *Context, _ None) (None, error) {
		for {
			if _, err := slow.Call(ctx, None{}).Await(); err != nil {
				return None{}, err
			}
		}
	})
	inHub(t, []Registration{slow, wakes, works}, func(h *hub) {
		startIt(h, wakes, None{}, WithInstanceID("wakes"))
		startIt(h, works, None{}, WithInstanceID("works"))
		for range 10 {
			<-time.After(5 * time.Minute)
			for _, id := range []string{"wakes", "works"} {
				row, err := h.memory.Instance(h.t.Context(), id)
				if err != nil {
					h.t.Fatal(err)
				}
				if behind := time.Since(row.Updated); behind > 2*time.Minute {
					h.t.Errorf("%s was last updated %v ago", id, behind)
				}
			}
		}
		h.terminate("wakes")
		h.terminate("works")
		h.settle()
	})
}
