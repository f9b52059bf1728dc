package engine

import (
	"github.com/durable-go/functions/internal/history"
)

// loading is the state of a replay.
type loading struct {
	// loose means that the replay is between a failure that was rewound and the end
	// that was taken back.
	loose bool
	// lastAction is the highest id of an action in the history; torn begins its
	// last turn if that has no end; current begins the turn that is replayed.
	lastAction    int32
	torn, current *history.Event
	// unseen is the first action that nobody outside has seen: those that a call
	// of Load asks for have an event of their own only while they are open, and
	// spare is one that a further action can have.
	unseen int32
	spare  *history.Event
}

// Load replays committed events. It may be called again with the events that
// follow, until the first Turn; a call must not end within a turn unless it is
// the last one. A *NonDeterminismError means that the code does
// not ask for what the history records, a *BlockedError that it was given up, any
// other that a history is none, or is that of Options.Interrupt; the Instance is
// of no use then.
func (i *Instance) Load(events []*history.Event) error {
	i.rt.replaying.Store(true)
	if i.loading == nil {
		i.loading = &loading{lastAction: history.NoID}
	}
	i.loading.unseen, i.loading.spare = i.rt.sequence, nil
	i.scan(events)
	var err error
	i.each(events, func(e *history.Event) bool {
		if interrupt := i.options.Interrupt; interrupt != nil {
			err = interrupt()
		}
		if err == nil {
			err = i.replay(e)
		}
		return err == nil
	})
	if i.lost() {
		return i.blocked
	}
	return err
}

func (i *Instance) replay(e *history.Event) error {
	switch e.Type {
	case history.OrchestratorStarted:
		if err := i.endReplayedTurn(); err != nil {
			return err
		}
		i.now, i.loading.current = e.Timestamp, e
		if i.started == nil {
			i.semantics = e.Semantics
		}
	case history.OrchestratorCompleted:
		return i.endReplayedTurn()
	case history.TaskScheduled, history.TimerCreated, history.SubOrchestrationInstanceCreated, history.EventSent,
		history.ExecutionCompleted, history.ContinueAsNew:
		return i.match(e)
	default:
		if isRewound(e) {
			i.rewound(e)
			return nil
		}
		if e.Type == history.TaskCompleted && i.markers[e.TaskID] != nil && i.actions.opened(e.TaskID) == nil {
			return i.matchMarker(e)
		}
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
	asked, from, at := i.asking(recorded)
	if asked == nil || !i.same(recorded, asked) {
		if i.loading.loose {
			return nil
		}
		return i.differs(recorded, asked)
	}
	*from = without(*from, at)
	// The row has no input, the code has no row: together they are the action.
	asked.Own, asked.Timestamp, asked.FireAt = recorded.Own, recorded.Timestamp, recorded.FireAt
	asked.InstanceID = recorded.InstanceID
	if recorded.Type == history.ExecutionCompleted {
		asked = recorded
	}
	i.opened(asked)
	return nil
}

// endReplayedTurn checks that a recorded turn has everything that the code
// asked for in it.
func (i *Instance) endReplayedTurn() error {
	if i.loading.loose {
		i.askAgain(func(*history.Event) bool { return true })
	}
	if len(i.unrecorded) > 0 {
		return i.differs(nil, i.unrecorded[0])
	}
	return nil
}
