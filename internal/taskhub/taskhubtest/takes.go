package taskhubtest

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// takeAll makes a commit that takes rows in, one event for each.
func takeAll(fence taskhub.Fence, nonce string, rows []*taskhub.InboxRow) *taskhub.Commit {
	c := commit(fence, nonce)
	for i, r := range rows {
		e := *r.Telling.Event
		e.Own.Message = r.Telling.ID
		c.Events = append(c.Events, &e)
		c.Takes = append(c.Takes, taskhub.Take{Key: r.Key, Event: i})
	}
	return c
}

func takes(t *testing.T, h Harness) {
	tell(t, h, events("s", 0, 5)...)
	rows := waiting(t, h, events("s", 0, 5)...)
	c := takeAll(taskhub.Fence{}, "n1", rows[:2])
	// A row that is for another execution leaves without an event.
	c.Takes = append(c.Takes, taskhub.Take{Key: rows[4].Key, Event: -1})
	fence := apply(t, h, c)
	if again := apply(t, h, c); !reflect.DeepEqual(again, fence) || fence.Number != 1 {
		t.Errorf("fence %+v, the first time %+v", again, fence)
	}
	sameEvents(t, load(t, h, 0).Events, c.Events)
	waiting(t, h, events("s", 2, 2)...)
	tell(t, h, events("s", 0, 5)...)
	waiting(t, h, events("s", 2, 2)...)
	// One event may take several rows in.
	next := commit(fence, "n2", results(7, 1)...)
	next.Takes = []taskhub.Take{{Key: rows[2].Key, Event: 0}, {Key: rows[3].Key, Event: 0}}
	apply(t, h, next)
	waiting(t, h)
	sameEvents(t, load(t, h, fence.NextRow).Events, results(7, 1))
}

// taken commits rows that are gone: nothing of the commit is applied.
func taken(t *testing.T, h Harness) {
	tell(t, h, events("s", 0, 4)...)
	rows := waiting(t, h, events("s", 0, 4)...)
	gone := func(c *taskhub.Commit) {
		t.Helper()
		if _, err := h.Store.Commit(t.Context(), c); !errors.Is(err, taskhub.ErrTaken) {
			t.Errorf("got %v, want ErrTaken", err)
		}
	}
	must(t, h.Store.Discard(t.Context(), "a'b", rows[1].Key))
	gone(takeAll(taskhub.Fence{}, "n1", rows))
	if got := load(t, h, 0); got.Fence.ETag != "" {
		t.Errorf("a commit that was refused made a history: %+v", got)
	}
	left := []*taskhub.InboxRow{rows[0], rows[2], rows[3]}
	fence := apply(t, h, takeAll(taskhub.Fence{}, "n2", left[:1]))
	gone(takeAll(fence, "n3", rows[1:2]))
	gone(takeAll(fence, "n4", []*taskhub.InboxRow{rows[2], rows[3], rows[0]}))
	dropping := commit(fence, "n5", results(1, 1)...)
	dropping.Takes = []taskhub.Take{{Key: rows[0].Key, Event: -1}}
	gone(dropping)
	// Also where the rows of a replaced execution leave in the same transaction.
	renewed := takeAll(fence, "n6", rows[1:3])
	renewed.ExecutionID, renewed.NewExecution = "x2", true
	gone(renewed)
	got := load(t, h, 0)
	if !reflect.DeepEqual(got.Fence, fence) || len(got.Events) != 1 {
		t.Errorf("after refused commits: %+v", got)
	}
	waiting(t, h, event("s", 2), event("s", 3))
	fence = apply(t, h, takeAll(fence, "n7", rows[2:3]))
	renewed = takeAll(fence, "n8", rows[3:])
	renewed.ExecutionID, renewed.NewExecution = "x2", true
	fence = apply(t, h, renewed)
	sameEvents(t, load(t, h, 0).Events, renewed.Events)
	if fence.ExecutionID != "x2" {
		t.Errorf("fence %+v", fence)
	}
	waiting(t, h)
}

// conflictBeforeTaken: a commit that lost its fence must load, not look.
func conflictBeforeTaken(t *testing.T, h Harness) {
	tell(t, h, events("s", 0, 3)...)
	rows := waiting(t, h, events("s", 0, 3)...)
	old := apply(t, h, takeAll(taskhub.Fence{}, "n1", rows[:1]))
	fence := apply(t, h, takeAll(old, "n2", rows[1:2]))
	if _, err := h.Store.Commit(t.Context(), takeAll(old, "n3", rows[1:2])); !errors.Is(err, taskhub.ErrConflict) {
		t.Errorf("the row that another commit took: %v", err)
	}
	if _, err := h.Store.Commit(t.Context(), takeAll(taskhub.Fence{}, "n4", rows[:1])); !errors.Is(err, taskhub.ErrConflict) {
		t.Errorf("a first commit after another: %v", err)
	}
	c := takeAll(fence, "n5", rows[2:])
	c.ExecutionID, c.NewExecution = "x2", true
	apply(t, h, c)
	if _, err := h.Store.Commit(t.Context(), takeAll(fence, "n6", rows[2:])); !errors.Is(err, taskhub.ErrGone) {
		t.Errorf("the row that the next execution took: %v", err)
	}
}

