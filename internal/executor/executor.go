// Package executor carries out what the rooms of a worker decide: goroutines that
// have an owner, waits on a clock that is handed in, and storage requests, with
// one classification of errors, one way to repeat them and one bound on how many
// of them are on their way for one purpose.
package executor

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Bounds of the pause before a request is repeated.
const (
	minPause = 20 * time.Millisecond
	maxPause = 5 * time.Second
)

// AtOnce bounds the requests that [Executor.Each] makes at the same time.
const AtOnce = 32

// Executor runs goroutines and storage requests of one process. Its methods may
// be called concurrently.
type Executor struct {
	*Group
	Clock Clock
	Log   *slog.Logger

	// Reported reports whether an error is told by whoever makes the requests, so that
	// it is not told here. nil: none is. It is set before the executor is used.
	Reported func(error) bool

	outage outage
}

// New makes an executor with a group of its own.
func New(clock Clock, log *slog.Logger) *Executor {
	return &Executor{Group: NewGroup(), Clock: clock, Log: log, outage: outage{log: log}}
}

// Now is the time that events carry: UTC, cut to the 100 ns that storage keeps.
func (x *Executor) Now() time.Time { return x.Clock.Now().UTC().Truncate(100 * time.Nanosecond) }

// Wait returns when d has passed, or with the error of ctx.
func (x *Executor) Wait(ctx context.Context, d time.Duration) error { return Wait(ctx, x.Clock, d) }

// Do repeats a request until it succeeds, until its error is not [Again], or
// until ctx ends. Storage that cannot be reached is waited for and reported once.
func (x *Executor) Do(ctx context.Context, request func(context.Context) error) error {
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		err := request(ctx)
		if err == nil {
			x.Recovered()
			return nil
		}
		if ctx.Err() != nil || Classify(err) != Again {
			return err
		}
		x.Failed(ctx, err)
		if x.Wait(ctx, pause) != nil {
			return err
		}
	}
}

// Each calls f for 0 to n-1, at most [AtOnce] at the same time, and returns the
// error of the first that failed by number. It waits for all that it began; after
// an error it begins no more.
func (x *Executor) Each(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	if n == 1 {
		return f(ctx, 0)
	}
	errs := make([]error, n)
	var failed sync.Once
	stop := make(chan struct{})
	gate := make(chan struct{}, AtOnce)
	var group sync.WaitGroup
	for i := range n {
		gate <- struct{}{}
		select {
		case <-stop:
			<-gate
			continue
		default:
		}
		group.Go(func() {
			defer func() { <-gate }()
			if errs[i] = f(ctx, i); errs[i] != nil {
				failed.Do(func() { close(stop) })
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Failed reports that a storage request failed, once until [Executor.Recovered].
// What ended because ctx ends is not about storage.
func (x *Executor) Failed(ctx context.Context, err error) {
	if x.Reported == nil || !x.Reported(err) {
		x.outage.failed(ctx, err)
	}
}

// Recovered reports that storage answers again where it did not.
func (x *Executor) Recovered() { x.outage.recovered() }

// outage reports that storage cannot be reached once, not at every try.
type outage struct {
	log  *slog.Logger
	mu   sync.Mutex // guards down
	down bool
}

func (o *outage) failed(ctx context.Context, err error) {
	if ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return
	}
	o.mu.Lock()
	before := o.down
	o.down = true
	o.mu.Unlock()
	if !before {
		o.log.Error("storage request failed, trying again until it succeeds", "error", err)
	}
}

func (o *outage) recovered() {
	o.mu.Lock()
	before := o.down
	o.down = false
	o.mu.Unlock()
	if before {
		o.log.Info("storage answers again")
	}
}
