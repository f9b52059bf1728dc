package orchestration

import (
	"maps"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// record is what the committed history says. It is a function of the events, built
// by applying them one after the other and never edited otherwise; only what this
// process does about the open actions is noted with them.
type record struct {
	events  []*history.Event
	started *history.Event
	// outcome is the ExecutionCompleted event once the execution has ended.
	outcome *history.Event
	// continued means that the execution has continued as new.
	continued bool
	// terminated is the event that terminated the execution.
	terminated *history.Event
	// sections are the critical sections that are open, calls the actions of calls of
	// entities that have no answer, by the ids of the requests.
	sections sections
	calls    map[string]int32
	// seen has the logical ids of the messages in the history.
	seen map[string]bool
	// actions are those that have no answer yet, by id: what answers end is gone.
	actions map[int32]*action
	// turned is the clock of the last turn.
	turned time.Time
	// custom is the custom status that was set last, reason why the execution was
	// suspended or resumed last.
	custom, reason history.Payload
	// What follows is counted, so that a commit need not look at all actions: work
	// are those that somebody answers and that are no timers, timers when the timers
	// are due; unsent are the others whose message may not be on its way; spilled
	// are activities whose work item is.
	work    int
	timers  map[int32]time.Time
	unsent  map[int32]bool
	spilled map[int32]bool
	// next is the id of the next action.
	next int32
	// sent is the id below which the effects of actions are known to be done.
	sent int32
	// rewinds is nil for an execution that was never rewound.
	rewinds *rewinds
}

// rewinds is what rewinds have done to an execution.
type rewinds struct {
	// at is how many events come before the last rewind.
	at int
	// times is how often an execution that had ended was rewound.
	times int
	// recorded are the actions since the first rewind; redone counts how often an
	// action was taken out, or recorded anew after one.
	recorded map[int32]bool
	redone   map[int32]int
}

func newRecord(f taskhub.Fence) *record {
	return &record{
		sections: sections{}, calls: map[string]int32{}, seen: map[string]bool{}, actions: map[int32]*action{}, sent: f.State.Sent,
		timers: map[int32]time.Time{}, unsent: map[int32]bool{}, spilled: map[int32]bool{},
	}
}

// apply takes committed events in. spilled are the activities whose work items are
// on their way, as the sentinel says.
func (r *record) apply(events []*history.Event, spilled []taskhub.Range) {
	for _, e := range events {
		r.events = append(r.events, e)
		if e.Own.Message != "" {
			r.seen[e.Own.Message] = true
		}
		r.next = max(r.next, e.ID+1)
		r.applyOne(e)
	}
	for _, ids := range spilled {
		for id := ids.First; id <= ids.Last; id++ {
			r.spill(id)
		}
	}
}

func (r *record) applyOne(e *history.Event) {
	switch e.Type {
	case history.ExecutionStarted:
		r.started = e
	case history.OrchestratorStarted:
		r.turned = e.Timestamp
	case history.OrchestratorCompleted:
		if custom, set := history.CustomStatus(e); set {
			r.custom = custom
		}
	case history.TaskScheduled, history.TimerCreated, history.SubOrchestrationInstanceCreated, history.EventSent:
		r.asked(e)
		if request, called := r.sections.note(e); called {
			r.calls[request] = e.ID
		}
	case history.EventRaised:
		delete(r.calls, e.Name)
	case history.TaskCompleted, history.TaskFailed, history.TimerFired,
		history.SubOrchestrationInstanceCompleted, history.SubOrchestrationInstanceFailed:
		r.answered(e.TaskID)
	case history.ExecutionSuspended, history.ExecutionResumed:
		r.reason = history.ShownReason(e.Reason)
	case history.ExecutionTerminated:
		r.terminated = e
	case history.ExecutionCompleted:
		r.outcome = e
	case history.ContinueAsNew:
		r.continued = true
	case history.GenericEvent:
		r.rewound(e)
	}
}

func (r *record) asked(e *history.Event) {
	if w := r.rewinds; w != nil {
		if w.recorded[e.ID] {
			w.redone[e.ID]++
		}
		w.recorded[e.ID] = true
	}
	r.forget(e.ID)
	known := e.ID < r.sent && r.redone(e.ID) == 0
	if known && isOneWay(e) {
		return
	}
	r.actions[e.ID] = &action{event: e, lease: e.Own.Lease}
	switch {
	case e.Type == history.TimerCreated:
		r.timers[e.ID] = e.FireAt
	case !isOneWay(e):
		r.work++
	}
	if e.Type != history.TaskScheduled && !known {
		r.unsent[e.ID] = true
	}
}

// answered forgets an action that has its answer.
func (r *record) answered(id int32) { r.forget(id) }

func (r *record) forget(id int32) {
	a := r.actions[id]
	if a == nil {
		return
	}
	a.stop(nil)
	delete(r.actions, id)
	delete(r.unsent, id)
	delete(r.spilled, id)
	if _, timer := r.timers[id]; timer {
		delete(r.timers, id)
	} else if !isOneWay(a.event) {
		r.work--
	}
}

// markSent notes that the message of an action is on its way. One that nobody answers
// is done with then.
func (r *record) markSent(id int32) {
	delete(r.unsent, id)
	if a := r.actions[id]; a != nil && isOneWay(a.event) {
		r.forget(id)
	}
}

// spill notes that an open activity is in a message of its own.
func (r *record) spill(id int32) {
	if a := r.actions[id]; a != nil && a.event.Type == history.TaskScheduled {
		r.spilled[id] = true
	}
}

// unspill notes that an activity is in no message of its own any more, and reports
// whether it was.
func (r *record) unspill(id int32) bool {
	was := r.spilled[id]
	delete(r.spilled, id)
	return was
}

// unsend notes that the message of an action may not be on its way.
func (r *record) unsend(id int32) { r.unsent[id] = true }

// rewound takes note of what a rewind has left of an event.
func (r *record) rewound(e *history.Event) {
	if r.rewinds == nil {
		r.rewinds = &rewinds{recorded: map[int32]bool{}, redone: map[int32]int{}}
	}
	if e.ID != history.NoID {
		r.rewinds.redone[e.ID]++
	}
	if string(e.Reason) != rewoundEnd {
		return
	}
	r.rewinds.at = len(r.events)
	r.rewinds.times++
	// What was open when the execution ended has lost its lease with it: results
	// that came after the end were dropped. Children go on, and are asked for by
	// who rewinds them.
	for id, a := range r.actions {
		if a.event.Type == history.TaskScheduled || a.event.Type == history.TimerCreated {
			a.lease = ""
			r.rewinds.redone[id]++
			delete(r.spilled, id)
			if a.event.Type == history.TimerCreated {
				r.unsent[id] = true
			}
		}
	}
}

// rewoundEnd is the reason of the event that ended an execution once a rewind has
// taken it back.
const rewoundEnd = "Rewound: ExecutionCompleted"

// redone is how often an action was taken out of the history or recorded anew.
func (r *record) redone(id int32) int {
	if r.rewinds == nil {
		return 0
	}
	return r.rewinds.redone[id]
}

func isOneWay(e *history.Event) bool { return e.Type == history.EventSent || history.IsDetached(e) }

// inherit takes over what this process does about the actions of an earlier record
// of the same execution.
func (r *record) inherit(old *record) {
	for id, was := range old.actions {
		a := r.actions[id]
		if a == nil || r.redone(id) != old.redone(id) {
			was.stop(activity.ErrAbandoned)
			continue
		}
		a.inherit(was)
		if !old.unsent[id] {
			r.markSent(id)
		}
		if old.spilled[id] {
			r.spill(id)
		}
	}
	old.actions = nil
}

// open reports whether the process that holds the lease next would find something to
// do in the history.
func (r *record) open(lease string) bool {
	for _, a := range r.actions {
		if a.lease == lease {
			return true
		}
	}
	return false
}

// children are the recorded children whose end is not known. One that was recorded
// after a rewind takes the place of what had its id.
func (r *record) children() (open []*history.Event) {
	for _, id := range slices.Sorted(maps.Keys(r.actions)) {
		if e := r.actions[id].event; e.Type == history.SubOrchestrationInstanceCreated && !history.IsDetached(e) {
			open = append(open, e)
		}
	}
	return open
}

// owed are the actions whose messages may not be on their way, in the order in which
// the code asked for them.
func (r *record) owed() (events []*history.Event) {
	for _, id := range slices.Sorted(maps.Keys(r.unsent)) {
		events = append(events, r.actions[id].event)
	}
	return events
}

// projection is what the history says of an execution once a draft is in it.
type projection struct {
	started, outcome *history.Event
	awaits           taskhub.Awaits
	spilled          []taskhub.Range
	sent             int32
}

// project says what the history will say with the events, which it does not apply:
// their commit may fail.
func (r *record) project(events []*history.Event) projection {
	p := projection{started: r.started, outcome: r.outcome, sent: r.sentBelow()}
	work := r.work + len(r.calls)
	answered := map[int32]bool{}
	timers := maps.Clone(r.timers)
	for _, e := range events {
		switch e.Type {
		case history.ExecutionStarted:
			p.started = e
		case history.ExecutionCompleted:
			p.outcome = e
		case history.TimerCreated:
			timers[e.ID] = e.FireAt
		case history.TaskScheduled, history.SubOrchestrationInstanceCreated:
			if !isOneWay(e) {
				work++
			}
		case history.TaskCompleted, history.TaskFailed, history.SubOrchestrationInstanceCompleted, history.SubOrchestrationInstanceFailed:
			work--
			answered[e.TaskID] = true
		case history.TimerFired:
			delete(timers, e.TaskID)
		case history.EventSent:
			if _, called := (sections{}).note(e); called {
				work++
			}
		case history.EventRaised:
			if _, open := r.calls[e.Name]; open {
				work--
			}
		}
	}
	p.awaits.Work = work > 0
	for _, due := range timers {
		if p.awaits.Until.IsZero() || due.Before(p.awaits.Until) {
			p.awaits.Until = due
		}
	}
	p.spilled = r.ranges(answered)
	return p
}

// sentBelow is the id below which the effects of all actions are on their way.
func (r *record) sentBelow() int32 {
	below := r.next
	for id := range r.unsent {
		below = min(below, id)
	}
	return below
}

// maxRanges bounds what a commit says of spilled activities: its column has a bound.
const maxRanges = 1000

// ranges are the spilled activities that have no answer. A range may hold ids that
// are no open activity, which mean nothing to who reads it: so they stay few.
func (r *record) ranges(answered map[int32]bool) (ranges []taskhub.Range) {
	for _, id := range slices.Sorted(maps.Keys(r.spilled)) {
		if answered[id] {
			continue
		}
		if n := len(ranges); n > 0 && r.joins(ranges[n-1].Last, id) {
			ranges[n-1].Last = id
			continue
		}
		ranges = append(ranges, taskhub.Range{First: id, Last: id})
	}
	return ranges
}

// joins reports whether no activity between two spilled ones is open and not spilled.
func (r *record) joins(last, id int32) bool {
	for between := last + 1; between < id; between++ {
		if a := r.actions[between]; a != nil && a.event.Type == history.TaskScheduled && !r.spilled[between] {
			return false
		}
	}
	return true
}

// noteCustom records the custom status with the end of a turn: any process can
// bring the instance row up to date with it.
func noteCustom(events []*history.Event, value history.Payload) {
	for _, e := range slices.Backward(events) {
		if e.Type == history.OrchestratorCompleted {
			history.SetCustomStatus(e, value)
			return
		}
	}
}
