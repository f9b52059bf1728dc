package worker

import "time"

// Clock is the worker's time. It must be safe for concurrent use.
type Clock interface {
	Now() time.Time
	// AfterFunc runs f on a goroutine of its own once d has passed. The
	// returned function prevents that, if it is not too late.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// SystemClock is the time of the operating system (or of a synctest bubble).
type SystemClock struct{}

// Now returns the time in UTC.
func (SystemClock) Now() time.Time { return time.Now().UTC() }

// AfterFunc is time.AfterFunc.
func (SystemClock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d, f).Stop
}
