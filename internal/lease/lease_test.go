package lease

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/executor"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/journal"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/memory"
)

const queue = "control"

// faulty is a queue whose next answers are lost, or slow, or fail.
type faulty struct {
	*memory.Hub
	mu    sync.Mutex // guards the rest
	calls []string
	// lose says of how many of the next renewals the answer does not come; slow is
	// how long each call takes; fail is the error of all calls, which change nothing.
	lose int
	slow time.Duration
	fail error
}

var errLost = errors.New("connection reset by peer")

func (f *faulty) call(name string) (lost bool, err error) {
	f.mu.Lock()
	f.calls = append(f.calls, name)
	lost = name == "renew" && f.lose > 0
	if lost {
		f.lose--
	}
	slow, err := f.slow, f.fail
	f.mu.Unlock()
	<-time.After(slow)
	return lost, err
}

func (f *faulty) Renew(ctx context.Context, l *taskhub.Lease, hide time.Duration) error {
	lost, err := f.call("renew")
	if err != nil {
		return err
	}
	changed := *l
	if err := f.Hub.Renew(ctx, &changed, hide); err != nil {
		return err
	}
	if lost {
		return errLost
	}
	*l = changed
	return nil
}

func (f *faulty) Remove(ctx context.Context, l *taskhub.Lease) error {
	if _, err := f.call("remove"); err != nil {
		return err
	}
	return f.Hub.Remove(ctx, l)
}

func (f *faulty) Send(ctx context.Context, queue string, m *taskhub.Message, delay time.Duration) (*taskhub.Lease, error) {
	if _, err := f.call("send"); err != nil {
		return nil, err
	}
	return f.Hub.Send(ctx, queue, m, delay)
}

func (f *faulty) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// rig is a keeper with a message that it holds.
type rig struct {
	t      *testing.T
	store  *faulty
	keeper *Keeper
	lease  *Lease
}

func (r *rig) message() *taskhub.Message {
	return &taskhub.Message{ID: taskhub.GUID("m"), Target: history.InstanceRef{InstanceID: "x"},
		Event: &history.Event{Type: history.GenericEvent, ID: history.NoID, Timestamp: time.Now()}}
}

// visible are the messages that others would get now.
func (r *rig) visible() []taskhub.Delivery {
	r.t.Helper()
	got, err := r.store.Receive(r.t.Context(), queue, 32, time.Minute)
	if err != nil {
		r.t.Fatal(err)
	}
	return got
}

func (r *rig) ended() bool {
	select {
	case <-r.lease.Ended():
		return true
	default:
		return false
	}
}

