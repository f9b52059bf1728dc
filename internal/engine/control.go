package engine

import (
	"maps"
	"slices"

	"github.com/durable-go/functions/internal/history"
)

// Suspended reports whether the code does not run although there would be
// something to run it on.
func (i *Instance) Suspended() bool { return i.suspended && i.outcome == nil }

// deliver gives an event to the code, or keeps it for the time when the
// orchestration is resumed.
func (i *Instance) deliver(e *history.Event) {
	if i.suspended {
		i.delayed = append(i.delayed, e)
		return
	}
	if history.IsAnswer(e) {
		i.rt.answered(e)
		return
	}
	if e.Type == history.EventRaised {
		i.rt.raised(e)
		return
	}
	i.rt.complete(e)
}

// Unused counts the external events that the code has not waited for yet, and the
// bytes of their data.
func (i *Instance) Unused() (events, bytes int) {
	if m := i.rt.events; m != nil {
		events, bytes = len(m.order), m.bytes
	}
	for _, e := range i.delayed {
		if e.Type == history.EventRaised {
			events, bytes = events+1, bytes+len(e.Input)
		}
	}
	return events, bytes
}

// WaitsFor names the external events, in lower case and in order, of which the code
// takes the next one at once.
func (i *Instance) WaitsFor() []string {
	if i.suspended || i.rt.events == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(i.rt.events.waiting))
}

func (i *Instance) resume() {
	i.suspended = false
	delayed := i.delayed
	i.delayed = nil
	i.each(delayed, func(e *history.Event) bool {
		i.deliver(e)
		return true
	})
}

// terminate ends the execution whatever its code does; what the code asked for
// in this turn is not asked for.
func (i *Instance) terminate(e *history.Event) {
	i.rt.ended = true
	i.suspended, i.delayed = false, nil
	i.unrecorded = append(i.unrecorded[:0:0], &history.Event{
		Type: history.ExecutionCompleted, ID: i.rt.nextID(), Timestamp: i.now,
		Status: history.Terminated, Result: history.ShownReason(e.Input),
	})
}
