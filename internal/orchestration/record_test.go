package orchestration

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// Events of a history, with the lease under which an action was recorded.
func asked(kind history.Type, id int32, lease string) *history.Event {
	e := &history.Event{Type: kind, ID: id, InstanceID: fmt.Sprint("other", id), FireAt: noon.Add(time.Duration(id) * time.Minute)}
	e.Own.Lease = lease
	return e
}

func task(id int32) *history.Event  { return asked(history.TaskScheduled, id, "l") }
func alert(id int32) *history.Event { return asked(history.TimerCreated, id, "l") }
func child(id int32) *history.Event { return asked(history.SubOrchestrationInstanceCreated, id, "l") }
func event(id int32) *history.Event { return asked(history.EventSent, id, "l") }

func orphan(id int32) *history.Event {
	e := child(id)
	e.Tags = map[string]string{history.FireAndForget: ""}
	return e
}

func answer(kind history.Type, id int32) *history.Event {
	return &history.Event{Type: kind, ID: history.NoID, TaskID: id}
}

func begun() *history.Event { return &history.Event{Type: history.ExecutionStarted, ID: history.NoID} }

func ended(status history.Status) *history.Event {
	return &history.Event{Type: history.ExecutionCompleted, ID: 100, Status: status}
}

func rewound(what string, id int32) *history.Event {
	return &history.Event{Type: history.GenericEvent, ID: id, Reason: history.Payload("Rewound: " + what)}
}

func TestRecordIsAFunctionOfItsEvents(t *testing.T) {
	for name, test := range map[string]struct {
		events  []*history.Event
		spilled []taskhub.Range
		sent    int32 // what the sentinel says
		// What the record knows: the open actions, those whose message may not be on
		// its way, those in work items, whether others work for it, the ids below
		// which all is sent.
		open, unsent, spills []int32
		work                 bool
		below                int32
	}{
		"nothing":                    {},
		"started":                    {events: []*history.Event{begun()}},
		"an activity":                {events: []*history.Event{task(0)}, open: []int32{0}, work: true, below: 1},
		"an activity that ended":     {events: []*history.Event{task(0), answer(history.TaskCompleted, 0)}, below: 1},
		"one that failed":            {events: []*history.Event{task(0), answer(history.TaskFailed, 0)}, below: 1},
		"a timer":                    {events: []*history.Event{alert(0)}, open: []int32{0}, unsent: []int32{0}},
		"a timer that was sent":      {events: []*history.Event{alert(0)}, sent: 1, open: []int32{0}, below: 1},
		"a timer that fired":         {events: []*history.Event{alert(0), answer(history.TimerFired, 0)}, below: 1},
		"a child":                    {events: []*history.Event{child(0)}, open: []int32{0}, unsent: []int32{0}, work: true},
		"a child that ended":         {events: []*history.Event{child(0), answer(history.SubOrchestrationInstanceFailed, 0)}, below: 1},
		"an event":                   {events: []*history.Event{event(0)}, open: []int32{0}, unsent: []int32{0}},
		"an event that was sent":     {events: []*history.Event{event(0)}, sent: 1, below: 1},
		"an orchestration to itself": {events: []*history.Event{orphan(0)}, open: []int32{0}, unsent: []int32{0}},
		"one that was sent":          {events: []*history.Event{orphan(0)}, sent: 1, below: 1},
		"several": {
			events: []*history.Event{task(0), alert(1), child(2), event(3), answer(history.TimerFired, 1)}, sent: 2,
			open: []int32{0, 2, 3}, unsent: []int32{2, 3}, work: true, below: 2,
		},
		"spilled": {
			events: []*history.Event{task(0), alert(1), task(2), task(3), answer(history.TaskCompleted, 3)}, sent: 4, spilled: []taskhub.Range{{First: 0, Last: 3}},
			open: []int32{0, 1, 2}, spills: []int32{0, 2}, work: true, below: 4,
		},
		"an answer that comes twice": {events: []*history.Event{task(0), answer(history.TaskCompleted, 0), answer(history.TaskCompleted, 0)}, below: 1},
		"an answer to nothing":       {events: []*history.Event{answer(history.TaskCompleted, 7)}},
		"what was open at the end is asked for anew after a rewind": {
			events: []*history.Event{task(0), alert(1), child(2), rewound("ExecutionCompleted", 3)}, sent: 3, spilled: nil,
			open: []int32{0, 1, 2}, unsent: []int32{1}, work: true, below: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecord(taskhub.Fence{State: taskhub.State{Sent: test.sent}})
			r.apply(test.events, test.spilled)
			check(t, "open", keys(r.actions), test.open)
			check(t, "unsent", keys(r.unsent), test.unsent)
			check(t, "spilled", keys(r.spilled), test.spills)
			if got := r.project(nil).awaits.Work; got != test.work {
				t.Errorf("awaits work: %v", got)
			}
			if got := r.sentBelow(); got != test.below {
				t.Errorf("sent below %d, want %d", got, test.below)
			}
			// One event after the other is the same as all at once.
			one := newRecord(taskhub.Fence{State: taskhub.State{Sent: test.sent}})
			for _, e := range test.events {
				one.apply([]*history.Event{e}, nil)
			}
			one.apply(nil, test.spilled)
			check(t, "open, one by one", keys(one.actions), test.open)
			if one.work != r.work || !maps.Equal(one.unsent, r.unsent) || !maps.Equal(one.timers, r.timers) {
				t.Errorf("one by one it is %+v, at once %+v", one, r)
			}
		})
	}
}

