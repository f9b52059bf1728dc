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
	if !i.next.DropEvents {
		n.events = append(n.events, i.rt.events.order...)
	}
	return n
}

// Events are those of the first turn of the new execution: its start and the
// external events that the old one did not use, which keep the ids of their
// messages. The caller names the execution and gives its clock.
func (n *Next) Events(execution string, now time.Time) []*history.Event {
	start := n.start
	start.Timestamp = now
	start.Instance.ExecutionID = execution
	return append([]*history.Event{&start}, n.events...)
}
