package engine

import (
	"slices"

	"github.com/durable-go/functions/internal/history"
)

// actions are what the code has asked for and what has not ended, for both sides:
// the code's task waits for the action, the history's event records it. They are
// in the order of their ids, which is that in which they were asked for.
type actions struct {
	list []action
	// ended counts those in the list that have ended on both sides; recorded
	// those with an event.
	ended, recorded int
}

type action struct {
	id int32
	// task is nil once the code has its result or does not wait any more.
	task *Task
	// event is nil before the action is part of the history and once it has its
	// result.
	event *history.Event
}

// find returns the action of an id, nil when the list does not have it. It is
// valid until the next change.
func (a *actions) find(id int32) *action {
	if len(a.list) == 1 && a.list[0].id == id {
		return &a.list[0]
	}
	at, found := slices.BinarySearchFunc(a.list, id, func(x action, id int32) int { return int(x.id) - int(id) })
	if !found {
		return nil
	}
	return &a.list[at]
}

// ask adds an action of the code: its id is higher than all before.
func (a *actions) ask(t *Task) { a.list = append(a.list, action{id: t.id, task: t}) }

// opened is the event of an action that is recorded and has no result yet.
func (a *actions) opened(id int32) *history.Event {
	if x := a.find(id); x != nil {
		return x.event
	}
	return nil
}

// open notes that an action is part of the history.
func (a *actions) open(e *history.Event) {
	x := a.find(e.ID)
	switch {
	case x == nil: // nobody waits for it any more
		at, _ := slices.BinarySearchFunc(a.list, e.ID, func(x action, id int32) int { return int(x.id) - int(id) })
		a.list = slices.Insert(a.list, at, action{id: e.ID, event: e})
		a.recorded++
		return
	case x.task == nil && x.event == nil:
		a.ended--
	}
	if x.event == nil {
		a.recorded++
	}
	x.event = e
}

// close notes that a recorded action has its result, or needs none, and returns
// its event; nil when it is not recorded.
func (a *actions) close(id int32) *history.Event {
	x := a.find(id)
	if x == nil || x.event == nil {
		return nil
	}
	e := x.event
	x.event = nil
	a.recorded--
	a.tidy(x)
	return e
}

// forget returns the task of an action, which has its result or needs none; nil
// when nobody waits for it.
func (a *actions) forget(id int32) *Task {
	x := a.find(id)
	if x == nil || x.task == nil {
		return nil
	}
	t := x.task
	x.task = nil
	a.tidy(x)
	return t
}

// tidy drops what has ended when that is more than half of the list: the cost
// of an action does not depend on how many there are.
func (a *actions) tidy(x *action) {
	if x.task != nil || x.event != nil {
		return
	}
	if a.ended++; 2*a.ended > len(a.list) {
		a.list = slices.DeleteFunc(a.list, func(x action) bool { return x.task == nil && x.event == nil })
		a.ended = 0
	}
}

// outstanding are the events of the recorded actions, in the order of their ids.
func (a *actions) outstanding() []*history.Event {
	if a.recorded == 0 {
		return nil
	}
	events := make([]*history.Event, 0, a.recorded)
	for _, x := range a.list {
		if x.event != nil {
			events = append(events, x.event)
		}
	}
	return events
}
