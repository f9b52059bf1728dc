package durable

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/faults"
	"github.com/durable-go/functions/internal/taskhub/memory"
	"github.com/durable-go/functions/internal/worker"
)

// pauseFor is how long a process is stopped: its leases end, and another process has
// all the time to go on.
const pauseFor = 100 * time.Second

// pausedProcess is a hub whose process is stopped before or after one storage call,
// and another process on the same hub, which begins when the first one stops.
type pausedProcess struct {
	*hub
	store *faults.Store
	other *hub
}

// openPaused makes the two processes. stopped is called when the first one stops.
func openPaused(t *testing.T, functions []Registration, dispatch worker.Dispatch, at int, kind faults.Kind) *pausedProcess {
	shared := memory.New(memory.Options{})
	p := &pausedProcess{}
	for _, h := range []**hub{&p.hub, &p.other} {
		*h = &hub{t: t, store: shared, memory: shared, registry: newRegistry(), dispatch: dispatch}
		for _, f := range functions {
			if err := f.register((*h).registry); err != nil {
				t.Fatal(err)
			}
		}
	}
	p.store = faults.New(shared, at, kind)
	p.store.PauseFor(pauseFor)
	p.hub.store = p.store
	p.open()
	return p
}

// goOn starts the other process once the first has stopped. It returns when that
// has, or with the end of the test.
func (p *pausedProcess) goOn(stopped func()) {
	select {
	case <-p.store.Paused():
		if stopped != nil {
			stopped()
		}
		p.other.open()
	case <-p.hub.t.Context().Done():
	}
}

// end ends both processes.
func (p *pausedProcess) end() {
	for _, h := range []*hub{p.hub, p.other} {
		if h.worker != nil {
			h.stop()
			h.worker.Kill()
		}
	}
	<-time.After(pauseFor + time.Minute)
}

// disagrees is the complaint about an instance whose row does not show what its
// sentinel says.
func disagrees(h *hub, id string) string {
	row, err := h.memory.Instance(h.t.Context(), id)
	if errors.Is(err, taskhub.ErrNotFound) {
		return ""
	}
	head, headErr := h.memory.Head(h.t.Context(), id)
	switch {
	case err != nil || headErr != nil:
		return fmt.Sprint(id, ": ", err, headErr)
	case head.State.Ended != row.Status.Finished(), head.State.Ended && head.State.Outcome != row.Status:
		return fmt.Sprintf("%s: the row says %v, the sentinel ended %v, %v", id, row.Status, head.State.Ended, head.State.Outcome)
	case head.ExecutionID != row.ExecutionID:
		return fmt.Sprintf("%s: the row is of execution %s, the sentinel of %s", id, row.ExecutionID, head.ExecutionID)
	}
	return ""
}

var pauses = []faults.Kind{faults.PauseBefore, faults.PauseAfter}

// TestPauseAtEveryCall stops the process before and after every storage call of each
// orchestration for longer than a lease, while another process goes on: between turn
// and commit, commit and effects, before a renewal. It completes, no activity runs
// again whose result was committed, and the row shows what the history says.
func TestPauseAtEveryCall(t *testing.T) {
	_, _, all := counting()
	for _, dispatch := range []worker.Dispatch{worker.Local, worker.Queue} {
		for result := range all {
			for _, kind := range pauses {
				t.Run(fmt.Sprint([]string{"local", "queue"}[dispatch], " ", result, " ", kind), func(t *testing.T) {
					for at := 1; pause(t, dispatch, result, at, kind); at++ {
						if at > 200 {
							t.Fatal("the orchestration makes ever more calls")
						}
					}
				})
			}
		}
	}
}

