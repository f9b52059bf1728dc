package activity

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/executor"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/journal"
	"github.com/durable-go/functions/internal/lease"
	"github.com/durable-go/functions/internal/taskhub"
)

// Store is what activities need of the task hub.
type Store interface {
	Send(ctx context.Context, queue string, m *taskhub.Message, delay time.Duration) (*taskhub.Lease, error)
	Renew(ctx context.Context, l *taskhub.Lease, hide time.Duration) error
	Instance(ctx context.Context, id string) (*taskhub.Instance, error)
	Head(ctx context.Context, id string) (taskhub.Fence, error)
	Answered(ctx context.Context, id string, task int32) (bool, error)
	SaveProgress(ctx context.Context, id, key string, p history.Payload) error
	Progress(ctx context.Context, id, key string) (history.Payload, error)
}

// Options say what a pool runs and how much of it. All fields but Limit are
// required.
type Options struct {
	Store  Store
	Exec   *executor.Executor
	Keeper *lease.Keeper
	// Activities finds the code. Its error is the text with which the call of an
	// unknown activity fails.
	Activities func(name string) (Func, error)
	// Limit bounds how many runs of an activity there are here at the same time;
	// 0: only Slots does. nil: no activity has a bound of its own.
	Limit func(activity string) int
	// Slots bounds how many activities run at the same time.
	Slots int
	// Patience is how long the first in the queue waits before others are offered
	// what will not run here soon.
	Patience time.Duration
	// OfferAll offers all that does not run soon: the plan adds processes by the
	// length of the queue. Otherwise small batches are offered, more as others
	// take them.
	OfferAll bool
	// Offer is called with runs that this process will not get to soon, without
	// any lock held. nil: nothing is offered.
	Offer func([]*Run)
	// Deliver gives a finished work item to its orchestration where that is worked
	// on in this process; it reports false where it is not.
	Deliver func(call *Call, result *history.Event, carrier *lease.Lease) bool
	// Control is the queue that results are sent to.
	Control    string
	MaxPayload int
	// Observer is told of runs; nil: nothing is.
	Observer observe.Observer
	Journal  journal.Journal
	Log      *slog.Logger
}

// Pool runs activities in a bounded number of slots, first come first served.
// Runs of an activity with a bound of its own wait apart while that is used up, so
// that nothing waits behind them. Its methods may be called concurrently.
type Pool struct {
	Options
	// user is what activities run in: it ends, before the requests of the process
	// do, when activities are asked to stop.
	user       context.Context
	cancelUser context.CancelCauseFunc
	items      items

	mu      sync.Mutex // guards the rest; no other lock is taken under it
	running map[*Run]struct{}
	queue   []*Run
	bounds  map[string]*bound
	pace    pace
	offered offered
	alarm   func() bool // stops the patience timer; nil when none is set
	closed  bool
}

// NewPool makes a pool.
func NewPool(o Options) *Pool {
	p := &Pool{Options: o, running: map[*Run]struct{}{}, bounds: map[string]*bound{}}
	p.user, p.cancelUser = context.WithCancelCause(o.Exec.Context())
	return p
}

// Submit runs an activity now or queues it. After [Pool.Close] it is dropped.
func (p *Pool) Submit(r *Run) {
	r.ctx, r.cancel = context.WithCancelCause(p.user)
	if r.Step != nil {
		r.ctx = WithCall(r.ctx, r.Call)
	}
	p.mu.Lock()
	start := p.place(r)
	p.mu.Unlock()
	if start {
		p.start(r)
	}
}

// place gives a run a slot, and reports true, or a place in a queue.
func (p *Pool) place(r *Run) (start bool) {
	now := p.Exec.Clock.Now()
	r.queued = now
	switch r.cap = p.boundOf(r); {
	case p.closed:
		r.cancel(ErrShutdown)
		return false
	case r.cap != nil && !r.cap.take():
		r.cap.wait(r)
	case len(p.running) < p.Slots:
		p.running[r], r.began = struct{}{}, now
		return true
	default:
		p.enqueue(r)
	}
	p.watch()
	return false
}

// enqueue puts a run behind those that wait for a slot.
func (p *Pool) enqueue(r *Run) { p.queue = append(p.queue, r) }

// Load is how many activities run, and how many wait for a slot.
func (p *Pool) Load() (running, waiting int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	waiting = len(p.queue)
	for _, b := range p.bounds {
		waiting += len(b.waiting)
	}
	return len(p.running), waiting
}

// Free is the number of runs that would start at once.
func (p *Pool) Free() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(p.Slots-len(p.running)-len(p.queue), 0)
}

func (p *Pool) start(r *Run) {
	if p.Exec.Go(func(context.Context) { p.work(r) }) {
		return
	}
	r.cancel(ErrShutdown)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.running, r)
}

// work runs one activity after the other until none waits, so that a slot goes
// from one to the next without a new goroutine.
func (p *Pool) work(r *Run) {
	for r != nil {
		if r.Started != nil {
			r.Started()
		}
		r.Finished(p.execute(r))
		r.cancel(nil)
		r = p.next(r)
	}
}

// next ends a run and takes the one that has waited longest. With none left,
// what was offered to others is taken back.
func (p *Pool) next(last *Run) *Run {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Exec.Clock.Now()
	p.pace.note(now.Sub(last.began))
	delete(p.running, last)
	p.release(last)
	for len(p.queue) > 0 && !p.closed {
		r := p.queue[0]
		p.queue[0] = nil
		p.queue = p.queue[1:]
		if r.Item || r.ctx.Err() == nil {
			p.running[r], r.began = struct{}{}, now
			return r
		}
		p.release(r) // nobody waits for it any more
	}
	p.takeBack()
	return nil
}

// Close starts nothing more and asks what runs to stop.
func (p *Pool) Close(cause error) {
	p.mu.Lock()
	p.closed = true
	dropped := p.queue
	for _, b := range p.bounds {
		dropped = append(dropped, b.waiting...)
	}
	p.queue = nil
	clear(p.bounds)
	if p.alarm != nil {
		p.alarm()
	}
	p.mu.Unlock()
	for _, r := range dropped {
		r.cancel(cause)
	}
}

// Interrupt asks the activities that run to stop.
func (p *Pool) Interrupt(cause error) { p.cancelUser(cause) }

// Busy reports whether an activity runs or waits.
func (p *Pool) Busy() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, waiting := p.oldest()
	return len(p.running) > 0 || waiting
}

// under are the runs under a lease.
func (p *Pool) under(l *lease.Lease) (out []*Run) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for r := range p.running {
		if r.Lease == l {
			out = append(out, r)
		}
	}
	return out
}
