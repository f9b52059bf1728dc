package client

import (
	"strings"

	"github.com/durable-go/functions/internal/history"
)

// calls are those of a history that may have been made more than once.
type calls struct {
	// execution begins the ids of children that were given none.
	execution string
	events    []*history.Event
	// All of these are positions in the history: failed has the failure of an
	// action, next the action that tries again what a failure ended. waiting are
	// the failures that nothing has tried again yet.
	failed, next map[int]int
	waiting      map[call][]int
}

// call tells tries of the same call from other calls. A child with an id of its
// own is that, whatever it is called with.
type call struct {
	kind        history.Type
	name, child string
	input       uint64
}

// callsOf pairs failures with later calls of the same, the first with the first:
// of several that run side by side each has its own tries.
func callsOf(events []*history.Event) *calls {
	c := &calls{events: events, failed: map[int]int{}, next: map[int]int{}, waiting: map[call][]int{}}
	actions := map[int32]int{}
	for i, e := range events {
		switch e.Type {
		case history.ExecutionStarted:
			c.execution = e.Instance.ExecutionID + ":"
		case history.TaskScheduled, history.SubOrchestrationInstanceCreated:
			actions[e.ID] = i
			k := c.of(e)
			if w := c.waiting[k]; len(w) > 0 {
				c.next[w[0]], c.waiting[k] = i, w[1:]
			}
		case history.TaskFailed, history.SubOrchestrationInstanceFailed:
			at, known := actions[e.TaskID]
			if !known {
				continue
			}
			c.failed[at] = i
			// Without the hash of its input nobody knows what the same call is.
			if k := c.of(events[at]); k.child != "" || k.input != 0 {
				c.waiting[k] = append(c.waiting[k], i)
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
func (c *calls) lastTries(failures []int) (last []int) {
	there := map[int]bool{}
	for _, i := range failures {
		if i, ok := c.lastTry(i); ok && !there[i] {
			there[i] = true
			last = append(last, i)
		}
	}
	return last
}

func (c *calls) lastTry(failure int) (last int, ok bool) {
	for {
		try, again := c.next[failure]
		if !again {
			return failure, true
		}
		later, failed := c.failed[try]
		if !failed {
			return failure, c.of(c.events[try]).child == ""
		}
		failure = later
	}
}
