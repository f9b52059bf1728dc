package orchestration

import (
	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// action is something that the execution has asked for and that has no answer, or
// that needs none and may not have been sent.
type action struct {
	event *history.Event
	// lease is the logical id of the message under which it was recorded: the
	// process that holds that does what the action asks for. Empty: it has none any
	// more, because its execution ended before a rewind.
	lease string
	// run is the activity that runs, or waits, in this process.
	run *activity.Run
	// timer is the alarm that this process has set.
	timer *timer
}

// timer is the alarm of a timer in this process; its message is for the process that
// lives when it is due.
type timer struct {
	message string // its logical id
	lease   *taskhub.Lease
	alarm   func() bool
}

// runs notes the activity that runs for the action in this process; nil: none does.
func (a *action) runs(r *activity.Run) { a.run = r }

// waits notes the alarm that this process has set for a timer; nil: none is set.
func (a *action) waits(t *timer) { a.timer = t }

// under puts the action under a lease.
func (a *action) under(lease string) { a.lease = lease }

// inherit takes over what this process does about an earlier view of the action.
func (a *action) inherit(was *action) { a.run, a.timer = was.run, was.timer }

// cancel tells the activity of the action to stop, if one runs here.
func (a *action) cancel(cause error) {
	if a.run != nil {
		a.run.Cancel(cause)
		a.run = nil
	}
}

// stop ends what this process does about the action: the alarm of a timer and, with a
// cause, the activity.
func (a *action) stop(cause error) {
	if a.timer != nil {
		a.timer.alarm()
		a.timer = nil
	}
	if cause != nil {
		a.cancel(cause)
	}
}

// stop ends what this process does about all actions, activities only with a cause.
func (r *record) stop(cause error) {
	for _, a := range r.actions {
		a.stop(cause)
	}
}
