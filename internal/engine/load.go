package engine

import (
	"github.com/durable-go/functions/internal/history"
)

// Load replays committed events. It may be called again with the events that
// follow, until the first Turn. A *NonDeterminismError says that the code does
// not ask for what the history records; the Instance is of no use then.
func (i *Instance) Load(events []*history.Event) (err error) {
	i.rt.replaying.Store(true)
	i.each(events, func(e *history.Event) bool {
		err = i.replay(e)
		return err == nil
	})
	return err
}

func (i *Instance) replay(e *history.Event) error {
	switch e.Type {
	case history.OrchestratorStarted:
		if err := i.endReplayedTurn(); err != nil {
			return err
		}
		i.now = e.Timestamp
		i.turnOpen = true
	case history.OrchestratorCompleted:
		i.turnOpen = false
		return i.endReplayedTurn()
	case history.TaskScheduled, history.TimerCreated, history.SubOrchestrationInstanceCreated, history.EventSent, history.ExecutionCompleted:
		return i.match(e)
	default:
		if i.means(e) {
			i.apply(e)
		}
	}
	return nil
}

// match compares a recorded action with what the code has asked for.
func (i *Instance) match(recorded *history.Event) error {
	if recorded.Type == history.ExecutionCompleted && recorded.Status == history.Terminated {
		i.outcome = recorded
		i.unrecorded = nil
		return nil
	}
	if len(i.unrecorded) == 0 {
		return i.differs(recorded, nil)
	}
	asked := i.unrecorded[0]
	if !same(recorded, asked) {
		return i.differs(recorded, asked)
	}
	i.unrecorded = i.unrecorded[1:]
	// The row has no input, the code has no row: together they are the action.
	asked.Own = recorded.Own
	asked.Timestamp = recorded.Timestamp
	if recorded.Type == history.ExecutionCompleted {
		asked = recorded
	}
	i.opened(asked)
	return nil
}

// endReplayedTurn checks that a recorded turn has everything that the code
// asked for in it.
func (i *Instance) endReplayedTurn() error {
	if len(i.unrecorded) > 0 {
		return i.differs(nil, i.unrecorded[0])
	}
	return nil
}
