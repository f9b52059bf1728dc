package worker

import (
	"context"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/arrival"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/entity"
	"github.com/durable-go/functions/internal/executor"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/lease"
	"github.com/durable-go/functions/internal/mail"
	"github.com/durable-go/functions/internal/orchestration"
)

// Worker drives the orchestrations and entities of one task hub in this process. Its
// methods may be called concurrently.
type Worker struct {
	Options
	exec     *executor.Executor
	keeper   *lease.Keeper
	pool     *activity.Pool
	env      *orchestration.Env
	entities *entity.Env
	turns    *slots
	batches  *slots
	watches  watches
	answers  answers
	watchdog *watchdog
	// unobserved ends what the observer reads.
	unobserved func()

	mu sync.Mutex // guards the rest; no other lock is taken under it but those of leases
	// residents are the orchestrations and entities in memory, by id.
	residents map[string]*resident
	idle      lru
	// adopted counts the messages whose invocation was answered and that are
	// still worked on.
	adopted int
}

// New makes a worker. It does nothing until work is delivered or polled for;
// the caller ends it with Stop.
func New(o Options) (*Worker, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	w := &Worker{Options: o, exec: executor.New(o.Clock, o.Log), residents: map[string]*resident{}, unobserved: func() {}}
	w.exec.Reported = o.Reported
	w.watchdog = &watchdog{clock: o.Clock, log: o.Log}
	w.turns, w.batches = newSlots(o.OrchestratorSlots), newSlots(o.ActivitySlots)
	w.keeper = &lease.Keeper{Store: o.Store, Exec: w.exec, Length: o.Lease, Journal: o.Journal, Log: o.Log}
	w.pool = activity.NewPool(activity.Options{
		Store: o.Store, Exec: w.exec, Keeper: w.keeper, Activities: o.Activities, Limit: o.Limit, Slots: o.ActivitySlots,
		Patience: o.Patience, OfferAll: o.Budget > 0, Offer: w.offer, Deliver: w.deliverResult, Control: o.Control,
		MaxPayload: o.MaxPayload, Observer: o.Observer, Journal: o.Journal, Log: o.Log,
	})
	w.keeper.Renewed = w.pool.CheckWanted
	sender := &mail.Sender{
		Store: o.Store, Exec: w.exec, Keeper: w.keeper, Local: host{w},
		Control: o.Control, ControlOf: o.ControlOf, ThroughQueue: o.Dispatch == Queue,
	}
	numbers := &arrival.Numbers{}
	w.env = &orchestration.Env{
		Sender: sender, Pool: w.pool, Host: host{w}, Log: o.Log, Observer: o.Observer, Programs: o.Programs, WorkItems: o.WorkItems,
		Patience: o.Patience, FirstTurn: o.FirstTurn, Budget: o.Budget, MaxActions: o.MaxActions, MaxPayload: o.MaxPayload, MaxWaiting: o.MaxWaiting,
		FailNonDeterministic: o.FailNonDeterministic, Strict: o.Strict, Places: o.Places, Journal: o.Journal, NewID: o.NewID,
		LogEnds: o.LogEnds, Numbers: numbers,
	}
	w.entities = &entity.Env{
		Sender: sender, Host: host{w}, Log: o.Log, Observer: o.Observer, Journal: o.Journal, Entities: o.Entities, MaxPayload: o.MaxPayload, NewID: o.NewID, Dropped: o.SignalDropped, Numbers: numbers,
	}
	w.observed()
	return w, nil
}