// takesWithLosses loses the answers of commits that take rows in.
func takesWithLosses(t *testing.T, h Harness) {
	if h.LoseAnswer == nil {
		t.Skip("this store gives every answer")
	}
	var fence taskhub.Fence
	var all []*history.Event
	for n, size := range []int{1, 60, 130} {
		tell(t, h, events(fmt.Sprint("s", n), 0, size)...)
		c := takeAll(fence, fmt.Sprint("n", n), look(t, h, taskhub.LookOptions{}).Rows)
		all = append(all, c.Events...)
		fence = applyWithLosses(t, h, c)
	}
	sameEvents(t, load(t, h, 0).Events, all)
	waiting(t, h)
}

// takesInChains need several transactions: the take of an event is in that of
// the event, and 49 events with one row each fill one.
func takesInChains(t *testing.T, h Harness) {
	tell(t, h, events("s", 0, 249)...)
	rows := waiting(t, h, events("s", 0, 249)...)
	fence := apply(t, h, takeAll(taskhub.Fence{}, "n1", rows[:49]))
	if fence.Number != 1 {
		t.Errorf("49 events with their rows took %d transactions", fence.Number)
	}
	c := takeAll(fence, "n2", rows[49:149])
	// 120 rows that are dropped need more than one transaction, too.
	for _, r := range rows[149:] {
		c.Takes = append(c.Takes, taskhub.Take{Key: r.Key, Event: -1})
	}
	fence = apply(t, h, c)
	if again := apply(t, h, c); !reflect.DeepEqual(again, fence) {
		t.Errorf("fence %+v, the first time %+v", again, fence)
	}
	sameEvents(t, load(t, h, 0).Events[49:], c.Events)
	waiting(t, h)
}

// takesCut ends the process at every request of a long commit: whichever events
// are in the history, their rows and no others have left the inbox. The same
// commit does the rest.
func takesCut(t *testing.T, h Harness) {
	commits := map[string]*taskhub.Commit{}
	begin := func(id string) {
		must(t, h.Store.Tell(t.Context(), id, events("s", 0, 120)...))
		rows := value(h.Store.Look(t.Context(), id, taskhub.LookOptions{}))(t).Rows
		c := takeAll(taskhub.Fence{}, "n"+id, rows)
		c.InstanceID = id
		commits[id] = c
	}
	call := func(id string) error {
		_, err := h.Store.Commit(t.Context(), commits[id])
		return err
	}
	check := func(id string) int {
		got := value(h.Store.Load(t.Context(), id, 0))(t)
		in := value(h.Store.Look(t.Context(), id, taskhub.LookOptions{}))(t)
		if len(got.Events)+len(in.Rows) != 120 {
			t.Errorf("%q: %d events and %d rows", id, len(got.Events), len(in.Rows))
		}
		sameEvents(t, got.Events, commits[id].Events[:len(got.Events)])
		return len(got.Events)
	}
	eachCut(t, h, "takes", begin, call, func(id string) {
		check(id)
		value(h.Store.Commit(t.Context(), commits[id]))(t)
		if n := check(id); n != 120 {
			t.Errorf("%q: %d events after the repetition", id, n)
		}
	})
}

// takesRefused are commits that no store can apply.
func takesRefused(t *testing.T, h Harness) {
	tell(t, h, events("s", 0, 120)...)
	rows := waiting(t, h, events("s", 0, 120)...)
	for name, list := range map[string][]taskhub.Take{
		"a row of a history":    {{Key: taskhub.RowKey(1), Event: 0}},
		"the sentinel":          {{Key: "sentinel", Event: -1}},
		"a receipt":             {{Key: taskhub.ReceiptKey(rows[0].Telling.ID), Event: -1}},
		"an event that is none": {{Key: rows[0].Key, Event: 1}},
		"one row twice":         {{Key: rows[0].Key, Event: 0}, {Key: rows[0].Key, Event: -1}},
		"too many rows":         takeAll(taskhub.Fence{}, "", rows).Takes,
	} {
		c := commit(taskhub.Fence{}, "n1", results(0, 1)...)
		c.Takes = list
		if name == "too many rows" {
			for i := range c.Takes {
				c.Takes[i].Event = 0
			}
		}
		if _, err := h.Store.Commit(t.Context(), c); !errors.Is(err, taskhub.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	waiting(t, h, events("s", 0, 120)...)
	if got := load(t, h, 0); got.Fence.ETag != "" {
		t.Errorf("%+v", got)
	}
}

// inboxIsNoHistory has rows before, between and after commits.
func inboxIsNoHistory(t *testing.T, h Harness) {
	tell(t, h, events("s", 0, 3)...)
	first := apply(t, h, commit(taskhub.Fence{}, "n1", results(0, 3)...))
	tell(t, h, control(history.ExecutionTerminated, 1))
	second := apply(t, h, commit(first, "n2", results(3, 2)...))
	got := load(t, h, 0)
	sameEvents(t, got.Events, results(0, 5))
	if !reflect.DeepEqual(got.Fence, second) {
		t.Errorf("fence %+v, want %+v", got.Fence, second)
	}
	sameEvents(t, load(t, h, first.NextRow).Events, results(3, 2))
	waiting(t, h, append([]*taskhub.Telling{control(history.ExecutionTerminated, 1)}, events("s", 0, 3)...)...)
}
