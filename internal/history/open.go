package history

import "slices"

// Open are the actions of a history that have no answer, in the order in which they
// were asked for. Events to other instances, which get none, are among them.
func Open(events []*Event) (open []*Event) {
	asked := map[int32]*Event{}
	for _, e := range events {
		switch e.Type {
		case TaskScheduled, TimerCreated, SubOrchestrationInstanceCreated, EventSent:
			asked[e.ID] = e
			open = append(open, e)
		case TaskCompleted, TaskFailed, TimerFired, SubOrchestrationInstanceCompleted, SubOrchestrationInstanceFailed:
			delete(asked, e.TaskID)
		}
	}
	return slices.DeleteFunc(open, func(e *Event) bool { return asked[e.ID] != e })
}

// IsDetached reports whether an event asks for a child that answers to no one.
func IsDetached(e *Event) bool {
	_, detached := e.Tags[FireAndForget]
	return e.Type == SubOrchestrationInstanceCreated && detached
}