// holding runs a test with a message that is held under leases of ten seconds.
func holding(t *testing.T, hosted bool, test func(*testing.T, *rig)) {
	synctest.Test(t, func(t *testing.T) {
		exec := executor.New(executor.SystemClock{}, slog.New(slog.DiscardHandler))
		r := &rig{t: t, store: &faulty{Hub: memory.New(memory.Options{})}}
		r.keeper = &Keeper{Store: r.store, Exec: exec, Length: 10 * time.Second, Journal: journal.None, Log: exec.Log}
		m := r.message()
		l, err := r.store.Hub.Send(t.Context(), queue, m, 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		r.lease = r.keeper.Hold(taskhub.Delivery{Message: m, Lease: l}, hosted)
		test(t, r)
		exec.Cancel(errors.New("the test ends"))
		<-exec.Drain()
		r.lease.Drop()
	})
}

func TestLeaseIsRenewedForAsLongAsItIsHeld(t *testing.T) {
	holding(t, false, func(t *testing.T, r *rig) {
		<-time.After(10 * time.Minute)
		if !r.lease.Alive() || len(r.visible()) != 0 {
			t.Error("the lease is over")
		}
	})
}

// TestLostAnswers: a renewal whose answer does not come leaves a receipt that is not
// known. The lease goes on under a copy, and the old message is recognised by its id.
func TestLostAnswers(t *testing.T) {
	for _, lose := range []int{1, 2} {
		holding(t, false, func(t *testing.T, r *rig) {
			r.store.set(func() { r.store.lose = lose })
			<-time.After(9 * time.Second)
			if !r.lease.Alive() {
				t.Fatalf("%d answers lost: the lease is over", lose)
			}
			<-time.After(time.Minute)
			if !r.lease.Alive() {
				t.Errorf("%d answers lost: the lease is over later", lose)
			}
			for _, d := range r.visible() {
				if d.Message.ID != r.lease.ID {
					t.Errorf("a message of another id came: %+v", d.Message)
				}
			}
			r.lease.Remove()
			synctest.Wait()
			if !r.ended() {
				t.Error("it was not removed")
			}
		})
	}
}

// TestAlive: a lease past its time starts nothing, and one that nobody took goes on
// when storage answers again.
func TestAlive(t *testing.T) {
	holding(t, false, func(t *testing.T, r *rig) {
		r.store.set(func() { r.store.fail = errors.New("503") })
		<-time.After(9*time.Second - time.Millisecond)
		if !r.lease.Alive() {
			t.Error("it is over before its time")
		}
		<-time.After(10 * time.Second)
		if r.lease.Alive() {
			t.Error("it is alive past its time")
		}
		r.store.set(func() { r.store.fail = nil })
		<-time.After(5 * time.Second)
		if !r.lease.Alive() || r.lease.IsOver() {
			t.Error("it did not come back")
		}
	})
}

func TestTakenByAnother(t *testing.T) {
	holding(t, false, func(t *testing.T, r *rig) {
		r.store.set(func() { r.store.fail = errors.New("503") })
		<-time.After(11 * time.Second)
		if len(r.visible()) != 1 {
			t.Fatal("the message is not there")
		}
		r.store.set(func() { r.store.fail = nil })
		<-time.After(5 * time.Second)
		select {
		case <-r.lease.Lost():
		default:
			t.Error("the lease is not lost")
		}
	})
}

// TestNothingWaitsForASlowRenewal: no lock is held over a request.
func TestNothingWaitsForASlowRenewal(t *testing.T) {
	holding(t, false, func(t *testing.T, r *rig) {
		r.store.set(func() { r.store.slow = 4 * time.Second })
		<-time.After(6 * time.Second) // a renewal is on its way
		before := time.Now()
		alive := r.lease.Alive()
		r.lease.Deliveries()
		r.lease.Remove()
		if took := time.Since(before); took > 0 || !alive {
			t.Errorf("it took %v; alive: %v", took, alive)
		}
		<-time.After(time.Minute)
		if !r.ended() || len(r.visible()) != 0 {
			t.Error("the message was not removed after the renewal")
		}
	})
}

func TestRemovalIsRepeatedUntilItIsConfirmed(t *testing.T) {
	holding(t, false, func(t *testing.T, r *rig) {
		r.store.set(func() { r.store.fail = errors.New("503") })
		r.lease.Remove()
		<-time.After(5 * time.Second)
		if r.ended() || r.lease.Alive() {
			t.Error("it counts as removed, or as held")
		}
		r.store.set(func() { r.store.fail = nil })
		<-time.After(30 * time.Second)
		if !r.ended() || len(r.visible()) != 0 {
			t.Error("it was not removed")
		}
	})
}

func TestGivenBack(t *testing.T) {
	holding(t, false, func(t *testing.T, r *rig) {
		r.lease.GiveBack(2 * time.Second)
		synctest.Wait()
		if !r.ended() || len(r.visible()) != 0 {
			t.Error("it is there at once, or not given back")
		}
		<-time.After(2 * time.Second)
		if len(r.visible()) != 1 {
			t.Error("it is not there")
		}
	})
}

// TestHosted: the host deletes a message whose invocation is answered, by the receipt
// that it has. What was adopted is not deleted by that.
func TestHosted(t *testing.T) {
	holding(t, true, func(t *testing.T, r *rig) {
		hosts := r.lease.have
		if err := r.lease.Adopt(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.store.Hub.Remove(t.Context(), &hosts); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		if !r.lease.Alive() {
			t.Error("the host has deleted what was adopted")
		}
	})
	holding(t, true, func(t *testing.T, r *rig) {
		r.lease.Remove()
		if !r.ended() || slices.Contains(r.store.calls, "remove") {
			t.Errorf("what the host deletes was deleted: %v", r.store.calls)
		}
	})
}

// TestAbsorb: a message that is delivered again goes on under the newer receipt, and
// the invocation that brought it ends only when the host can delete it no more.
func TestAbsorb(t *testing.T) {
	holding(t, false, func(t *testing.T, r *rig) {
		r.store.set(func() { r.store.fail = errors.New("503") })
		<-time.After(10 * time.Second)
		again := r.visible()
		if len(again) != 1 {
			t.Fatal("it did not come again")
		}
		host := *again[0].Lease
		newer := r.keeper.Hold(again[0], true)
		r.lease.Absorb(newer)
		synctest.Wait()
		if newer.IsOver() || newer.Alive() {
			t.Error("the newer delivery ended before the renewal, or is alive")
		}
		r.store.set(func() { r.store.fail = nil })
		if err := newer.Adopt(t.Context()); err != nil {
			t.Error(err)
		}
		_ = r.store.Hub.Remove(t.Context(), &host)
		<-time.After(time.Minute)
		if !r.lease.Alive() || r.lease.Deliveries() != again[0].Dequeued {
			t.Errorf("alive: %v, deliveries %d", r.lease.Alive(), r.lease.Deliveries())
		}
	})
}

// TestAbsorbWhileItsReceiptChanges: the newer delivery is being adopted when the older
// lease takes its place.
func TestAbsorbWhileItsReceiptChanges(t *testing.T) {
	holding(t, false, func(t *testing.T, r *rig) {
		r.store.set(func() { r.store.fail = errors.New("503") })
		<-time.After(10 * time.Second)
		again := r.visible()
		synctest.Wait()
		r.lease.mu.Lock()
		r.lease.disarm() // its next try would find that another process has the message
		r.lease.mu.Unlock()
		r.store.set(func() { r.store.fail, r.store.slow = nil, time.Second })
		newer := r.keeper.Hold(again[0], true)
		adopted := make(chan error, 1)
		go func() { adopted <- newer.Adopt(t.Context()) }()
		<-time.After(500 * time.Millisecond)
		r.lease.Absorb(newer)
		<-time.After(time.Minute)
		select {
		case err := <-adopted:
			if err != nil || !r.lease.Alive() {
				t.Errorf("%v, alive: %v", err, r.lease.Alive())
			}
		default:
			t.Error("the invocation is open still")
		}
	})
}

// TestSecondMessageOfOneID: another message with the same logical id is a copy.
func TestSecondMessageOfOneID(t *testing.T) {
	holding(t, false, func(t *testing.T, r *rig) {
		m := r.message()
		l, err := r.store.Hub.Send(t.Context(), queue, m, 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		r.lease.Absorb(r.keeper.Hold(taskhub.Delivery{Message: m, Lease: l}, false))
		<-time.After(time.Minute)
		if !r.lease.Alive() || r.store.Pending(queue) != 1 {
			t.Errorf("alive: %v; %d messages", r.lease.Alive(), r.store.Pending(queue))
		}
	})
}
