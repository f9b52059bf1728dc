package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/faults"
	"github.com/durable-go/functions/internal/taskhub/memory"
	"github.com/durable-go/functions/internal/worker"
)

// runs counts the runs of activities by what they were called with. from are the
// parts with which the runs of the one with heartbeats began.
type runs struct {
	mu   sync.Mutex
	n    map[string]int
	from []int
}

func (r *runs) note(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n[name]++
}

// beating has four parts, of ten seconds each, and goes on where it was.
func (r *runs) beating(ctx context.Context, _ None) (string, error) {
	from, _, err := LastHeartbeat[int](ctx)
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	r.from = append(r.from, from)
	r.mu.Unlock()
	for part := from; part < 4; part++ {
		select {
		case <-time.After(10 * time.Second):
		case <-ctx.Done():
			return "", ctx.Err()
		}
		r.note(fmt.Sprint("part ", part))
		if err := Heartbeat(ctx, part+1); err != nil {
			return "", err
		}
	}
	return "all parts", nil
}

// counting is an app whose activity counts its runs.
func counting() (*runs, []Registration, map[string]*Orchestrator[None, string]) {
	r := &runs{n: map[string]int{}}
	greet := NewActivity("Greet", func(_ context.Context, city string) (string, error) {
		r.note(city)
		return "Hello " + city, nil
	})
	chain := NewOrchestrator("Chain", func(ctx *Context, _ None) (string, error) {
		for _, city := range []string{"a", "b", "c"} {
			if _, err := greet.Call(ctx, city).Await(); err != nil {
				return "", err
			}
		}
		return "chained", nil
	})
	fan := NewOrchestrator("Fan", func(ctx *Context, _ None) (string, error) {
		var tasks []*Task[string]
		for _, city := range []string{"a", "b", "c", "d", "e"} {
			tasks = append(tasks, greet.Call(ctx, city))
		}
		_, err := All(tasks...)
		return "joined", err
	})
	timed := NewOrchestrator("Timed", func(ctx *Context, _ None) (string, error) {
		if err := ctx.Sleep(3 * time.Second); err != nil {
			return "", err
		}
		_, err := greet.Call(ctx, "late").Await()
		return "timed", err
	})
	child := NewOrchestrator("Child", func(ctx *Context, city string) (string, error) { return greet.Call(ctx, city).Await() })
	parent := NewOrchestrator("Parent", func(ctx *Context, _ None) (string, error) {
		_, err := child.Call(ctx, "kid").Await()
		return "grown", err
	})
	loop := NewOrchestrator("Loop", func(ctx *Context, n int) (string, error) {
		if _, err := greet.Call(ctx, fmt.Sprint(n)).Await(); err != nil || n == 2 {
			return "looped", err
		}
		return "", ctx.ContinueAsNew(n + 1)
	})
	looper := NewOrchestrator("Looper", func(ctx *Context, _ None) (string, error) { return loop.Call(ctx, 0).Await() })
	beat := NewActivity("Beat", r.beating)
	heart := NewOrchestrator("Heart", func(ctx *Context, _ None) (string, error) {
		_, err := beat.Call(ctx, None{}, WithRetry(RetryPolicy{MaxAttempts: 3, FirstInterval: time.Second})).Await()
		return "beaten", err
	})
	all := map[string]*Orchestrator[None, string]{"chained": chain, "joined": fan, "timed": timed, "grown": parent, "looped": looper, "beaten": heart}
	return r, []Registration{greet, chain, fan, timed, child, parent, loop, looper, beat, heart}, all
}

// TestCrashAtEveryCall ends the process before and after every storage call of
// each orchestration, or loses one answer, and starts it again: it completes,
// and no activity runs again whose result was committed.
func TestCrashAtEveryCall(t *testing.T) {
	_, _, all := counting()
	for _, dispatch := range []worker.Dispatch{worker.Local, worker.Queue} {
		for result := range all {
			for _, kind := range []faults.Kind{faults.DieBefore, faults.DieAfter, faults.LoseAnswer} {
				t.Run(fmt.Sprint(dispatch, " ", result, " ", kind), func(t *testing.T) {
					for at := 1; crash(t, dispatch, result, at, kind); at++ {
						if at > 200 {
							t.Fatal("the orchestration makes ever more calls")
						}
					}
				})
			}
		}
	}
}

