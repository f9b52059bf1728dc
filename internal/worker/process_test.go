package worker

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

// WaitIdle's look at what is busy and the delivery of work items take the same
// locks, in one order: a process that does both at once does not stop. A deadlock
// is the end of the test binary's time.
func TestIdleIsLookedForWhileWorkComes(t *testing.T) {
	hub := hubtest.Memory(t)
	w := newWorker(t, hub, nil, nil)
	ref := history.InstanceRef{InstanceID: "x", ExecutionID: "e"}
	done := make(chan struct{})
	var looking sync.WaitGroup
	for range 2 {
		looking.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					w.busy()
				}
			}
		})
	}
	for n := range 3000 {
		send(t, hub, itemQueue, &taskhub.Message{ID: taskhub.GUID("task", fmt.Sprint(n)), Target: ref, Sender: ref, Tags: map[string]string{},
			Event: &history.Event{Type: history.TaskScheduled, ID: int32(n), Name: "A", Timestamp: time.Now()}})
		got, err := hub.Receive(t.Context(), itemQueue, 1, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range got {
			if err := w.Deliver(t.Context(), d, false); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(done)
	looking.Wait()
	w.Kill()
}

// Stop keeps its bound although an activity does not look at its context, and gives
// the message back, so that another process goes on at once.
func TestStopLeavesCodeBehindThatDoesNotStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := hubtest.Memory(t)
		w := newWorker(t, hub, each(1), func(o *Options) {
			o.Activities = only(func(context.Context) { <-time.After(20 * time.Minute) }) // a driver without a context
		})
		start(t, hub, w, "x")
		<-time.After(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		w.Stop(ctx)
		if d := time.Since(began); d > 1*time.Second+cutOffWithin+giveBackWithin {
			t.Errorf("Stop with a bound of 1 s returned after %v", d)
		}
		got, err := hub.Receive(t.Context(), controlQueue, 32, 30*time.Second)
		if err != nil || len(got) != 1 {
			t.Errorf("%d messages were given back: %v", len(got), err)
		}
		<-time.After(time.Hour) // what was left behind ends
	})
}

// A process that no host feeds takes no more from the queue than it can begin.
func TestPollTakesWhatItCanBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := hubtest.Strict(t)
		const n, slots = 1000, 20
		for i := range n {
			m, row := startMessage(fmt.Sprint("i", i))
			if err := hub.Insert(t.Context(), row); err != nil {
				t.Fatal(err)
			}
			send(t, hub, controlQueue, m)
		}
		var now, most atomic.Int64
		slow := hub.Process(func(fake.Request) fake.Fault { return fake.Fault{Delay: 20 * time.Millisecond} })
		held := 0
		var w *Worker
		store := &hooked{Store: slow, commit: func(*taskhub.Commit) error {
			most.Store(max(most.Load(), now.Add(1)))
			return nil
		}, committed: func(error) { now.Add(-1) }}
		store.receive = func(string) {
			h := 0
			w.mu.Lock()
			for _, r := range w.residents {
				if r.in.Holding() {
					h++
				}
			}
			w.mu.Unlock()
			held = max(held, h)
		}
		w = newWorker(t, store, func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
			return rt.WaitEvent("never").Await()
		}, func(o *Options) { o.OrchestratorSlots, o.Cache = slots, 100 })
		ctx, cancel := context.WithCancel(context.Background())
		w.Poll(ctx, controlQueue)
		<-time.After(time.Minute)
		cancel()
		w.Kill()
		if bound := 4*slots + maxReceive; held > bound || most.Load() > int64(bound) {
			t.Errorf("a process with %d slots held up to %d messages and made up to %d commits at the same time", slots, held, most.Load())
		}
		if left := hub.Pending(controlQueue); left > 0 {
			t.Errorf("%d of %d starts are left", left, n)
		}
	})
}

// A result that comes again costs a look at the sentinel and no history.
func TestDuplicateResultReadsNoHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := hubtest.Memory(t)
		store := &hooked{Store: hub}
		w := polling(t, store, func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
			for range 300 {
				if _, err := rt.ScheduleActivity("A", nil, nil).Await(); err != nil {
					return nil, err
				}
			}
			return rt.WaitEvent("never").Await()
		}, nil)
		start(t, hub, w, "x")
		<-time.After(time.Minute)
		loads, read := store.loads.Load(), store.read.Load()
		ref := history.InstanceRef{InstanceID: "x", ExecutionID: "exec-x"}
		for range 10 {
			send(t, hub, controlQueue, &taskhub.Message{ID: taskhub.NewGUID(), Target: ref, Sender: ref,
				Event: &history.Event{Type: history.TaskCompleted, ID: history.NoID, TaskID: 0, Timestamp: time.Now(), Result: history.Payload(`1`)}})
			<-time.After(time.Second)
		}
		if loads, read = store.loads.Load()-loads, store.read.Load()-read; loads > 0 || read > 0 {
			t.Errorf("10 results that came again: %d loads, %d events read", loads, read)
		}
		if n := hub.Pending(controlQueue); n != 0 {
			t.Errorf("%d messages left", n)
		}
	})
}
