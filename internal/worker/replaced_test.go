package worker

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

// An event that an ended execution has dropped holds up none of those after it, of
// the same client, in the execution that replaces it.
func TestReplacedInstanceHearsItsEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := hubtest.Memory(t)
		store := &hooked{Store: hub, merge: func(_ string, c taskhub.Change) error {
			if c.Status != nil && *c.Status == history.Terminated {
				<-time.After(300 * time.Millisecond) // a busy partition
			}
			return nil
		}}
		polling(t, store, func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
			return rt.WaitEvent("go").Await()
		}, nil)
		c, ctx := client.New(store, client.Options{Queue: controlQueue}), t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		_, err := c.Start(ctx, client.Start{Name: "O", InstanceID: "x"})
		must(err)
		<-time.After(2 * time.Second)
		done := make(chan error, 1)
		go func() {
			_, err := c.Start(ctx, client.Start{Name: "O", InstanceID: "x", Reuse: client.TerminateAndReplace})
			done <- err
		}()
		for head, _ := hub.Head(ctx, "x"); !head.State.Ended; head, _ = hub.Head(ctx, "x") {
			<-time.After(5 * time.Millisecond)
		}
		_ = c.Raise(ctx, "x", "note", nil) // told the one that ended, or refused
		must(<-done)
		<-time.After(2 * time.Second)
		began := time.Now()
		must(c.Raise(ctx, "x", "go", history.Payload(`1`)))
		if row := finished(t, hub, "x", time.Hour); row.Completed.Sub(began) > 5*time.Second {
			t.Errorf("the event was delivered after %v", row.Completed.Sub(began))
		}
	})
}