// crash runs one orchestration with one fault and reports whether there was a
// call for it.
func crash(t *testing.T, dispatch worker.Dispatch, result string, at int, kind faults.Kind) (hit bool) {
	synctest.Test(t, func(t *testing.T) {
		ran, functions, all := counting()
		h := &hub{t: t, memory: memory.New(memory.Options{}), registry: newRegistry(), dispatch: dispatch}
		for _, f := range functions {
			if err := f.register(h.registry); err != nil {
				t.Fatal(err)
			}
		}
		store := faults.New(h.memory, at, kind)
		h.store = store
		committed := map[string]int{}
		reached, earlier := 0, 0
		h.onDeath = func() {
			reached, earlier = h.reached("x"), len(ran.from)
			for _, city := range h.results("x") {
				committed[city] = ran.n[city]
			}
		}
		h.open()
		first := h.worker
		go func() {
			select {
			case <-store.Dead():
				first.Kill()
			case <-t.Context().Done():
			}
		}()
		_, err := all[result].Start(t.Context(), h.client(), None{}, WithInstanceID("x"))
		// A client whose call failed tries again, as people do.
		for n := 0; err != nil && !errors.Is(err, ErrAlreadyExists); n++ {
			if n == 100 {
				t.Fatalf("call %d: start: %v", at, err)
			}
			<-time.After(time.Second)
			h.reopen(store)
			_, err = all[result].Start(t.Context(), h.client(), None{}, WithInstanceID("x"))
		}
		row := h.await(store, "x", func() {
			_, _ = all[result].Start(t.Context(), h.client(), None{}, WithInstanceID("x"), WithReuse(RejectIfExists))
		})
		if row.Status != history.Completed || string(row.Output) != `"`+result+`"` {
			t.Errorf("%v call %d of %q: %v %s", kind, at, store.Calls(), row.Status, row.Output)
		}
		for city, n := range ran.n {
			// One run more is allowed: that of the activity whose result was not
			// committed when the process ended, or whose message was sent twice
			// because the first answer was lost; through the queues, both.
			if n > 3 || n == 3 && dispatch == worker.Local {
				t.Errorf("%v call %d of %q: %s ran %d times", kind, at, store.Calls(), city, n)
			}
		}
		for city, n := range committed {
			if ran.n[city] != n {
				t.Errorf("%v call %d of %q: %s ran again although its result was committed", kind, at, store.Calls(), city)
			}
		}
		for _, from := range ran.from[earlier:] {
			if from < reached {
				t.Errorf("%v call %d of %q: it went on from part %d, %d were stored", kind, at, store.Calls(), from, reached)
			}
		}
		hit = len(store.Calls()) >= at
		h.stop()
		h.worker.Kill()
		<-time.After(time.Minute)
	})
	return hit
}

// reached is how far the first activity of an instance has come.
func (h *hub) reached(id string) (n int) {
	h.t.Helper()
	if p := h.progress(id, 0); p != "" {
		if err := json.Unmarshal([]byte(p), &n); err != nil {
			h.t.Fatal(err)
		}
	}
	return n
}

// results are the cities whose greetings an instance has in its history.
func (h *hub) results(id string) []string {
	h.t.Helper()
	loaded, err := h.memory.Load(h.t.Context(), id, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	var out []string
	for _, e := range loaded.Events {
		if e.Type == history.TaskCompleted {
			out = append(out, strings.TrimSuffix(strings.TrimPrefix(string(e.Result), `"Hello `), `"`))
		}
	}
	return out
}

// reopen starts another process when the first has died.
func (h *hub) reopen(store *faults.Store) {
	select {
	case <-store.Dead():
		if h.store == taskhub.Store(store) {
			h.stop()
			h.worker.Kill()
			h.onDeath()
			h.store = h.memory
			h.open()
		}
	default:
	}
}

// await waits for an instance to finish, through deaths. When a client died
// between the row and the message, another start of the id sends that again.
func (h *hub) await(store *faults.Store, id string, start func()) *taskhub.Instance {
	h.t.Helper()
	for n := range 600 {
		if n%60 == 59 {
			start()
		}
		<-time.After(time.Second)
		h.reopen(store)
		row, err := h.memory.Instance(h.t.Context(), id)
		if err == nil && row.Status.Finished() {
			return row
		}
	}
	row, err := h.memory.Instance(h.t.Context(), id)
	h.t.Errorf("instance %s does not finish; calls %q; row %+v %v; queue %d", id, store.Calls(), row, err, h.memory.Pending(taskhub.ControlQueue(hubName)))
	h.t.FailNow()
	return nil
}