// Stop ends the worker: it starts no more work, asks running activities to
// stop and lets what ends in time be committed. When ctx ends, what is left is
// cut off, and code that does not come back is left behind. Messages that are
// still held are given back, so that another worker goes on at once.
func (w *Worker) Stop(ctx context.Context) {
	defer w.unobserved()
	w.pool.Close(activity.ErrShutdown)
	w.pool.Interrupt(activity.ErrShutdown)
	drained := w.exec.Drain()
	select {
	case <-drained:
	case <-ctx.Done():
		w.exec.Cancel(activity.ErrShutdown)
		w.leaveBehind(drained)
	}
	giveBack, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBackWithin)
	defer cancel()
	_ = w.eachResident(func(r *resident) {
		if !r.driving {
			r.in.Release(giveBack)
		} else {
			r.in.ReleaseLeases(giveBack)
		}
	})
	w.pool.Release(giveBack)
	w.exec.Cancel(activity.ErrShutdown)
}

// How long a worker that is cut off waits for what looks at its context, and for the
// messages that it gives back.
const (
	cutOffWithin   = time.Second
	giveBackWithin = 3 * time.Second
)

// leaveBehind waits a moment for the goroutines whose context has ended, and then
// for none of them.
func (w *Worker) leaveBehind(drained <-chan struct{}) {
	fired := make(chan struct{})
	stop := w.Clock.AfterFunc(cutOffWithin, func() { close(fired) })
	defer stop()
	select {
	case <-drained:
	case <-fired:
		w.exec.Refuse()
		w.Log.Warn("code that does not stop is left behind; its messages are given back")
	}
}

// Kill ends the worker as the end of the process would: running requests are
// cancelled, nothing is given back. It returns when no goroutine is left.
func (w *Worker) Kill() {
	defer w.unobserved()
	w.pool.Close(activity.ErrShutdown)
	w.exec.Cancel(activity.ErrShutdown)
	<-w.exec.Drain()
	_ = w.eachResident(func(r *resident) { r.in.Drop(activity.ErrShutdown) })
	w.pool.Forget()
}

// eachResident leaves the worker without orchestrations and calls f for each.
func (w *Worker) eachResident(f func(*resident)) int {
	w.mu.Lock()
	live := w.residents
	w.residents = map[string]*resident{}
	w.mu.Unlock()
	for _, r := range live {
		f(r)
	}
	return len(live)
}

// offer brings activities that this process will not begin soon to their
// orchestrations, which send them to the queues.
func (w *Worker) offer(runs []*activity.Run) {
	byOwner := map[string][]*activity.Run{}
	for _, r := range runs {
		byOwner[r.Call.InstanceID] = append(byOwner[r.Call.InstanceID], r)
	}
	for id, list := range byOwner {
		w.post(id, &orchestration.Overflow{Runs: list})
	}
}

// deliverResult gives the result of a work item to its orchestration where that is
// worked on here, and reports whether it is.
func (w *Worker) deliverResult(call *activity.Call, result *history.Event, carrier *lease.Lease) bool {
	if w.Dispatch == Queue || !w.carries(call.InstanceID) {
		return false
	}
	w.post(call.InstanceID, &orchestration.Result{Call: call, Event: result, Carrier: carrier})
	return true
}

// WaitIdle returns when the worker holds no message and runs no activity, or
// when ctx ends.
func (w *Worker) WaitIdle(ctx context.Context) {
	for w.busy() && w.exec.Wait(ctx, time.Second) == nil {
		continue
	}
}

func (w *Worker) busy() bool {
	if w.pool.Busy() {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.residents {
		if r.driving || r.in.Holding() {
			return true
		}
	}
	return false
}

// Lost is the number of goroutines that hang in orchestrator code which was
// given up because it blocked.
func (w *Worker) Lost() int { return len(w.Blocked()) }

// Blocked are the orchestrators whose code was given up because it blocked, and
// whose goroutines hang, in no order.
func (w *Worker) Blocked() []*engine.BlockedError { return w.watchdog.blocked() }

// slots bounds the turns that run at the same time.
type slots struct{ free chan struct{} }

func newSlots(n int) *slots {
	s := &slots{free: make(chan struct{}, n)}
	for range n {
		s.free <- struct{}{}
	}
	return s
}

func (s *slots) take(ctx context.Context) error {
	select {
	case <-s.free:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *slots) put() { s.free <- struct{}{} }
