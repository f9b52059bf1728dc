package engine

import (
	"strings"

	"github.com/durable-go/functions/internal/history"
)

// rewoundPrefix begins the reason of an event that a rewind has taken out of the
// history: what it was follows.
const rewoundPrefix = "Rewound: "

// isRewound reports whether an event is what a rewind has left of another one.
func isRewound(e *history.Event) bool {
	return e.Type == history.GenericEvent && strings.HasPrefix(string(e.Reason), rewoundPrefix)
}

// rewound notes what a rewind has done. An action that was taken out is asked
// for again under its id. After a failure that was taken out, up to the end that
// the rewind took back, the code need not ask for what is recorded: it asked for
// that because of the failure. What it asks for instead is recorded later.
func (i *Instance) rewound(e *history.Event) {
	switch {
	case string(e.Reason) == rewoundPrefix+history.ExecutionCompleted.String():
		i.loading.loose = false
		i.askAgain(func(*history.Event) bool { return true })
	case e.ID == history.NoID:
		i.loading.loose = true
	default:
		i.askAgain(func(asked *history.Event) bool { return asked.ID == e.ID })
	}
}

// askAgain moves actions that the code has asked for to those that are recorded
// once more.
func (i *Instance) askAgain(which func(*history.Event) bool) {
	var rest []*history.Event
	for _, e := range i.unrecorded {
		if which(e) {
			i.again = append(i.again, e)
		} else {
			rest = append(rest, e)
		}
	}
	i.unrecorded = rest
}

// asking finds what the code has asked for that a recorded event may be, and
// where that is; nil when it has asked for nothing.
func (i *Instance) asking(recorded *history.Event) (asked *history.Event, from *[]*history.Event, at int) {
	for at, e := range i.again {
		if mayBe(recorded, e) {
			return e, &i.again, at
		}
	}
	for at, e := range i.unrecorded {
		// They are recorded in the order in which they were asked for.
		if !i.loading.loose || mayBe(recorded, e) {
			return e, &i.unrecorded, at
		}
	}
	return nil, nil, 0
}

// mayBe compares the ids of actions, and the actions of values.
func mayBe(recorded, asked *history.Event) bool {
	if recorded.ID != history.NoID {
		return recorded.ID == asked.ID
	}
	return asked.Type == recorded.Type && asked.TaskID == recorded.TaskID
}

// without takes an event out of a list that others do not see.
func without(events []*history.Event, at int) []*history.Event {
	switch {
	case len(events) == 1:
		events[0] = nil
		return events[:0]
	case at == 0:
		return events[1:]
	}
	return append(events[:at:at], events[at+1:]...)
}
