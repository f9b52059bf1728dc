package taskhubtest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// event makes telling n of a sender: an event with that number.
func event(sender string, n int) *taskhub.Telling {
	return &taskhub.Telling{
		ID: taskhub.GUID(sender, fmt.Sprint(n)), Sent: moment, Sequence: int64(n),
		Event: &history.Event{Type: history.EventRaised, ID: history.NoID, Name: "E", Input: history.Payload(fmt.Sprint(n)), Timestamp: moment},
	}
}

// control makes a telling of a control event.
func control(kind history.Type, n int) *taskhub.Telling {
	t := event(kind.String(), n)
	t.Event = &history.Event{Type: kind, ID: history.NoID, Timestamp: moment, Reason: history.Payload("because"), Own: history.Own{Options: history.Payload(taskhub.TerminateChildren)}}
	if kind == history.ExecutionTerminated {
		t.Event.Input, t.Event.Reason = t.Event.Reason, nil
	}
	return t
}

func events(sender string, first, n int) []*taskhub.Telling {
	out := make([]*taskhub.Telling, n)
	for i := range out {
		out[i] = event(sender, first+i)
	}
	return out
}

func tell(t *testing.T, h Harness, tellings ...*taskhub.Telling) {
	t.Helper()
	must(t, h.Store.Tell(t.Context(), "a'b", tellings...))
}

func look(t *testing.T, h Harness, o taskhub.LookOptions) *taskhub.Inbox {
	t.Helper()
	return value(h.Store.Look(t.Context(), "a'b", o))(t)
}

// waiting checks which tellings wait, and their order.
func waiting(t *testing.T, h Harness, want ...*taskhub.Telling) []*taskhub.InboxRow {
	t.Helper()
	in := look(t, h, taskhub.LookOptions{})
	if in.More || in.Waiting != len(want) || !in.NextDue.IsZero() {
		t.Errorf("waiting %d, more %v, next %v; want %d", in.Waiting, in.More, in.NextDue, len(want))
	}
	sameRows(t, in.Rows, want...)
	return in.Rows
}

func sameRows(t *testing.T, rows []*taskhub.InboxRow, want ...*taskhub.Telling) {
	t.Helper()
	if len(rows) != len(want) {
		t.Fatalf("%d rows, want %d", len(rows), len(want))
	}
	for i, r := range rows {
		must(t, r.Err)
		if !reflect.DeepEqual(&r.Telling, want[i]) {
			t.Fatalf("row %d:\ngot  %+v %+v\nwant %+v %+v", i, r.Telling, r.Telling.Event, want[i], want[i].Event)
		}
		if r.Stored.IsZero() || r.Control() != want[i].Control() {
			t.Errorf("row %d: %+v", i, r)
		}
	}
}

func keys(rows []*taskhub.InboxRow) (out []string) {
	for _, r := range rows {
		out = append(out, r.Key)
	}
	return out
}

func tellings(t *testing.T, h Harness) {
	waiting(t, h)
	full := event("s", 2)
	full.Origin, full.Sequence, full.Sent = "x1", -3, moment.Add(-time.Hour)
	full.Event.Name, full.Event.Input = `Ö'"`, history.Payload("{\"ü\":\"<&'\\\"\\n😀\"}")
	full.Event.Own.Options = history.Payload(`{"a":1}`)
	bare := event("s", 3)
	bare.Event.Input = nil
	tell(t, h, event("s", 1))
	h.Wait(5 * time.Millisecond)
	tell(t, h, full)
	h.Wait(5 * time.Millisecond)
	tell(t, h, bare)
	waiting(t, h, event("s", 1), full, bare)
	if got := load(t, h, 0); got.Fence.ETag != "" || len(got.Events) != 0 {
		t.Errorf("tellings made a history: %+v", got)
	}
	// A telling without a time of its own has that of its sender.
	timeless := event("timeless", 1)
	timeless.Event.Timestamp = time.Time{}
	must(t, h.Store.Tell(t.Context(), "other", timeless))
	rows := value(h.Store.Look(t.Context(), "other", taskhub.LookOptions{}))(t).Rows
	if len(rows) != 1 || !rows[0].Telling.Event.Timestamp.Equal(timeless.Sent) || !timeless.Event.Timestamp.IsZero() {
		t.Errorf("timeless: %+v", rows)
	}
}

