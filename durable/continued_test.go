package durable

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// collector continues as new until it has counted to two, and then waits for
// events, after each of which it continues as new.
func collector() Registration {
	return NewOrchestrator("Collector", func(ctx *Context, g gathering) (string, error) {
		if g.Every < 2 {
			return "", ctx.ContinueAsNew(gathering{Every: g.Every + 1, All: g.All})
		}
		e, err := WaitForEvent[string](ctx, "E", WithTimeout(24*time.Hour)).Await()
		if err != nil || e == "end" {
			return list(g.All), err
		}
		return "", ctx.ContinueAsNew(gathering{Every: g.Every, All: append(g.All, e)})
	})
}

func list(all []string) (text string) {
	for _, e := range all {
		text += e
	}
	return text
}

// TestStartComesAgainAfterContinueAsNew has the start message come again after
// its execution has continued as new, and a process die before the instance's
// row said that it runs: nothing begins anew, and the end is shown.
func TestStartComesAgainAfterContinueAsNew(t *testing.T) {
	inHub(t, []Registration{collector()}, func(h *hub) {
		start := &history.Event{Type: history.ExecutionStarted, ID: history.NoID, Name: "Collector", Timestamp: time.Now(), Input: history.Payload(`{"Every":0}`),
			Instance: history.InstanceRef{InstanceID: "it", ExecutionID: "first"}}
		row := &taskhub.Instance{ID: "it", ExecutionID: "first", Name: "Collector", Input: start.Input, Status: history.Pending, Created: start.Timestamp}
		if err := h.memory.Insert(h.t.Context(), row); err != nil {
			h.t.Fatal(err)
		}
		send := func() {
			m := &taskhub.Message{ID: taskhub.NewGUID(), Target: start.Instance, Event: start}
			if _, err := h.store.Send(h.t.Context(), taskhub.ControlQueue(hubName), m, 0); err != nil {
				h.t.Fatal(err)
			}
			h.settle()
		}
		send()
		h.raise("it", "E", `"a"`)
		h.settle()
		h.stop()
		h.worker.Kill()
		pending := history.Pending
		now, err := h.memory.Instance(h.t.Context(), "it")
		if err == nil {
			_, err = h.memory.Merge(h.t.Context(), "it", taskhub.Change{ETag: now.ETag, Status: &pending, ExecutionID: "first"})
		}
		if err != nil {
			h.t.Fatal(err)
		}
		h.open()
		send()
		h.raise("it", "E", `"b"`)
		h.settle()
		h.raise("it", "E", `"end"`)
		h.settle()
		row, err = h.memory.Instance(h.t.Context(), "it")
		if err != nil || row.Status != history.Completed || string(row.Output) != `"ab"` {
			h.t.Errorf("%+v %v", row, err)
		}
	})
}

// TestEventsComeAgainLater has the messages of events come again and again, in
// bursts and long after they were raised, to an orchestration that continues as
// new after each.
func TestEventsComeAgainLater(t *testing.T) {
	inHub(t, []Registration{collector()}, func(h *hub) {
		if _, err := h.client().StartNew(h.t.Context(), "Collector", gathering{}, WithInstanceID("it")); err != nil {
			h.t.Fatal(err)
		}
		h.settle()
		raised := time.Now()
		<-time.After(time.Hour)
		all := ""
		for round := range 30 {
			for n := range 12 {
				letter := string(rune('a' + n))
				m := &taskhub.Message{ID: taskhub.GUID(letter), Target: history.InstanceRef{InstanceID: "it"},
					Event: &history.Event{Type: history.EventRaised, ID: history.NoID, Name: "E", Timestamp: raised, Input: history.Payload(`"` + letter + `"`)}}
				if _, err := h.store.Send(h.t.Context(), taskhub.ControlQueue(hubName), m, 0); err != nil {
					h.t.Fatal(err)
				}
				if round == 0 {
					all += letter
					h.settle()
				}
			}
			h.settle()
			h.raise("it", "E", `"."`)
			all += "."
			<-time.After(10 * time.Minute)
		}
		h.raise("it", "E", `"end"`)
		h.settle()
		if row, err := h.memory.Instance(h.t.Context(), "it"); err != nil || string(row.Output) != `"`+all+`"` {
			h.t.Errorf("%+v %v", row, err)
		}
	})
}

// sticky is a store that fails to remove the first message of a type.
type sticky struct {
	taskhub.Store
	of   history.Type
	once sync.Once
}

func (s *sticky) Remove(ctx context.Context, l *taskhub.Lease) (err error) {
	if m, _ := s.Open(ctx, []byte(l.Body)); m != nil && m.Event.Type == s.of {
		s.once.Do(func() { err = errors.New("not now") })
	}
	if err != nil {
		return err
	}
	return s.Store.Remove(ctx, l)
}

// TestSuspensionComesAgain has a suspension come again when the orchestration was
// resumed and has continued as new several times: it goes on.
func TestSuspensionComesAgain(t *testing.T) {
	inHub(t, []Registration{collector()}, func(h *hub) {
		h.restart(&sticky{Store: h.memory, of: history.ExecutionSuspended})
		if _, err := h.client().StartNew(h.t.Context(), "Collector", gathering{}, WithInstanceID("it")); err != nil {
			h.t.Fatal(err)
		}
		h.settle()
		for _, control := range []history.Type{history.ExecutionSuspended, history.ExecutionResumed} {
			h.send("it", &history.Event{Type: control, ID: history.NoID, Timestamp: time.Now()})
			h.settle()
		}
		for _, e := range []string{`"a"`, `"b"`, `"c"`} {
			h.raise("it", "E", e)
			h.settle()
		}
		<-time.After(10 * time.Minute)
		if text := h.is("it", history.Running); text != "" {
			h.t.Error(text)
		}
	})
}

// TestEventOfTheDead has a process die before it has removed the message of an
// event, which comes again after more events than an orchestration remembers: it
// counts once.
func TestEventOfTheDead(t *testing.T) {
	inHub(t, []Registration{collector()}, func(h *hub) {
		h.restart(&sticky{Store: h.memory, of: history.EventRaised})
		if _, err := h.client().StartNew(h.t.Context(), "Collector", gathering{}, WithInstanceID("it")); err != nil {
			h.t.Fatal(err)
		}
		h.settle()
		h.raise("it", "E", `"a"`)
		synctest.Wait()
		h.restart(h.memory)
		for range 300 {
			h.raise("it", "E", `"."`)
		}
		<-time.After(5 * time.Minute)
		h.raise("it", "E", `"end"`)
		h.settle()
		row, err := h.memory.Instance(h.t.Context(), "it")
		if err != nil || len(row.Output) != 303 || bytes.Count(row.Output, []byte("a")) != 1 {
			h.t.Errorf("%s %v", row.Output, err)
		}
	})
}
