package durable

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// slowMerge is a store whose first change of a row takes so long that others go
// on in the meantime.
type slowMerge struct {
	taskhub.Store
	first     sync.Once
	meanwhile func()
}

func (s *slowMerge) Merge(ctx context.Context, id string, c taskhub.Change) (string, error) {
	s.first.Do(s.meanwhile)
	return s.Store.Merge(ctx, id, c)
}

// TestRowOfTheOvertaken has another process end an orchestration while this one
// is about to write that it runs: the row tells of the end.
func TestRowOfTheOvertaken(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, _ None) (string, error) { return WaitForEvent[string](ctx, "E").Await() })
	inHub(t, []Registration{o}, func(h *hub) {
		other := &hub{t: h.t, store: h.memory, memory: h.memory, registry: h.registry, dispatch: h.dispatch}
		slow := &slowMerge{Store: h.memory, meanwhile: func() {
			h.stop()
			synctest.Wait() // its poller has stopped, and takes no event
			other.open()
			h.raise("it", "E", `"done"`)
			<-time.After(2 * time.Minute)
			if text := h.is("it", history.Completed); text != "" {
				h.t.Error(text)
			}
		}}
		h.stop()
		h.worker.Kill()
		h.store = slow
		h.open()
		if _, err := h.client().StartNew(h.t.Context(), "O", None{}, WithInstanceID("it")); err != nil {
			h.t.Fatal(err)
		}
		<-time.After(10 * time.Minute)
		if row, err := h.memory.Instance(h.t.Context(), "it"); err != nil || row.Status != history.Completed || string(row.Output) != `"done"` {
			h.t.Errorf("%+v %v", row, err)
		}
		other.stop()
		other.worker.Kill()
	})
}