// toldAgain repeats tellings: they are there once, also after they were taken.
func toldAgain(t *testing.T, h Harness) {
	first := events("s", 0, 3)
	tell(t, h, first...)
	tell(t, h, first...)
	waiting(t, h, first...)
	h.Wait(5 * time.Millisecond)
	mixed := []*taskhub.Telling{event("s", 10), first[0], event("s", 11), first[2], event("s", 10), event("s", 12)}
	tell(t, h, mixed...)
	tell(t, h, mixed...)
	rows := waiting(t, h, append(first, event("s", 10), event("s", 11), event("s", 12))...)
	must(t, h.Store.Discard(t.Context(), "a'b", keys(rows)...))
	tell(t, h, append(mixed, first...)...)
	waiting(t, h)
	// The receipt is by id alone.
	later := event("s", 0)
	later.Sent, later.Sequence = moment.Add(time.Minute), 9
	tell(t, h, later)
	waiting(t, h)
}

// toldMany needs several transactions.
func toldMany(t *testing.T, h Harness) {
	before := h.requests()
	tell(t, h, events("s", 0, taskhub.MaxTold)...)
	if n := h.requests() - before; h.Requests != nil && n != 1 {
		t.Errorf("%d tellings took %d requests", taskhub.MaxTold, n)
	}
	tell(t, h, events("s", taskhub.MaxTold, 120)...)
	waiting(t, h, events("s", 0, taskhub.MaxTold+120)...)
	before = h.requests()
	tell(t, h, events("s", 0, taskhub.MaxTold)...)
	if n := h.requests() - before; h.Requests != nil && n > 2 {
		t.Errorf("a repetition took %d requests", n)
	}
	tell(t, h)
}

// toldWithLosses loses the answer of each transaction.
func toldWithLosses(t *testing.T, h Harness) {
	if h.LoseAnswer == nil {
		t.Skip("this store gives every answer")
	}
	var want []*taskhub.Telling
	for i, n := range []int{1, 2, 49, 120} {
		next := events(fmt.Sprint("s", i), 1000*i, n)
		want = append(want, next...)
		err := errors.New("not tried")
		for try := 0; err != nil && try < 6; try++ {
			h.LoseAnswer()
			err = h.Store.Tell(t.Context(), "a'b", next...)
		}
		must(t, err)
	}
	rows := look(t, h, taskhub.LookOptions{}).Rows
	slices.SortFunc(rows, func(a, b *taskhub.InboxRow) int { return int(a.Telling.Sequence - b.Telling.Sequence) })
	sameRows(t, rows, want...)
}

// toldCut ends the process at every request of a Tell. It is repeated.
func toldCut(t *testing.T, h Harness) {
	large := event("s", 60)
	large.Event.Input = noise(70 << 10)
	all := append(events("s", 0, 60), large)
	call := func(id string) error { return h.Store.Tell(t.Context(), id, all...) }
	eachCut(t, h, "told", func(string) {}, call, func(id string) {
		must(t, call(id))
		in := value(h.Store.Look(t.Context(), id, taskhub.LookOptions{}))(t)
		slices.SortFunc(in.Rows, func(a, b *taskhub.InboxRow) int { return int(a.Telling.Sequence - b.Telling.Sequence) })
		sameRows(t, in.Rows, all...)
	})
}