func keys[V any](m map[int32]V) []int32 { return slices.Sorted(maps.Keys(m)) }

func check(t *testing.T, what string, got, want []int32) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// What a commit says of the history is what the record says once it has the events.
func TestProjectIsTheRecordAfterTheCommit(t *testing.T) {
	for name, test := range map[string]struct {
		before, draft []*history.Event
		want          taskhub.Awaits
		outcome       history.Status
	}{
		"nothing":                    {},
		"an activity is asked for":   {draft: []*history.Event{task(0)}, want: taskhub.Awaits{Work: true}},
		"an activity ends":           {before: []*history.Event{task(0)}, draft: []*history.Event{answer(history.TaskCompleted, 0)}},
		"asked for and ended":        {draft: []*history.Event{task(0), answer(history.TaskFailed, 0)}},
		"one of two ends":            {before: []*history.Event{task(0), child(1)}, draft: []*history.Event{answer(history.TaskFailed, 0)}, want: taskhub.Awaits{Work: true}},
		"a timer":                    {draft: []*history.Event{alert(5)}, want: taskhub.Awaits{Until: noon.Add(5 * time.Minute)}},
		"the earliest timer":         {before: []*history.Event{alert(5)}, draft: []*history.Event{alert(6)}, want: taskhub.Awaits{Until: noon.Add(5 * time.Minute)}},
		"the next timer":             {before: []*history.Event{alert(5), alert(6)}, draft: []*history.Event{answer(history.TimerFired, 5)}, want: taskhub.Awaits{Until: noon.Add(6 * time.Minute)}},
		"an event is sent":           {draft: []*history.Event{event(0)}},
		"an orchestration to itself": {draft: []*history.Event{orphan(0)}},
		"the end":                    {before: []*history.Event{begun(), task(0)}, draft: []*history.Event{answer(history.TaskCompleted, 0), ended(history.Completed)}, outcome: history.Completed},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecord(taskhub.Fence{})
			r.apply(test.before, nil)
			p := r.project(test.draft)
			if p.awaits != test.want {
				t.Errorf("awaits %+v, want %+v", p.awaits, test.want)
			}
			if p.outcome != nil && p.outcome.Status != test.outcome || p.outcome == nil && test.outcome != history.Status(0) {
				t.Errorf("outcome %+v", p.outcome)
			}
			if len(r.events) != len(test.before) {
				t.Error("it has applied the draft")
			}
			r.apply(test.draft, nil)
			if after := r.project(nil); after.awaits != p.awaits || after.outcome != p.outcome || after.started != p.started {
				t.Errorf("after the commit it is %+v, said was %+v", after, p)
			}
		})
	}
}

