package worker

import (
	"context"
	"errors"
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

// The turns of an orchestration do not wait for a renewal that takes long.
func TestTurnsGoOnDuringASlowRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := hubtest.Memory(t)
		var renewals atomic.Int64
		store := &hooked{Store: hub, renew: func(*taskhub.Lease) error {
			if renewals.Add(1) > 1 {
				return nil
			}
			<-time.After(4 * time.Second)
			return errors.New("503")
		}}
		var last, longest time.Time
		gap := time.Duration(0)
		store.commit = func(*taskhub.Commit) error {
			if now := time.Now(); !last.IsZero() && now.Sub(last) > gap {
				gap, longest = now.Sub(last), now
			}
			last = time.Now()
			return nil
		}
		w := polling(t, store, func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
			for range 40 {
				if _, err := rt.ScheduleActivity("A", nil, nil).Await(); err != nil {
					return nil, err
				}
			}
			return history.Payload(`1`), nil
		}, func(o *Options) {
			o.Lease = 10 * time.Second
			o.Activities = only(func(context.Context) { <-time.After(200 * time.Millisecond) })
		})
		start(t, hub, w, "x")
		finished(t, hub, "x", time.Minute)
		if renewals.Load() == 0 || gap > time.Second {
			t.Errorf("%d renewals; the tables answered at once, the activities took 0.2 s, and between two commits were %v (at %v)", renewals.Load(), gap, longest)
		}
	})
}

// One lost answer of a renewal does not end a running activity: no other process can
// have the message before its time.
func TestActivityOutlivesALostRenewalAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := hubtest.Strict(t)
		var lost atomic.Int64
		store := hub.Process(func(r fake.Request) fake.Fault {
			if r.Service != "queue" || r.Operation != "update" || !lost.CompareAndSwap(0, 1) {
				return fake.Fault{}
			}
			return fake.Fault{Lost: true}
		})
		var runs atomic.Int64
		w := polling(t, store, each(1), func(o *Options) {
			o.Activities = only(func(ctx context.Context) {
				runs.Add(1)
				select {
				case <-time.After(50 * time.Second):
				case <-ctx.Done():
				}
			})
		})
		start(t, hub, w, "x")
		finished(t, hub, "x", 10*time.Minute)
		if runs.Load() != 1 || lost.Load() != 1 {
			t.Errorf("%d answers were lost, and the activity ran %d times", lost.Load(), runs.Load())
		}
	})
}

// A turn's actions are recorded under a message whose next holder finds work in it.
// A process that is stopped before the commit of one event, while it holds another
// message that brings nothing, commits late and successfully: what it asked for is
// done all the same.
func TestLateCommitIsNobodysLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := hubtest.Memory(t)
		var frozen atomic.Bool
		thaw, froze := make(chan struct{}), make(chan struct{})
		a := &hooked{Store: hub}
		a.commit = func(c *taskhub.Commit) error {
			if takesIn(c, "go") && frozen.CompareAndSwap(false, true) {
				close(froze)
				<-thaw
			}
			return nil
		}
		a.renew = func(*taskhub.Lease) error {
			if frozen.Load() {
				<-thaw
			}
			return nil
		}
		program := func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
			if _, err := rt.WaitEvent("go").Await(); err != nil {
				return nil, err
			}
			return rt.ScheduleActivity("A", nil, nil).Await()
		}
		wa, wb := newWorker(t, a, program, nil), newWorker(t, hub, program, nil)
		start(t, hub, wa, "x")
		<-time.After(time.Second)
		noise := raised("00000000-0000-4000-8000-000000000001", "x", "noise", `1`)
		for range 2 { // its sender had not got the answer
			send(t, hub, controlQueue, noise)
			deliver(t, hub, wa, 30*time.Second)
		}
		send(t, hub, controlQueue, raised("ffffffff-0000-4000-8000-000000000002", "x", "go", `1`))
		deliver(t, hub, wa, 10*time.Minute) // the host's lease
		<-froze
		<-time.After(31 * time.Second)
		deliver(t, hub, wb, 30*time.Second)
		<-time.After(time.Second)
		close(thaw)
		ctx, cancel := context.WithCancel(context.Background())
		wa.Poll(ctx, controlQueue)
		wb.Poll(ctx, controlQueue)
		defer wb.Kill()
		defer wa.Kill()
		defer cancel()
		finished(t, hub, "x", time.Hour)
	})
}

// takesIn reports whether an external event of the name is in the commit.
func takesIn(c *taskhub.Commit, name string) bool {
	for _, e := range c.Events {
		if e.Type == history.EventRaised && e.Name == name {
			return true
		}
	}
	return false
}

// deliver gives the worker the visible messages of the control queue.
func deliver(t *testing.T, hub taskhub.Store, w *Worker, hide time.Duration) {
	t.Helper()
	got, err := hub.Receive(t.Context(), controlQueue, 32, hide)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range got {
		_ = w.Deliver(t.Context(), d, false)
	}
}
