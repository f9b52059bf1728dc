package worker

import (
	"github.com/durable-go/functions/internal/history"
)

// rewoundEnd is the reason of the event that ended an execution once a rewind has
// taken it back.
const rewoundEnd = "Rewound: ExecutionCompleted"

// noteRepeated counts an action that is recorded under an id that another one
// had before a rewind.
func (in *instance) noteRepeated(action int32) {
	if in.recorded == nil {
		return
	}
	if in.recorded[action] {
		in.redone[action]++
	}
	in.recorded[action] = true
}

// sinceRewind are the committed events after the last rewind. What was sent to
// others before was sent before the execution had ended; actions that the rewind
// made void may have the ids of later ones.
func (in *instance) sinceRewind() []*history.Event { return in.committed[in.rewound:] }

// loseOpen notes that what was open when an execution ended has lost its lease
// with it: results that came after the end were dropped. Children go on, and
// are asked for by who rewinds them.
func (in *instance) loseOpen() {
	for _, e := range in.committed {
		if _, open := in.under[e.ID]; !open || e.Type != history.TaskScheduled && e.Type != history.TimerCreated {
			continue
		}
		if in.lost == nil {
			in.lost = map[int32]bool{}
		}
		in.lost[e.ID] = true
	}
	for id := range in.lost {
		delete(in.under, id)
		in.redone[id]++
		in.unspill(id)
	}
}

// adoptLost puts open actions that have lost their lease under one that is held.
func (in *instance) adoptLost() {
	if len(in.lost) == 0 {
		return
	}
	lease := in.primary()
	if lease == nil {
		return
	}
	for id := range in.lost {
		in.under[id] = lease.id
	}
	clear(in.lost)
}
