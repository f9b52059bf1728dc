package management

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// The kinds of things that an instance waits for.
const (
	waitWorker   = "worker"   // a process that takes it up
	waitStart    = "start"    // the time of its start
	waitResume   = "resume"   // somebody who resumes it
	waitCode     = "code"     // code that fits its history
	waitActivity = "activity" // activities that run or are to run
	WaitChild    = "child"    // children
	waitTimer    = "timer"    // timers; also the timeout of something else
	waitEvent    = "event"    // an event from outside
	waitEntity   = "entity"   // the answer of an entity, or its lock
)

// Wait is one thing, or several of one name, that an instance waits for.
type Wait struct {
	Kind string `json:"kind"`
	// Name of the activity, the child's orchestrator, the event or the operation of an
	// entity ("lock" for its lock); empty where it has none or is not known.
	Name string `json:"name,omitempty"`
	// Count is how many there are of the name; 1 mostly.
	Count int `json:"count"`
	// Since is when the first of them was asked for.
	Since *time.Time `json:"since,omitempty"`
	// Until is when the first of them comes by itself.
	Until *time.Time `json:"until,omitempty"`
	// InstanceID of the first child, or of the entity.
	InstanceID string `json:"instanceId,omitempty"`
	// Text says why, where there is a text.
	Text string `json:"text,omitempty"`
	// Where is the line of the code that waits, as folder/file:line; empty where
	// that is not known.
	Where string `json:"where,omitempty"`
}

// waiting reads what the instance waits for, the history only where it must.
func (c *call) waiting(ctx context.Context, row *taskhub.Instance) ([]Wait, error) {
	if w := waitOfRow(row, c.Client.Now()); w != nil {
		return []Wait{*w}, nil
	}
	events, err := c.Client.History(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	if c.Replay != nil {
		if waits := c.Replay(ctx, row.ID, events); len(waits) > 0 {
			return together(waits), nil
		}
	}
	return WaitsOf(events), nil
}

// waitOfRow is what the row alone tells, or nil.
func waitOfRow(row *taskhub.Instance, now time.Time) *Wait {
	switch {
	case row.Parked != "":
		return &Wait{Kind: waitCode, Count: 1, Since: Moment(row.Updated), Text: row.Parked}
	case row.Status == history.Suspended:
		return &Wait{Kind: waitResume, Count: 1, Since: Moment(row.Updated), Text: string(row.Output)}
	case row.Status == history.Pending && row.Scheduled.After(now):
		return &Wait{Kind: waitStart, Count: 1, Since: Moment(row.Created), Until: Moment(row.Scheduled)}
	case row.Status == history.Pending:
		return &Wait{Kind: waitWorker, Count: 1, Since: Moment(row.Created)}
	}
	return nil
}

// WaitsOf finds what a history is open for: the calls that have no end yet,
// those of one name together, in the order in which they were asked for. Where
// there are none, only an event from outside can bring it on; which one, a
// history does not say.
func WaitsOf(events []*history.Event) []Wait {
	open := openActions(events)
	if len(open) == 0 {
		return []Wait{{Kind: waitEvent, Count: 1, Since: lastTurn(events)}}
	}
	waits := make([]Wait, len(open))
	for i, e := range open {
		waits[i] = waitOf(e)
	}
	return together(waits)
}

// together makes one of the waits of one kind and name at one place.
func together(waits []Wait) (out []Wait) {
	for _, w := range waits {
		i := slices.IndexFunc(out, func(have Wait) bool {
			return have.Kind == w.Kind && have.Name == w.Name && have.Where == w.Where && (w.Kind != waitEntity || have.InstanceID == w.InstanceID)
		})
		if i < 0 {
			out = append(out, w)
			continue
		}
		out[i].Count += w.Count
		out[i].Until = earlier(out[i].Until, w.Until)
	}
	return out
}

// earlier is the earlier of two times of which any may be none.
func earlier(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

// openActions are the actions without an end, in order.
func openActions(events []*history.Event) (open []*history.Event) {
	ended, answered := map[int32]bool{}, map[string]bool{}
	for _, e := range events {
		switch {
		case ends(e) || e.Type == history.TimerFired:
			ended[e.TaskID] = true
		case history.IsAnswer(e):
			answered[e.Name] = true
		}
	}
	for _, e := range events {
		if (starts(e) || e.Type == history.TimerCreated) && !ended[e.ID] {
			open = append(open, e)
		} else if r := requestOf(e); r != nil && !r.Signal && !answered[r.ID] {
			open = append(open, e)
		}
	}
	return open
}

// requestOf is what an event asks an entity for, nil where it asks none.
func requestOf(e *history.Event) *requested {
	if e.Type != history.EventSent || e.Name != history.EntityOperation || !history.IsEntity(e.InstanceID) {
		return nil
	}
	r, err := history.DecodeEntityRequest(e.Input)
	if err != nil {
		return nil
	}
	return &requested{ID: r.ID, Operation: r.Operation, Signal: r.Signal}
}

func waitOf(e *history.Event) Wait {
	w := Wait{Kind: waitActivity, Name: e.Name, Count: 1, Since: Moment(e.Timestamp)}
	switch e.Type {
	case history.SubOrchestrationInstanceCreated:
		w.Kind, w.InstanceID = WaitChild, e.InstanceID
	case history.TimerCreated:
		w.Kind, w.Name, w.Until = waitTimer, "", Moment(e.FireAt)
	case history.EventSent:
		w.Kind, w.Name, w.InstanceID = waitEntity, cmp.Or(requestOf(e).Operation, "lock"), e.InstanceID
	}
	return w
}

// lastTurn is when the code ran last.
func lastTurn(events []*history.Event) *time.Time {
	for _, e := range slices.Backward(events) {
		if e.Type == history.OrchestratorStarted {
			return Moment(e.Timestamp)
		}
	}
	return nil
}

// child is one child of an instance, as its parent's history has it.
type child struct {
	InstanceID string     `json:"instanceId"`
	Name       string     `json:"name"`
	Status     string     `json:"runtimeStatus"`
	Created    *time.Time `json:"createdTime,omitempty"`
	Completed  *time.Time `json:"completedTime,omitempty"`
	TaskID     int32      `json:"taskId"`
}

// maxChildren bounds how many children an answer names.
const maxChildren = 1000

// childrenOf lists the children, and how many there are. One that the parent
// waits for is Running, whatever it does itself.
func childrenOf(events []*history.Event, top int) (out []child, total int) {
	ended := map[int32]*history.Event{}
	for _, e := range events {
		if ends(e) {
			ended[e.TaskID] = e
		}
	}
	for _, e := range events {
		if e.Type != history.SubOrchestrationInstanceCreated {
			continue
		}
		if total++; len(out) == top {
			continue
		}
		c := child{InstanceID: e.InstanceID, Name: e.Name, TaskID: e.ID, Created: Moment(e.Timestamp), Status: history.Running.String()}
		if end := ended[e.ID]; end != nil {
			c.Completed, c.Status = Moment(end.Timestamp), history.Completed.String()
			if strings.HasSuffix(end.Type.String(), "Failed") {
				c.Status = history.Failed.String()
			}
		}
		out = append(out, c)
	}
	return out, total
}
