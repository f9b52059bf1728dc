package engine

import (
	"cmp"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// Kind is what an instance waits for.
type Kind string

// The kinds of waits.
const (
	ForActivity      Kind = "activity"
	ForOrchestration Kind = "orchestration"
	ForTimer         Kind = "timer"
	ForEvent         Kind = "event"
	ForEntity        Kind = "entity"
)

// Wait is one thing that an instance waits for.
type Wait struct {
	Kind Kind
	// Name of the activity, the orchestrator, the event, or the operation of an entity
	// ("lock" for its lock); empty for a timer.
	Name string
	// ID of the action; history.NoID for an event without a timeout.
	ID int32
	// InstanceID of the orchestration or the entity that is waited for.
	InstanceID string
	// Since is the clock of the turn in which the code has asked for it: of a call
	// that is repeated, for this attempt.
	Since time.Time
	// Due is when a timer fires, and when a wait for an event times out; zero where
	// there is no such time.
	Due time.Time
	// Place is the line of the code that waits for it, as folder/file:line. It is
	// empty for what nothing waits for at the moment (a task that is awaited later
	// or never), and where the code is not in memory.
	Place string
}

// Waits returns what a running instance waits for, in the order of the times at
// which that began. It changes nothing, and finds the lines of the code only when it is
// called: some microseconds for each branch. Like all of an Instance it must not
// be called during another call.
func (i *Instance) Waits() []Wait {
	if i.started == nil || i.outcome != nil || i.rt.ended || i.lost() {
		return nil
	}
	l := &lines{rt: &i.rt, of: map[*fiber]string{}}
	var waits []Wait
	seen := map[*eventWait]bool{}
	for _, a := range i.actions.list {
		if a.event == nil {
			continue
		}
		w := waitOf(&a)
		if a.task != nil {
			task := a.task.belongsTo()
			if event, ok := task.what.(*eventWait); ok {
				seen[event] = true
				w.Kind, w.Name, w.Since, w.Due = ForEvent, event.name, event.since, event.until
			}
			w.Place = l.find(task)
		}
		waits = append(waits, w)
	}
	if i.rt.events != nil {
		for _, list := range i.rt.events.waiting {
			for _, event := range list {
				if !seen[event] {
					waits = append(waits, Wait{Kind: ForEvent, Name: event.name, ID: history.NoID, Since: event.since, Place: l.find(event.task)})
				}
			}
		}
	}
	waits = append(waits, i.rt.entities.waits(l)...)
	slices.SortFunc(waits, func(a, b Wait) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Place, b.Place))
	})
	return waits
}

// waitOf is a wait for an open action, as the history knows it.
func waitOf(a *action) Wait {
	w := Wait{Kind: ForActivity, Name: a.event.Name, ID: a.id, Since: a.event.Timestamp}
	switch a.event.Type {
	case history.SubOrchestrationInstanceCreated:
		w.Kind, w.InstanceID = ForOrchestration, a.event.InstanceID
	case history.TimerCreated:
		w.Kind, w.Due = ForTimer, a.event.FireAt
		if a.task == nil {
			break
		}
		hop := a.task
		if of, ok := hop.what.(*whole); ok {
			hop = (*Task)(of)
		}
		if long, ok := hop.what.(*longTimer); ok {
			w.Since, w.Due = long.since, long.due
		}
	}
	return w
}

// lines are the places of fibers, each asked once.
type lines struct {
	rt *Runtime
	of map[*fiber]string
}

// find is where the code waits for a task.
func (l *lines) find(t *Task) string {
	watchers := []watcher{t.first}
	if t.rest != nil {
		watchers = append(watchers, *t.rest...)
	}
	for _, w := range watchers {
		var fb *fiber
		switch w := w.(type) {
		case *waiting:
			fb = (*fiber)(w)
		case *Group:
			fb = w.fiber
		}
		if fb == nil {
			continue
		}
		if _, asked := l.of[fb]; !asked {
			l.of[fb] = l.rt.placeOf(fb).String()
		}
		return l.of[fb]
	}
	return ""
}

// Delay is how long a timer is to be waited for, from the turn that has asked for
// it on: by the clock of the turn, which is that of the process that made it. Who
// dispatches the timer for the first time counts from there, so that clocks that
// differ between processes do not matter.
func Delay(timer *history.Event) time.Duration {
	return max(timer.FireAt.Sub(timer.Timestamp), 0)
}