// tellingsRefused are such that no store can keep.
func tellingsRefused(t *testing.T, h Harness) {
	for name, spoil := range map[string]func(*taskhub.Telling){
		"no id":             func(t *taskhub.Telling) { t.ID = "" },
		"no event":          func(t *taskhub.Telling) { t.Event = nil },
		"another event":     func(t *taskhub.Telling) { t.Event.Type = history.TaskCompleted },
		"no time":           func(t *taskhub.Telling) { t.Sent = time.Time{} },
		"a time too early":  func(t *taskhub.Telling) { t.Event.Timestamp = time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC) },
		"a time too late":   func(t *taskhub.Telling) { t.Due = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"a long name":       func(t *taskhub.Telling) { t.Event.Name = strings.Repeat("x", 40<<10) },
		"a due termination": func(t *taskhub.Telling) { t.Event.Type, t.Due = history.ExecutionTerminated, moment },
	} {
		bad := event("s", 2)
		spoil(bad)
		if err := h.Store.Tell(t.Context(), "a'b", event("s", 1), bad); !errors.Is(err, taskhub.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	waiting(t, h)
}

func discard(t *testing.T, h Harness) {
	tell(t, h, events("s", 0, 250)...)
	rows := waiting(t, h, events("s", 0, 250)...)
	all := keys(rows)
	must(t, h.Store.Discard(t.Context(), "a'b", all[3], all[3], all[120]))
	must(t, h.Store.Discard(t.Context(), "a'b", all[3]))
	must(t, h.Store.Discard(t.Context(), "a'b"))
	must(t, h.Store.Discard(t.Context(), "a'b", all[:200]...))
	waiting(t, h, events("s", 200, 50)...)
	must(t, h.Store.Discard(t.Context(), "a'b", all...))
	waiting(t, h)
	must(t, h.Store.Discard(t.Context(), "unknown", all[0]))
}

func receipts(t *testing.T, h Harness) {
	if n := value(h.Store.ForgetReceipts(t.Context(), "a'b", moment))(t); n != 0 {
		t.Errorf("%d receipts of nothing", n)
	}
	tell(t, h, events("s", 0, 120)...)
	rows := waiting(t, h, events("s", 0, 120)...)
	first, last := rows[0].Stored, rows[119].Stored
	if n := value(h.Store.ForgetReceipts(t.Context(), "a'b", first.Add(-time.Hour)))(t); n != 0 {
		t.Errorf("%d receipts forgotten too early", n)
	}
	tell(t, h, events("s", 0, 120)...)
	waiting(t, h, events("s", 0, 120)...)
	if n := value(h.Store.ForgetReceipts(t.Context(), "a'b", last.Add(time.Hour)))(t); n != 120 {
		t.Errorf("%d receipts forgotten, want 120", n)
	}
	waiting(t, h, events("s", 0, 120)...)
	must(t, h.Store.Discard(t.Context(), "a'b", keys(rows)...))
	tell(t, h, event("s", 3))
	waiting(t, h, event("s", 3))
}

// oddIDs come from foreign messages and clients.
func oddIDs(t *testing.T, h Harness) {
	odd := []string{"a/b", `a\b#?`, "ü", "A0B1C2D3-0000-0000-0000-000000000000", "a0b1c2d3-0000-0000-0000-000000000000", "x.y", strings.Repeat("7", 300), "\t"}
	for n, id := range odd {
		e := event("odd", n)
		e.ID = id
		tell(t, h, e, e)
		tell(t, h, e)
	}
	rows := look(t, h, taskhub.LookOptions{}).Rows
	slices.SortFunc(rows, func(a, b *taskhub.InboxRow) int { return int(a.Telling.Sequence - b.Telling.Sequence) })
	for n, r := range rows {
		must(t, r.Err)
		if r.Telling.ID != odd[n] {
			t.Errorf("id %q came as %q", odd[n], r.Telling.ID)
		}
	}
	if len(rows) != len(odd) {
		t.Errorf("%d rows, want %d", len(rows), len(odd))
	}
	for n, id := range []string{"a", "A", "a/b", "a^0b", "Zürich 日本 😀", `say "hi" <&>`, "a$b,(c)"} {
		e := event("ids", n)
		must(t, h.Store.Tell(t.Context(), id, e))
		sameRows(t, value(h.Store.Look(t.Context(), id, taskhub.LookOptions{}))(t).Rows, e)
	}
}

// largeTellings are read with their payloads, and so is the history that took
// them in.
func largeTellings(t *testing.T, h Harness) {
	var all []*taskhub.Telling
	for n, text := range aroundLimit() {
		e := event("large", n)
		e.Event.Input = text
		all = append(all, e)
	}
	suspend, terminate := control(history.ExecutionSuspended, 1), control(history.ExecutionTerminated, 2)
	suspend.Event.Reason, terminate.Event.Input = noise(50<<10), noise(60<<10)
	all = append([]*taskhub.Telling{suspend, terminate}, all...)
	for range 2 {
		must(t, h.Store.Tell(t.Context(), "i", all...))
	}
	rows := value(h.Store.Look(t.Context(), "i", taskhub.LookOptions{}))(t).Rows
	slices.SortStableFunc(rows[2:], func(a, b *taskhub.InboxRow) int { return int(a.Telling.Sequence - b.Telling.Sequence) })
	sameRows(t, rows, all...)
	c := commit(taskhub.Fence{}, "n1")
	c.InstanceID = "i"
	for n, r := range rows {
		c.Events = append(c.Events, r.Telling.Event)
		c.Takes = append(c.Takes, taskhub.Take{Key: r.Key, Event: n})
	}
	fence := apply(t, h, c)
	checkEvents(t, h, "i", 0, c.Events)
	must(t, h.Store.Insert(t.Context(), row("i")))
	must(t, h.Store.Sweep(t.Context(), "i", fence))
	checkEvents(t, h, "i", 0, c.Events)
}
