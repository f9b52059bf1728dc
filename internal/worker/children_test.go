package worker

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

// A child whose id is used again right after its end is started again, however late
// its row means that it has ended.
func TestChildIsCalledAgainBeforeItsRowHasEnded(t *testing.T) {
	for name, dispatch := range map[string]Dispatch{"local": Local, "queue": Queue} {
		for _, slow := range []time.Duration{0, 40 * time.Millisecond, 200 * time.Millisecond} {
			t.Run(fmt.Sprint(name, " ", slow), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					hub := hubtest.Strict(t)
					store := &hooked{Store: late(t, hub, 10*time.Millisecond)}
					store.merge = func(id string, _ taskhub.Change) error {
						if id == "child" {
							<-time.After(slow)
						}
						return nil
					}
					w := polling(t, store, func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
						if rt.InstanceID() == "child" {
							return history.Payload(`1`), nil
						}
						for range 5 {
							if _, err := rt.CallChild(&engine.Child{Name: "O", InstanceID: "child"}).Await(); err != nil {
								return nil, err
							}
						}
						return history.Payload(`1`), nil
					}, func(o *Options) { o.Dispatch = dispatch })
					start(t, hub, w, "parent")
					if row := finished(t, hub, "parent", 10*time.Minute); row.Status != history.Completed {
						t.Errorf("%v: %s", row.Status, row.Output)
					}
				})
			})
		}
	}
}

// Tags that fit a history, which has blobs, and not the row of a child fail the call
// and are not tried again and again.
func TestChildWithTagsTooLargeFailsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := hubtest.Strict(t)
		w := polling(t, hub.Process(nil), func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
			if rt.InstanceID() == "x" {
				return rt.CallChild(&engine.Child{Name: "O", Tags: map[string]string{"note": strings.Repeat("n", 40_000)}}).Await()
			}
			return history.Payload(`1`), nil
		}, nil)
		start(t, hub, w, "x")
		if row := finished(t, hub, "x", time.Minute); row.Status != history.Failed || !strings.Contains(string(row.Output), "at most") {
			t.Errorf("%v: %s", row.Status, row.Output)
		}
		if n := hub.Pending(controlQueue); n != 0 {
			t.Errorf("%d messages left", n)
		}
	})
}
