package taskhub

import (
	"time"

	"github.com/durable-go/functions/internal/history"
)

// State is what the sentinel of a history records of the execution, so that one
// read of one row answers it. Each commit writes it whole.
type State struct {
	// Origin is the execution that was started. Continue-as-new keeps it. It is
	// empty on histories that an older version began: the fence's ExecutionID
	// then.
	Origin string
	// Ended reports that the execution has an outcome.
	Ended bool
	// Outcome is the status with which it ended; meaningful only when Ended is
	// set.
	Outcome history.Status
	// Awaits is what the execution waits for beside events.
	Awaits Awaits
	// Parent is that of the execution that was started; nil: none.
	Parent *history.Parent
	// Sent is the id below which the messages of timers, children and events are on
	// their way: a process that takes the execution over does not send them again.
	Sent int32
}

// Awaits is what an execution waits for beside events.
type Awaits struct {
	// Work reports that an activity, a child or a call of an entity is open.
	Work bool
	// Until is when the earliest open timer is due; zero: there is none.
	Until time.Time
}

// IsZero reports whether s records nothing, as on histories of older versions.
func (s *State) IsZero() bool {
	return s.Origin == "" && !s.Ended && !s.Awaits.Work && s.Awaits.Until.IsZero() && s.Parent == nil && s.Sent == 0
}

// StateAfter is the state that a transaction of the commit leaves. Stores call
// it; last is set for the last transaction of the commit. An execution ends with
// the last one, which has the event that ends it. A new execution has not ended
// from the first one on.
func (c *Commit) StateAfter(last bool) State {
	if c.State == nil {
		s := c.Fence.State
		s.Ended = s.Ended && !c.NewExecution
		return s.stored()
	}
	s := *c.State
	if !last && (c.NewExecution || !c.Fence.State.Ended) {
		s.Ended = false
	}
	return s.stored()
}

// StateAfter is the state that a transaction of the rewind leaves.
func (r *Rewind) StateAfter(last bool) State {
	s := r.Fence.State
	s.Ended = s.Ended && !last
	return s.stored()
}

// stored is the state as every store gives it back.
func (s State) stored() State {
	if !s.Ended {
		s.Outcome = 0
	}
	s.Awaits.Until = s.Awaits.Until.UTC().Truncate(100 * time.Nanosecond)
	return s
}