// What a commit says of spilled activities are few ranges, which only span what is no
// open activity: reading them gives the same ones.
func TestRangesOfSpilledActivities(t *testing.T) {
	for name, test := range map[string]struct {
		events   []*history.Event
		spilled  []int32
		answered map[int32]bool
		want     []taskhub.Range
	}{
		"none":                     {events: []*history.Event{task(0)}},
		"neighbours":               {events: []*history.Event{task(0), task(1), task(2)}, spilled: []int32{0, 1, 2}, want: []taskhub.Range{{First: 0, Last: 2}}},
		"over other actions":       {events: []*history.Event{task(0), alert(1), task(2), child(3), task(4)}, spilled: []int32{0, 2, 4}, want: []taskhub.Range{{First: 0, Last: 4}}},
		"over ended ones":          {events: []*history.Event{task(0), task(1), task(2), answer(history.TaskCompleted, 1)}, spilled: []int32{0, 2}, want: []taskhub.Range{{First: 0, Last: 2}}},
		"not over one that is not": {events: []*history.Event{task(0), task(1), task(2)}, spilled: []int32{0, 2}, want: []taskhub.Range{{First: 0, Last: 0}, {First: 2, Last: 2}}},
		"an answer in the draft":   {events: []*history.Event{task(0), task(1)}, spilled: []int32{0, 1}, answered: map[int32]bool{0: true}, want: []taskhub.Range{{First: 1, Last: 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecord(taskhub.Fence{})
			r.apply(test.events, nil)
			for _, id := range test.spilled {
				r.spill(id)
			}
			got := r.ranges(test.answered)
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
			again := newRecord(taskhub.Fence{})
			again.apply(test.events, r.ranges(nil))
			check(t, "read again", keys(again.spilled), keys(r.spilled))
		})
	}
}

// The next holder of a message finds work where an open action was recorded under it.
func TestOpenUnderALease(t *testing.T) {
	r := newRecord(taskhub.Fence{})
	r.apply([]*history.Event{asked(history.TaskScheduled, 0, "a"), asked(history.TimerCreated, 1, "b"), answer(history.TaskCompleted, 0)}, nil)
	for lease, want := range map[string]bool{"a": false, "b": true, "c": false} {
		if r.open(lease) != want {
			t.Errorf("open(%q) is %v", lease, !want)
		}
	}
}

// Events to one instance go together, in their order; all else goes alone.
func TestByTarget(t *testing.T) {
	to := func(id int32, target string) *history.Event {
		e := event(id)
		e.InstanceID = target
		return e
	}
	for name, test := range map[string]struct {
		effects []*history.Event
		want    string
	}{
		"nothing":                          {want: "[]"},
		"timers and a child":               {[]*history.Event{alert(0), child(1), alert(2)}, "[[0] [1] [2]]"},
		"events to one":                    {[]*history.Event{to(0, "a"), to(1, "a"), to(2, "a")}, "[[0 1 2]]"},
		"events to two":                    {[]*history.Event{to(0, "a"), to(1, "b"), to(2, "a"), to(3, "b")}, "[[0 2] [1 3]]"},
		"an event and a child of one name": {[]*history.Event{to(0, "other1"), child(1), to(2, "other1")}, "[[0 2] [1]]"},
	} {
		var ids [][]int32
		for _, group := range byTarget(test.effects) {
			var of []int32
			for _, e := range group {
				of = append(of, e.ID)
			}
			ids = append(ids, of)
		}
		if got := fmt.Sprint(ids); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}
