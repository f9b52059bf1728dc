package taskhubtest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// unstorable are times that tables do not keep, beside the zero time.
var unstorable = []time.Time{
	time.Date(1600, 12, 31, 23, 59, 59, 0, time.UTC),
	time.Date(-3, 1, 1, 0, 0, 0, 0, time.UTC),
	time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
}

// refusedTimes: what the store can never keep is refused for good, and leaves
// nothing.
func refusedTimes(t *testing.T, h Harness) {
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, taskhub.ErrRefused) {
			t.Errorf("%s: %v", what, err)
		}
	}
	r := row("a'b")
	must(t, h.Store.Insert(t.Context(), r))
	fence := apply(t, h, commit(taskhub.Fence{}, "n1", results(0, 1)...))
	for _, at := range unstorable {
		timer := &history.Event{Type: history.TimerCreated, ID: 1, Timestamp: moment, FireAt: at}
		started := &history.Event{Type: history.ExecutionStarted, ID: history.NoID, Timestamp: moment, Name: "O", ScheduledStart: at}
		late := &history.Event{Type: history.TimerFired, ID: history.NoID, Timestamp: at, FireAt: moment}
		for _, e := range []*history.Event{timer, started, late} {
			_, err := h.Store.Commit(t.Context(), commit(fence, "n2", append(results(1, 2), e)...))
			refused(e.Type.String()+" at "+at.String(), err)
		}
		next := row("b")
		next.Scheduled = at
		refused("insert", h.Store.Insert(t.Context(), next))
		next.ID = "a'b"
		refused("replace", h.Store.Replace(t.Context(), next, r.ETag))
		_, err := h.Store.Merge(t.Context(), "a'b", taskhub.Change{ETag: r.ETag, Completed: &at})
		refused("merge", err)
	}
	sameEvents(t, load(t, h, 0).Events, results(0, 1))
	if got := value(h.Store.Instance(t.Context(), "a'b"))(t); got.ETag != r.ETag {
		t.Errorf("the row was changed: %+v", got)
	}
	if _, err := h.Store.Instance(t.Context(), "b"); !errors.Is(err, taskhub.ErrNotFound) {
		t.Errorf("the row that was refused: %v", err)
	}
}

// keptTimes are the first and the last that tables keep, and none at all.
func keptTimes(t *testing.T, h Harness) {
	for _, at := range []time.Time{history.MinTime, history.MaxTime} {
		r := row(at.Format("2006"))
		r.Scheduled, r.Completed = at, at
		must(t, h.Store.Insert(t.Context(), r))
		if got := value(h.Store.Instance(t.Context(), r.ID))(t); !got.Scheduled.Equal(at) || !got.Completed.Equal(at) {
			t.Errorf("%v came as %v and %v", at, got.Scheduled, got.Completed)
		}
	}
	r := row("none")
	r.Created, r.Updated = time.Time{}, time.Time{}
	must(t, h.Store.Insert(t.Context(), r))
	if got := value(h.Store.Instance(t.Context(), "none"))(t); !got.Created.IsZero() || !got.Updated.IsZero() {
		t.Errorf("no time came as %v and %v", got.Created, got.Updated)
	}
	for _, q := range []taskhub.Query{{CreatedFrom: time.Date(1200, 1, 1, 0, 0, 0, 0, time.UTC)}, {CreatedTo: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)}} {
		if rows, _ := all(t, h, q); len(rows) < 2 {
			t.Errorf("created from %v to %v: %v", q.CreatedFrom, q.CreatedTo, ids(rows))
		}
	}
}

// refusedNames do not fit a column, and names have no other place.
func refusedNames(t *testing.T, h Harness) {
	long := strings.Repeat("é", taskhub.MaxText+1)
	status := history.Payload(long)
	r := row("i")
	must(t, h.Store.Insert(t.Context(), r))
	for what, err := range map[string]error{
		"name": h.Store.Insert(t.Context(), &taskhub.Instance{ID: "j", ExecutionID: "x", Name: long}),
		"custom status": func() error {
			_, err := h.Store.Merge(t.Context(), "i", taskhub.Change{CustomStatus: &status})
			return err
		}(),
		"event": func() error {
			_, err := h.Store.Commit(t.Context(), commit(taskhub.Fence{}, "n", &history.Event{Type: history.EventRaised, ID: history.NoID, Timestamp: moment, Name: long}))
			return err
		}(),
	} {
		if !errors.Is(err, taskhub.ErrRefused) {
			t.Errorf("%s: %v", what, err)
		}
	}
	// Letters of one byte: the emulator damages others where it reads in pieces.
	most := taskhub.MaxText
	if h.Encodes {
		most = history.MaxCustomStatus / 2 // what an app may set, in any form
	}
	fits := history.Payload(strings.Repeat("x", most))
	value(h.Store.Merge(t.Context(), "i", taskhub.Change{CustomStatus: &fits}))(t)
}

// rowKeys of an execution are not those of another one of the same id, so that
// what is still on its way to the rows of the first does not meet the second.
func rowKeys(t *testing.T, h Harness) {
	r := row("a'b")
	must(t, h.Store.Insert(t.Context(), r))
	first := apply(t, h, commit(taskhub.Fence{}, "n1", results(0, 5)...))
	value(h.Store.Purge(t.Context(), "a'b", r.ETag))(t)
	must(t, h.Store.Insert(t.Context(), row("a'b")))
	c := commit(taskhub.Fence{}, "n2", results(0, 5)...)
	c.ExecutionID = "x2"
	second := apply(t, h, c)
	if taskhub.SameStart(first.FirstRow, second.FirstRow) {
		t.Errorf("two executions have rows from %x and %x on", first.FirstRow, second.FirstRow)
	}
	c = commit(second, "n3", results(5, 5)...)
	c.ExecutionID, c.NewExecution = "x3", true
	if third := apply(t, h, c); third.FirstRow != second.NextRow {
		t.Errorf("after continue-as-new rows begin at %x, want %x", third.FirstRow, second.NextRow)
	}
}
