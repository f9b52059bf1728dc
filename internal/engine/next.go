package engine

import (
	"time"

	"github.com/durable-go/functions/internal/history"
)

// ContinueAsNew is the error with which code asks to begin again with a new
// history.
type ContinueAsNew struct {
	Input history.Payload
	// Version of the new execution; nil: as it is.
	Version *string
	// DropEvents leaves the external events behind that nobody has waited for.
	DropEvents bool
}

// Error says what it is, to who takes it for a failure.
func (c *ContinueAsNew) Error() string { return "the orchestration continues as new" }

// Next is the execution that follows one that continued as new.
type Next struct {
	start  history.Event
	events []*history.Event
}

// Next is what follows the execution, nil unless it continued as new.
func (i *Instance) Next() *Next {
	if i.outcome == nil || i.outcome.Type != history.ContinueAsNew || i.next == nil {
		return nil
	}
	n := &Next{start: *i.started}
	n.start.Input = i.next.Input
	n.start.Generation = nil
	n.start.ScheduledStart = time.Time{}
	n.start.Own = history.Own{}
	if i.next.Version != nil {
		n.start.Version = *i.next.Version
	}
	for _, e := range i.rt.mail().order {
		if !i.next.DropEvents || e.Type != history.EventRaised {
			n.events = append(n.events, e)
		}
	}
	return n
}

// goesAlong reports whether an event that comes when the execution has continued
// as new is one for the execution that follows: what clients send.
func goesAlong(e *history.Event) bool {
	switch e.Type {
	case history.EventRaised:
		return !history.IsAnswer(e)
	case history.ExecutionSuspended, history.ExecutionResumed, history.ExecutionTerminated:
		return true
	}
	return false
}

// Events are those of the first turn of the new execution: its start and what
// clients had sent that the old one did not use, which keeps the ids of its
// messages. The caller names the execution and gives its clock.
func (n *Next) Events(execution string, now time.Time) []*history.Event {
	start := n.start
	start.Timestamp = now
	start.Instance.ExecutionID = execution
	return append([]*history.Event{&start}, n.events...)
}
