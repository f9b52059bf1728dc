package durable

import (
	"fmt"
	"time"
)

// Timer is a task that ends at a time. It is durable: it fires although the
// process was not running in the meantime.
type Timer struct{ Task[None] }

// NewTimer starts a timer that fires when d has passed on the orchestration's
// clock. A negative d makes its Await fail. Timers of any length work. See
// Task.Cancel.
func (c *Context) NewTimer(d time.Duration) *Timer {
	if d < 0 {
		err := fmt.Errorf("a timer of %v makes no sense: it must not be negative", d)
		return &Timer{Task[None]{ctx: c, of: source{timerWait, ""}, task: c.rt.Failed(err)}}
	}
	return c.NewTimerAt(c.Now().Add(d))
}

// NewTimerAt starts a timer that fires at an instant, at once when that is
// over, which the zero Time is. The Await of one after the year 9999 fails.
func (c *Context) NewTimerAt(at time.Time) *Timer {
	at = at.UTC().Truncate(100 * time.Nanosecond)
	return &Timer{Task[None]{ctx: c, of: source{timerWait, ""}, task: c.rt.Timer(at)}}
}

// Sleep waits until d has passed. It fails only when d is negative.
func (c *Context) Sleep(d time.Duration) error {
	_, err := c.NewTimer(d).Await()
	return err
}
