package client

import (
	"strings"

	"github.com/durable-go/functions/internal/history"
)

// calls are those of a history that may have been made more than once.
type calls struct {
	// execution begins the ids of children that were given none.
	execution string
	// asked is where the action of a failure was asked for, both as positions.
	asked map[int]int
	// made is where a call was made last, failed the failure of that of its tries
	// that was made last, of those that failed.
	made, failed map[call]int
}

// call tells tries of the same call from other calls. A child with an id of its
// own is that, whatever it is called with.
type call struct {
	kind        history.Type
	name, child string
	input       uint64
}

func callsOf(events []*history.Event) *calls {
	c := &calls{asked: map[int]int{}, made: map[call]int{}, failed: map[call]int{}}
	actions := map[int32]int{}
	for i, e := range events {
		switch e.Type {
		case history.ExecutionStarted:
			c.execution = e.Instance.ExecutionID + ":"
		case history.TaskScheduled, history.SubOrchestrationInstanceCreated:
			actions[e.ID] = i
			c.made[c.of(e)] = i
		case history.TaskFailed, history.SubOrchestrationInstanceFailed:
			at, known := actions[e.TaskID]
			if !known {
				continue
			}
			c.asked[i] = at
			k := c.of(events[at])
			if before, again := c.failed[k]; !again || c.asked[before] <= at {
				c.failed[k] = i
			}
		}
	}
	return c
}

func (c *calls) of(e *history.Event) call {
	if e.Type == history.SubOrchestrationInstanceCreated && !strings.HasPrefix(e.InstanceID, c.execution) {
		return call{kind: e.Type, child: e.InstanceID}
	}
	return call{kind: e.Type, name: e.Name, input: e.Own.InputHash}
}

// lastTries puts the failure of the last try in the place of the failures of a
// call that was made again after it had failed, as a retry policy does: what
// failed last is tried again. Where the last try of a child with an id of its own
// has not failed, none is: the earlier child is no more.
func (c *calls) lastTries(events []*history.Event, failures []int) (last []int) {
	there := map[int]bool{}
	for _, i := range failures {
		if at, known := c.asked[i]; known {
			k := c.of(events[at])
			switch {
			case k.child == "" && k.input == 0: // nobody knows whether it is the same call
			case c.asked[c.failed[k]] > i:
				i = c.failed[k]
			case k.child != "" && c.made[k] > i:
				continue
			}
		}
		if !there[i] {
			there[i] = true
			last = append(last, i)
		}
	}
	return last
}
