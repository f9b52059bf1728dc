package orchestration

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/executor"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/journal"
	"github.com/durable-go/functions/internal/lease"
	"github.com/durable-go/functions/internal/mail"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/memory"
)

// newInstance is the orchestration "x" with the execution "e", of which nothing has
// run, in a process that has no code.
func newInstance(events ...*history.Event) *Instance {
	log := slog.New(slog.DiscardHandler)
	exec := executor.New(executor.SystemClock{}, log)
	in := New(&Env{
		Sender: &mail.Sender{
			Exec:   exec,
			Keeper: &lease.Keeper{Store: memory.New(memory.Options{}), Exec: exec, Length: 30 * time.Second, Journal: journal.None, Log: log},
		},
		Log: log,
	}, "x")
	in.x = in.newExecution(taskhub.Fence{ExecutionID: "e"}, events)
	return in
}

// hold gives the orchestration a message that is hidden for so long.
func (in *Instance) hold(id string, look bool, hidden time.Duration) *lease.Lease {
	l := in.Keeper.Hold(taskhub.Delivery{
		Message: &taskhub.Message{ID: id, Event: &history.Event{Type: history.GenericEvent}},
		Lease:   &taskhub.Lease{MessageID: id, Until: time.Now().Add(hidden)},
	}, false)
	return in.custody.Take(l, look)
}

// A commit names as its lease a message whose next holder, coming before the commit,
// would find work in it, and no other.
func TestLeaseOfDraft(t *testing.T) {
	const long = time.Hour
	for name, test := range map[string]struct {
		events []*history.Event
		do     func(*Instance)
		want   string
	}{
		"none is held":            {do: func(*Instance) {}},
		"one that brings nothing": {do: func(in *Instance) { in.hold("a", false, long) }},
		"one that the commit takes in": {want: "b", do: func(in *Instance) {
			in.hold("a", false, long)
			in.x.draft.items = []Item{&Message{Lease: in.hold("b", false, long)}}
		}},
		"one that is past its time": {do: func(in *Instance) {
			in.x.draft.items = []Item{&Message{Lease: in.hold("a", false, 0)}}
		}},
		"one that was let go": {do: func(in *Instance) {
			l := in.hold("a", false, long)
			in.x.draft.items = []Item{&Message{Lease: l}}
			l.GiveBack(0)
		}},
		"a wake-up without rows": {do: func(in *Instance) { in.hold("a", true, long) }},
		"a wake-up whose rows are taken": {want: "b", do: func(in *Instance) {
			in.hold("a", false, long)
			in.hold("b", true, long)
			in.x.draft.takes = []take{{key: "row"}}
		}},
		"one that has an action open": {want: "b", events: []*history.Event{asked(history.TaskScheduled, 0, "b")}, do: func(in *Instance) {
			in.hold("a", false, long)
			in.hold("b", false, long)
		}},
		"one whose action has ended": {events: []*history.Event{asked(history.TaskScheduled, 0, "b"), answer(history.TaskCompleted, 0)}, do: func(in *Instance) {
			in.hold("b", false, long)
		}},
		"that of the execution before": {want: "b", do: func(in *Instance) {
			in.hold("a", false, long)
			in.hold("b", false, long)
			in.x.under = "b"
		}},
		"any, where the history goes on by itself": {want: "a", events: []*history.Event{{Type: history.ContinueAsNew, ID: 0}}, do: func(in *Instance) {
			in.hold("b", false, long)
			in.hold("a", false, long)
		}},
		"the same one each time": {want: "a", do: func(in *Instance) {
			for _, id := range []string{"c", "a", "b"} {
				in.x.draft.items = append(in.x.draft.items, &Message{Lease: in.hold(id, false, long)})
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in := newInstance(test.events...)
				test.do(in)
				got := ""
				if l := in.leaseOfDraft(); l != nil {
					got = l.ID
				}
				if got != test.want {
					t.Errorf("got %q, want %q", got, test.want)
				}
				in.custody.Drop()
				in.Exec.Cancel(errors.New("the test ends"))
			})
		})
	}
}

// rowOf is an inbox row of an event.
func rowOf(key string, kind history.Type, change func(*taskhub.InboxRow)) *taskhub.InboxRow {
	r := &taskhub.InboxRow{Key: key, Stored: noon, Telling: taskhub.Telling{ID: "id-" + key, Event: &history.Event{Type: kind, Name: key}}}
	if change != nil {
		change(r)
	}
	return r
}

// Rows are taken in their order. One that is for another execution, or that can never
// be read, leaves and brings nothing; one that cannot be read now holds up those
// behind it; what terminates is the last of its commit.
func TestTakeRows(t *testing.T) {
	raised := func(key string, change func(*taskhub.InboxRow)) *taskhub.InboxRow {
		return rowOf(key, history.EventRaised, change)
	}
	origin := func(id string) func(*taskhub.InboxRow) {
		return func(r *taskhub.InboxRow) { r.Telling.Origin = id }
	}
	fails := func(err error) func(*taskhub.InboxRow) { return func(r *taskhub.InboxRow) { r.Err = err } }
	var many []*taskhub.InboxRow
	for n := range maxTaken + 2 {
		many = append(many, raised(fmt.Sprint("m", n), nil))
	}
	for name, test := range map[string]struct {
		rows                []*taskhub.InboxRow
		over                time.Time
		events, takes, left int
		again, planned      bool
	}{
		"none":                      {},
		"two":                       {rows: []*taskhub.InboxRow{raised("a", nil), raised("b", origin("e"))}, events: 2, takes: 2},
		"of an earlier execution":   {rows: []*taskhub.InboxRow{raised("a", origin("before")), raised("b", nil)}, events: 1, takes: 2},
		"told before it started":    {rows: []*taskhub.InboxRow{raised("a", nil), raised("b", origin("e"))}, over: noon.Add(time.Second), events: 1, takes: 2},
		"that can never be read":    {rows: []*taskhub.InboxRow{raised("a", fails(taskhub.ErrPayloadGone)), raised("b", nil)}, events: 1, takes: 2},
		"that cannot be read now":   {rows: []*taskhub.InboxRow{raised("a", nil), raised("b", fails(taskhub.ErrUnread)), raised("c", nil)}, events: 1, takes: 1, planned: true},
		"what terminates is last":   {rows: []*taskhub.InboxRow{rowOf("a", history.ExecutionTerminated, nil), raised("b", nil)}, events: 1, takes: 1, left: 1, again: true},
		"as many as a commit takes": {rows: many, events: maxTaken, takes: maxTaken, left: 2},
	} {
		t.Run(name, func(t *testing.T) {
			in := newInstance()
			in.x.over, in.inbox.rows = test.over, test.rows
			events := in.takeRows()
			if len(events) != test.events || len(in.x.draft.takes) != test.takes || len(in.inbox.rows) != test.left {
				t.Errorf("%d events, %d takes, %d left", len(events), len(in.x.draft.takes), len(in.inbox.rows))
			}
			if in.inbox.again != test.again || in.inbox.next.IsZero() == test.planned {
				t.Errorf("again %v, next look at %v", in.inbox.again, in.inbox.next)
			}
			for _, e := range events {
				e := e.event
				if e.Own.Message != "id-"+e.Name || e.ID != history.NoID {
					t.Errorf("event %+v", e)
				}
			}
		})
	}
}
