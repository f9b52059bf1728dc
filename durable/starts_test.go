package durable

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/worker"
)

// starter is an app whose activity starts one Order for each id that it is told to,
// and dies once before the last of its first run.
type starter struct {
	runs int
	mu   sync.Mutex
	ran  map[string]int // what has run, by id
}

var errDied = errors.New("the process ended")

// ordering makes the orchestrators and the activity: ids says what a run starts, by
// its number, and before is called before each start.
func (s *starter) ordering(ids func(run int) []string, before func(run int, id string) bool, started func(id string)) (*Orchestrator[None, None], []Registration) {
	order := NewOrchestrator("Order", func(ctx *Context, id string) (string, error) {
		if !ctx.IsReplaying() {
			s.mu.Lock()
			s.ran[id]++
			s.mu.Unlock()
		}
		return id, nil
	})
	start := NewAction("StartOrders", func(ctx context.Context, _ None) error {
		s.runs++
		c, _ := ClientFromContext(ctx)
		for _, id := range ids(s.runs) {
			if !before(s.runs, id) {
				<-ctx.Done()
				return errDied
			}
			if _, err := order.Start(ctx, c, id); err != nil {
				return err
			}
			started(id)
		}
		return nil
	})
	o := NewOrchestrator("O", func(ctx *Context, _ None) (None, error) { return start.Call(ctx, None{}).Await() })
	return o, []Registration{o, order, start}
}

// A run that is repeated after a crash, and that has less to start or another order,
// starts each once.
func TestStartsOfARunThatIsRepeated(t *testing.T) {
	for name, second := range map[string][]string{
		"the same":      {"a", "b", "c"},
		"another order": {"c", "b", "a"},
		"less":          {"c"}, // what was started is marked so, as pollers do
		"equal ones":    {"a", "a", "b", "c"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &starter{}
			first := []string{"a", "b", "c"}
			if name == "equal ones" {
				first = second
			}
			o, functions := s.ordering(
				func(run int) []string {
					if run == 1 {
						return first
					}
					return second
				},
				func(run int, id string) bool { return run > 1 || id != "c" },
				func(string) {},
			)
			inHub(t, functions, func(h *hub) {
				if h.dispatch != worker.Local { // ids do not depend on it
					return
				}
				s.ran, s.runs = map[string]int{}, 0
				_, err := result(h, o, None{}, func(string) { h.restart(h.store) })
				<-time.After(time.Minute) // what was started runs
				want := map[string]int{"a": 1, "b": 1, "c": 1}
				if name == "equal ones" {
					want["a"] = 2
				}
				s.mu.Lock()
				defer s.mu.Unlock()
				if err != nil || s.runs != 2 || !maps.Equal(s.ran, want) {
					h.t.Errorf("%v after %d runs: what ran: %v, want %v", err, s.runs, s.ran, want)
				}
			})
		})
	}
}

// An event that an activity raises counts once, although the activity runs again.
func TestEventsOfARunThatIsRepeated(t *testing.T) {
	runs := 0
	raise := NewAction("Raise", func(ctx context.Context, id string) error {
		runs++
		c, _ := ClientFromContext(ctx)
		for _, n := range []int{1, 2, 2} {
			if err := c.RaiseEvent(ctx, id, "go", n); err != nil {
				return err
			}
		}
		if runs == 1 {
			<-ctx.Done()
			return errDied
		}
		return c.RaiseEvent(ctx, id, "go", 100)
	})
	o := NewOrchestrator("O", func(ctx *Context, _ None) (sum int, err error) {
		call := raise.Call(ctx, ctx.InstanceID())
		for got := 0; got != 100; sum += got {
			if got, err = WaitForEvent[int](ctx, "go").Await(); err != nil {
				return 0, err
			}
		}
		_, err = call.Await()
		return sum, err
	})
	inHub(t, []Registration{o, raise}, func(h *hub) {
		if h.dispatch != worker.Local { // ids do not depend on it
			return
		}
		runs = 0
		got, err := result(h, o, None{}, func(string) { h.restart(h.store) })
		want(h, got, err, 105)
		if runs != 2 {
			h.t.Errorf("the activity ran %d times", runs)
		}
	})
}
