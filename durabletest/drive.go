package durabletest

import (
	"slices"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

// projected is what the API says of an event beside the event: which action it
// is, or is the end of, and since when.
type projected struct {
	kind      history.Type
	name      string
	scheduled time.Time
	// place is that of the event.
	place int
	// asked means that the code has asked for the action, under id.
	asked bool
	id    int32
}

// drive runs the code and gives it the events that the API shows, one after the
// other. What it asks for must be among what the history has.
func (r *record) drive(o engine.Options) error {
	wanted := r.actions()
	markers := map[string][]history.Payload{}
	for n, p := range r.projected {
		if p.kind == history.TaskScheduled && engine.IsMarker(&history.Event{Type: p.kind, Name: p.name}) {
			markers[p.name] = append(markers[p.name], r.events[n].Result)
		}
	}
	o.Recorded = func(name string) (history.Payload, bool) {
		values := markers[name]
		if len(values) == 0 {
			return nil, false
		}
		markers[name] = values[1:]
		return values[0], true
	}
	i := engine.New(o)
	defer i.Close()
	alarm := giveUpLater(i)
	defer alarm.Stop()
	for n := range r.events {
		alarm.Reset(patience)
		if err := r.step(i, wanted, n); err != nil {
			return err
		}
	}
	for _, p := range r.byTime() {
		if !p.asked && !engine.IsMarker(&history.Event{Type: p.kind, Name: p.name}) {
			return r.mismatch(p.place, r.describe(p), nothing)
		}
	}
	return nil
}

// byTime are the actions of the history in the order in which they were asked
// for, as far as it can be known.
func (r *record) byTime() []*projected {
	var out []*projected
	for n := range r.projected {
		if p := &r.projected[n]; p.name != "" || p.kind == history.TimerCreated {
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(a, b *projected) int { return a.scheduled.Compare(b.scheduled) })
	return out
}

// actions are those of one kind and name, the first one first.
func (r *record) actions() map[string][]*projected {
	out := map[string][]*projected{}
	for _, p := range r.byTime() {
		out[key(p.kind, p.name)] = append(out[key(p.kind, p.name)], p)
	}
	return out
}

func key(kind history.Type, name string) string { return kind.String() + " " + strings.ToLower(name) }

func (r *record) describe(p *projected) string {
	return engine.Describe(&history.Event{Type: p.kind, Name: p.name, InstanceID: r.events[p.place].InstanceID})
}

// step gives the code one event.
func (r *record) step(i *engine.Instance, wanted map[string][]*projected, n int) error {
	e := r.events[n]
	switch e.Type {
	case history.TaskScheduled, history.SubOrchestrationInstanceCreated, history.TimerCreated, history.EventSent, history.GenericEvent:
		return nil
	case history.ExecutionCompleted, history.ContinueAsNew:
		if i.Outcome() == nil && e.Status != history.Terminated {
			return r.mismatch(n, engine.Describe(e), nothing)
		}
		return nil
	}
	p := &r.projected[n]
	if e.Type == history.TimerFired {
		p = r.timer(e)
	}
	if p == nil || engine.IsMarker(&history.Event{Type: p.kind, Name: p.name}) {
		return nil
	}
	if p.kind != history.ExecutionStarted {
		if !p.asked {
			return r.mismatch(n, r.describe(p), nothing)
		}
		e.TaskID = p.id
	}
	t, err := i.Turn(e.Timestamp, []*history.Event{e})
	if err != nil {
		return err
	}
	return r.compare(t.Events, wanted, n)
}

// timer finds the timer that fired. Its end is noted so that the next one of the
// same time is another.
func (r *record) timer(fired *history.Event) *projected {
	for n := range r.projected {
		p := &r.projected[n]
		if p.kind == history.TimerCreated && r.events[p.place].FireAt.Equal(fired.FireAt) && r.events[p.place].TaskID == 0 {
			r.events[p.place].TaskID = 1
			return p
		}
	}
	return nil
}

// compare looks for what the code has asked for in what the history has.
func (r *record) compare(asked []*history.Event, wanted map[string][]*projected, n int) error {
	for _, e := range asked {
		if e.ID == history.NoID || engine.IsMarker(e) {
			continue
		}
		if e.Type == history.ExecutionCompleted || e.Type == history.ContinueAsNew {
			if last := r.events[len(r.events)-1]; last.Type != e.Type {
				return r.mismatch(n+1, nothing, engine.Describe(e))
			}
			continue
		}
		k := key(e.Type, e.Name)
		if len(wanted[k]) == 0 {
			return r.mismatch(n+1, nothing, engine.Describe(e))
		}
		wanted[k][0].asked, wanted[k][0].id = true, e.ID
		wanted[k] = wanted[k][1:]
	}
	return nil
}
