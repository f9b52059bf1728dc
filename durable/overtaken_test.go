package durable

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// slowMerge is a store whose first change of a row to a status takes so long that
// others go on in the meantime.
type slowMerge struct {
	taskhub.Store
	to        history.Status
	first     sync.Once
	meanwhile func()
}

func (s *slowMerge) Merge(ctx context.Context, id string, c taskhub.Change) (string, error) {
	if c.Status != nil && *c.Status == s.to {
		s.first.Do(s.meanwhile)
	}
	return s.Store.Merge(ctx, id, c)
}

// TestRowOfTheOvertaken has another process end an orchestration while this one
// is about to write that it runs: the row tells of the end.
func TestRowOfTheOvertaken(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, _ None) (string, error) { return WaitForEvent[string](ctx, "E").Await() })
	inHub(t, []Registration{o}, func(h *hub) {
		other := &hub{t: h.t, store: h.memory, memory: h.memory, registry: h.registry, dispatch: h.dispatch}
		slow := &slowMerge{Store: h.memory, to: history.Running, meanwhile: func() {
			h.stop()
			synctest.Wait() // its poller has stopped, and takes no event
			other.open()
			h.raise("it", "E", `"done"`)
			<-time.After(2 * time.Minute)
			if text := h.is("it", history.Completed); text != "" {
				h.t.Error(text)
			}
		}}
		h.restart(slow)
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

// TestRowOfTheRewound has another process end an orchestration, and a client
// rewind it, while this one is about to write that it has failed: the row tells
// that it runs.
func TestRowOfTheRewound(t *testing.T) {
	down := true
	do := NewActivity("Do", func(context.Context, None) (None, error) {
		if down {
			return None{}, errors.New("no")
		}
		return None{}, nil
	})
	o := NewOrchestrator("O", func(ctx *Context, _ None) (string, error) {
		if _, err := do.Call(ctx, None{}).Await(); err != nil {
			return "", err
		}
		return WaitForEvent[string](ctx, "E").Await()
	})
	inHub(t, []Registration{o, do}, func(h *hub) {
		down = true
		other := &hub{t: h.t, store: h.memory, memory: h.memory, registry: h.registry, dispatch: h.dispatch}
		slow := &slowMerge{Store: h.memory, to: history.Failed, meanwhile: func() {
			h.stop()
			other.open()
			h.raise("it", "Wake", `""`)
			<-time.After(2 * time.Minute)
			down = false
			if err := other.core.client.Rewind(h.t.Context(), "it", "mended"); err != nil {
				h.t.Error(err)
			}
			<-time.After(2 * time.Minute)
		}}
		h.restart(slow)
		if _, err := h.client().StartNew(h.t.Context(), "O", None{}, WithInstanceID("it")); err != nil {
			h.t.Fatal(err)
		}
		<-time.After(10 * time.Minute)
		if text := h.is("it", history.Running); text != "" {
			h.t.Error(text)
		}
		other.stop()
		other.worker.Kill()
	})
}

// TestClockOfTheClient has the clock of the client be wrong: the time of an
// orchestration is that of the process that runs it.
func TestClockOfTheClient(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, _ None) (None, error) { return None{}, ctx.Sleep(time.Minute) })
	for _, skew := range []time.Duration{time.Hour, -time.Hour} {
		inHub(t, []Registration{o}, func(h *hub) {
			ref := history.InstanceRef{InstanceID: "it", ExecutionID: "x"}
			start := &history.Event{Type: history.ExecutionStarted, ID: history.NoID, Name: "O", Timestamp: time.Now().Add(skew), Instance: ref}
			if err := h.memory.Insert(h.t.Context(), &taskhub.Instance{ID: "it", ExecutionID: "x", Name: "O", Status: history.Pending, Created: start.Timestamp}); err != nil {
				h.t.Fatal(err)
			}
			if _, err := h.store.Send(h.t.Context(), taskhub.ControlQueue(hubName), &taskhub.Message{ID: taskhub.NewGUID(), Target: ref, Event: start}, 0); err != nil {
				h.t.Fatal(err)
			}
			<-time.After(2 * time.Minute)
			if text := h.is("it", history.Completed); text != "" {
				h.t.Error(skew, text)
			}
		})
	}
}
