// Package worker decides who runs when: it takes messages, drives
// orchestrations turn by turn, commits what they did and runs their activities,
// under leases that other processes respect. Everything it does can be cut off
// at any line by the end of the process: what was committed stays, and the
// messages that were not removed bring another worker.
package worker

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Worker drives the orchestrations of one task hub in this process. Its
// methods may be called concurrently.
type Worker struct {
	Options
	clock   Clock
	log     *slog.Logger
	storage *outage

	// ctx ends when the worker must make no more requests; user ends earlier,
	// when activities are asked to stop.
	ctx, user          context.Context
	cancel, cancelUser context.CancelCauseFunc
	activities         *pool
	turns              *slots
	watches            watches
	watchdog           *watchdog
	items              workItems

	mu sync.Mutex // guards the rest
	// running counts the goroutines of the worker; stopped refuses new ones.
	running int
	stopped bool
	// drained is closed when a stopping worker has no goroutine left.
	drained chan struct{}
	// adopted counts the messages whose invocation was answered and that are
	// still worked on.
	adopted int
	// instances are the orchestrations in memory, by id.
	instances map[string]*instance
	idle      lru
}

// New makes a worker. It does nothing until work is delivered or polled for;
// the caller ends it with Stop.
func New(o Options) (*Worker, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	w := &Worker{Options: o, clock: o.Clock, log: o.Log, instances: map[string]*instance{}}
	w.ctx, w.cancel = context.WithCancelCause(context.Background())
	w.user, w.cancelUser = context.WithCancelCause(w.ctx)
	w.storage = &outage{log: o.Log}
	w.watchdog = &watchdog{w: w}
	w.turns = newSlots(o.OrchestratorSlots)
	w.activities = newPool(w, o.ActivitySlots, w.spill)
	return w, nil
}

// spawn runs f on a goroutine that Stop waits for. It reports false, and does
// not run f, when the worker has stopped.
func (w *Worker) spawn(f func(context.Context)) bool {
	w.mu.Lock()
	if w.stopped {
		w.mu.Unlock()
		return false
	}
	w.running++
	w.mu.Unlock()
	go func() {
		defer w.done()
		f(w.ctx)
	}()
	return true
}

func (w *Worker) done() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running--
	if w.running == 0 && w.drained != nil && !w.stopped {
		w.stopped = true
		close(w.drained)
	}
}

// Stop ends the worker: it starts no more work, asks running activities to
// stop and lets what ends in time be committed. When ctx ends, what is left is
// cut off. Messages that are still held are given back, so that another worker
// goes on at once.
func (w *Worker) Stop(ctx context.Context) {
	w.activities.close()
	w.cancelUser(ErrShutdown)
	drained := w.drain()
	select {
	case <-drained:
	case <-ctx.Done():
		w.cancel(ErrShutdown)
		<-drained
	}
	for _, in := range w.takeInstances() {
		in.release(context.WithoutCancel(ctx))
	}
	w.cancel(ErrShutdown)
}

// Kill ends the worker as the end of the process would: running requests are
// cancelled, nothing is given back. It returns when no goroutine is left.
func (w *Worker) Kill() {
	w.activities.close()
	w.cancel(ErrShutdown)
	<-w.drain()
	for _, in := range w.takeInstances() {
		in.drop()
	}
}

// takeInstances leaves the worker without instances: nobody drives them any
// more, and who takes them owns them.
func (w *Worker) takeInstances() map[string]*instance {
	w.mu.Lock()
	defer w.mu.Unlock()
	live := w.instances
	w.instances = map[string]*instance{}
	return live
}

func (w *Worker) drain() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.drained != nil {
		return w.drained
	}
	w.drained = make(chan struct{})
	if w.running == 0 {
		w.stopped = true
		close(w.drained)
	}
	return w.drained
}

// now is the time that events carry: UTC, cut to the 100 ns that storage keeps.
func (w *Worker) now() time.Time {
	return w.clock.Now().UTC().Truncate(100 * time.Nanosecond)
}

// sleep waits for d or until ctx ends.
func (w *Worker) sleep(ctx context.Context, d time.Duration) error {
	fired := make(chan struct{})
	stop := w.clock.AfterFunc(d, func() { close(fired) })
	defer stop()
	select {
	case <-fired:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// retry repeats op until it succeeds, ctx ends, or the error is final. Storage
// that cannot be reached is waited for, and reported once.
func (w *Worker) retry(ctx context.Context, final func(error) bool, op func(context.Context) error) error {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := op(ctx)
		if err == nil {
			w.storage.recovered()
			return nil
		}
		if ctx.Err() != nil || final(err) {
			return err
		}
		w.storage.failed(ctx, err)
		if err := w.sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// outage reports that storage cannot be reached once, not at every try. What
// ended because the process ends says nothing about storage.
type outage struct {
	log  *slog.Logger
	mu   sync.Mutex
	down bool
}

func (o *outage) failed(ctx context.Context, err error) {
	if ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.down {
		o.down = true
		o.log.Error("storage request failed, trying again until it succeeds", "error", err)
	}
}

func (o *outage) recovered() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.down {
		o.down = false
		o.log.Info("storage answers again")
	}
}

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

// WaitIdle returns when the worker holds no message and runs no activity, or
// when ctx ends.
func (w *Worker) WaitIdle(ctx context.Context) {
	for w.busy() && w.sleep(ctx, time.Second) == nil {
		continue
	}
}

func (w *Worker) busy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, in := range w.instances {
		if in.driving || in.leases.Load() > 0 {
			return true
		}
	}
	return w.activities.busy()
}