// pause runs one orchestration with one pause and reports whether there was a call
// for it.
func pause(t *testing.T, dispatch worker.Dispatch, result string, at int, kind faults.Kind) (hit bool) {
	synctest.Test(t, func(t *testing.T) {
		ran, functions, all := counting()
		p := openPaused(t, functions, dispatch, at, kind)
		// What is committed a while into the pause must not run again. What the stopped
		// process runs just then has no result yet.
		committed := map[string]int{}
		go p.goOn(func() {
			time.AfterFunc(pauseFor-time.Second, func() {
				for _, city := range p.results("x") {
					ran.mu.Lock()
					committed[city] = ran.n[city]
					ran.mu.Unlock()
				}
			})
		})
		_, err := all[result].Start(t.Context(), p.client(), None{}, WithInstanceID("x"))
		if err != nil && !errors.Is(err, ErrAlreadyExists) {
			t.Errorf("start: %v", err)
		}
		for n := 0; n < 600; n++ {
			<-time.After(time.Second)
			if row, err := p.memory.Instance(t.Context(), "x"); err == nil && row.Status.Finished() {
				break
			}
		}
		<-time.After(pauseFor + time.Minute) // what the stopped process does late
		row, err := p.memory.Instance(t.Context(), "x")
		if err != nil {
			t.Fatalf("%v call %d of %q: %v", kind, at, p.store.Calls(), err)
		}
		if row.Status != history.Completed || string(row.Output) != `"`+result+`"` {
			t.Errorf("%v call %d of %q: %v %s", kind, at, p.store.Calls(), row.Status, row.Output)
		}
		if wrong := disagrees(p.hub, "x"); wrong != "" {
			t.Errorf("%v call %d of %q: %s", kind, at, p.store.Calls(), wrong)
		}
		ran.mu.Lock() // the stopped process may write it still
		for city, n := range committed {
			if ran.n[city] != n {
				t.Errorf("%v call %d of %q: %s ran again although its result was committed", kind, at, p.store.Calls(), city)
			}
		}
		ran.mu.Unlock()
		hit = len(p.store.Calls()) >= at
		p.end()
	})
	return hit
}

// TestPauseAtEveryControl stops the process before and after every storage call that
// a client's wish causes.
func TestPauseAtEveryControl(t *testing.T) {
	for _, dispatch := range []worker.Dispatch{worker.Local, worker.Queue} {
		for _, c := range controls() {
			for _, kind := range pauses {
				t.Run(fmt.Sprint([]string{"local", "queue"}[dispatch], " ", c.name, " ", kind), func(t *testing.T) {
					for at := 1; pauseControl(t, dispatch, c, at, kind); at++ {
						if at > 200 {
							t.Fatal("it makes ever more calls")
						}
					}
				})
			}
		}
	}
}

// pauseControl plays one wish with one pause and reports whether there was a call
// for it.
func pauseControl(t *testing.T, dispatch worker.Dispatch, c controlled, at int, kind faults.Kind) (hit bool) {
	synctest.Test(t, func(t *testing.T) {
		p := openPaused(t, c.functions(), dispatch, 0, kind)
		c.before(p.hub)
		begun := len(p.store.Calls())
		p.store.Arm(at, kind)
		go p.goOn(nil)
		for n := 0; ; n++ {
			err := c.ask(t.Context(), p.core.client)
			if err == nil || c.done != nil && errors.Is(err, c.done) {
				break
			}
			if n == 100 {
				t.Fatalf("%v call %d of %q: %v", kind, at, p.store.Calls()[begun:], err)
			}
			<-time.After(time.Second)
		}
		text := c.wrong(p.hub)
		for n := 0; n < 600 && text != ""; n++ {
			<-time.After(time.Second)
			text = c.wrong(p.hub)
		}
		<-time.After(pauseFor + time.Minute)
		for _, text := range []string{text, c.wrong(p.hub), everyRowAgrees(t.Context(), p.hub)} {
			if text != "" {
				t.Errorf("%v call %d of %q: %s", kind, at, p.store.Calls()[begun:], text)
				break
			}
		}
		hit = len(p.store.Calls())-begun >= at
		p.end()
	})
	return hit
}

// everyRowAgrees is the first complaint about an instance whose row does not show
// what its sentinel says; empty: there is none.
func everyRowAgrees(ctx context.Context, h *hub) string {
	page, err := h.memory.List(ctx, taskhub.Query{})
	if err != nil {
		return err.Error()
	}
	for _, row := range page.Instances {
		if text := disagrees(h, row.ID); text != "" {
			return text
		}
	}
	return ""
}
