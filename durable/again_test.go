package durable

import (
	"testing"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
)

// TestMessagesOfTheLifeBefore has a message of an instance come again when that has
// ended and its id is that of another one: it means nothing there.
func TestMessagesOfTheLifeBefore(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, _ None) (string, error) {
		return WaitForEvent[string](ctx, "E", WithTimeout(time.Hour)).Await()
	})
	for _, of := range []history.Type{history.ExecutionTerminated, history.ExecutionSuspended, history.EventRaised} {
		inHub(t, []Registration{o}, func(h *hub) {
			h.restart(&sticky{Store: h.memory, of: of})
			startIt(h, o, None{}, WithInstanceID("it"))
			c, ctx := h.core.client, h.t.Context()
			end := func() error { return c.Terminate(ctx, "it", "enough", client.TerminateOptions{}) }
			switch of {
			case history.EventRaised:
				end = func() error { return h.client().RaiseEvent(ctx, "it", "E", "done") }
			case history.ExecutionSuspended:
				if err := c.Suspend(ctx, "it", "pause"); err != nil {
					h.t.Error(err)
				}
				h.settle()
			}
			if err := end(); err != nil {
				h.t.Error(err)
			}
			h.settle()
			if !h.status("it").Finished() {
				h.t.Error("it has not ended")
			}
			startIt(h, o, None{}, WithInstanceID("it"))
			<-time.After(10 * time.Minute)
			if text := h.is("it", history.Running); text != "" {
				h.t.Errorf("%v: %s", of, text)
			}
		})
	}
}
