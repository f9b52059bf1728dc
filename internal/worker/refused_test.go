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

// A timer at the zero time fires at once, on a store whose times begin in 1601.
func TestTimerAtTheZeroTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := hubtest.Strict(t)
		w := polling(t, hub.Process(nil), func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
			return rt.Timer(time.Time{}).Await()
		}, nil)
		start(t, hub, w, "x")
		if row := finished(t, hub, "x", time.Minute); row.Status != history.Completed {
			t.Errorf("%v: %s", row.Status, row.Output)
		}
	})
}

// A commit that storage refuses for good fails its instance with the reason, and is
// not repeated for ever.
func TestRefusedCommitFailsTheInstance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := hubtest.Strict(t)
		refused := 0
		store := &hooked{Store: hub.Process(nil), commit: func(c *taskhub.Commit) error {
			for _, e := range c.Events {
				if e.Type == history.TaskScheduled {
					refused++
					return fmt.Errorf("operation 3: 400 OutOfRangeInput: %w", taskhub.ErrRefused)
				}
			}
			return nil
		}}
		w := polling(t, store, each(1), nil)
		start(t, hub, w, "x")
		row := finished(t, hub, "x", time.Minute)
		if row.Status != history.Failed || !strings.Contains(string(row.Output), "OutOfRangeInput") {
			t.Errorf("%v: %s", row.Status, row.Output)
		}
		if refused > 3 {
			t.Errorf("%d commits were refused", refused)
		}
	})
}
