package executor

import (
	"context"
	"time"
)

// Clock is the time of a process. It must be safe for concurrent use.
type Clock interface {
	Now() time.Time
	// AfterFunc runs f on a goroutine of its own once d has passed. The returned
	// function prevents that and reports whether it did: false when f has begun.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// SystemClock is the time of the operating system (or of a synctest bubble).
type SystemClock struct{}

// Now returns the time of day in UTC, without Go's monotonic reading: that one
// stands still while a machine is suspended, and a lease does not.
func (SystemClock) Now() time.Time { return time.Now().Round(0).UTC() }

// AfterFunc is [time.AfterFunc].
func (SystemClock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d, f).Stop
}

// Wait returns when d has passed, or with the error of ctx when that ends first.
func Wait(ctx context.Context, clock Clock, d time.Duration) error {
	fired := make(chan struct{})
	stop := clock.AfterFunc(d, func() { close(fired) })
	defer stop()
	select {
	case <-fired:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
