package taskhub_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func raised(n int) *taskhub.Telling {
	return &taskhub.Telling{
		ID: taskhub.GUID("inbox", fmt.Sprint(n)), Sent: noon, Sequence: int64(n),
		Event: &history.Event{Type: history.EventRaised, ID: history.NoID, Name: "e", Timestamp: noon},
	}
}

// TestKeysAreInOrder: of kinds, then of due times, of sending, and of sequence.
func TestKeysAreInOrder(t *testing.T) {
	make := func(kind history.Type, due, sent time.Duration, sequence int64) string {
		e := raised(0)
		e.Event.Type, e.Sent, e.Sequence = kind, noon.Add(sent), sequence
		if due > 0 {
			e.Due = noon.Add(due)
		}
		return e.Key(nil)
	}
	want := []string{
		"sentinel",
		make(history.ExecutionTerminated, 0, time.Hour, 0),
		make(history.ExecutionSuspended, 0, 2*time.Hour, 0),
		make(history.EventRaised, 0, -2000*time.Hour, 0),
		make(history.EventRaised, 0, 0, -5),
		make(history.EventRaised, 0, 0, 0),
		make(history.EventRaised, 0, 0, 5),
		make(history.EventRaised, 0, 100*time.Nanosecond, 0),
		make(history.EventRaised, time.Hour, 2*time.Hour, 0), // is due already
		make(history.EventRaised, 3*time.Hour, 2*time.Hour, 0),
		make(history.EventRaised, 4*time.Hour, 0, 0),
		taskhub.ReceiptKey(raised(0).ID),
	}
	if !slices.IsSorted(want) {
		t.Errorf("not in order:\n%s", strings.Join(want, "\n"))
	}
}

// TestInboxRowIsNoHistory: official readers stop at another ExecutionId, and read
// the name of the EventType before that, which old ones do not know of all kinds.
func TestInboxRowIsNoHistory(t *testing.T) {
	suspend := raised(1)
	suspend.Event.Type, suspend.Event.Reason, suspend.Origin = history.ExecutionSuspended, history.Payload("why"), "x1"
	for _, raw := range [][]byte{
		taskhub.AppendInboxRow(nil, "p", suspend.Key(nil), suspend, nil),
		taskhub.AppendReceipt(nil, "p", suspend.ID, "b"),
	} {
		var row map[string]any
		if err := json.Unmarshal(raw, &row); err != nil {
			t.Fatal(err)
		}
		if row["EventType"] != "GenericEvent" || row["ExecutionId"] != history.InboxExecution {
			t.Errorf("%s", raw)
		}
		if key := row["RowKey"].(string); key <= "sentinel" || row["InstanceId"] != nil {
			t.Errorf("%s", raw)
		}
	}
}

func TestInboxRowThatCannotBeRead(t *testing.T) {
	good := string(taskhub.AppendInboxRow(nil, "p", raised(1).Key(nil), raised(1), nil))
	for _, spoil := range [][2]string{
		{`"GoEvent":"EventRaised"`, `"GoEvent":"EventOfTheFuture"`},
		{`"RowKey":"u`, `"RowKey":"u-`},
		{`"GoTelling":"`, `"GoTold":"`},
		{`"GoTelling":"`, `"GoTelling":7,"x":"`},
	} {
		bad := strings.Replace(good, spoil[0], spoil[1], 1)
		r := taskhub.DecodeInboxRow([]byte(bad), nil)
		if bad == good || r.Err == nil || r.Key == "" {
			t.Errorf("%s: %+v", spoil[1], r)
		}
	}
}

// drawInbox makes rows as a store may have them: no clock is ahead of the
// store's by more than the bound.
func drawInbox(r *rapid.T) []*taskhub.InboxRow {
	n := rapid.IntRange(0, 40).Draw(r, "rows")
	rows := make([]*taskhub.InboxRow, n)
	ahead := rapid.Custom(func(r *rapid.T) time.Duration {
		return time.Duration(rapid.Int64Range(-10*int64(taskhub.ClockSkew), int64(taskhub.ClockSkew)).Draw(r, "ahead"))
	})
	for i := range rows {
		stored := noon.Add(time.Duration(rapid.IntRange(0, 400).Draw(r, "stored")) * time.Second / 2)
		e := raised(i)
		e.Sent = stored.Add(ahead.Draw(r, "clock"))
		switch rapid.IntRange(0, 5).Draw(r, "kind") {
		case 0:
			e.Event.Type = history.ExecutionSuspended
		case 1, 2:
			e.Due = e.Sent.Add(time.Duration(rapid.IntRange(0, 400).Draw(r, "due")) * time.Second)
		}
		rows[i] = &taskhub.InboxRow{Key: e.Key(nil), Stored: stored, Telling: *e}
	}
	slices.SortFunc(rows, func(a, b *taskhub.InboxRow) int { return strings.Compare(a.Key, b.Key) })
	return rows
}

// split reads parts of an inbox as a store does: some of the control rows and the
// rest, and some of those that are due.
func split(r *rapid.T, rows []*taskhub.InboxRow, now time.Time) (read []*taskhub.InboxRow, unread taskhub.Unread) {
	from, to := taskhub.DueBounds(now)
	var main, due []*taskhub.InboxRow
	for _, row := range rows {
		switch {
		case row.Key < from:
			main = append(main, row)
		case row.Key < to:
			due = append(due, row)
		}
	}
	part := func(list []*taskhub.InboxRow, name string) string {
		n := len(list)
		if n > 0 {
			n = rapid.IntRange(1, n).Draw(r, name)
		}
		read = append(read, list[:n]...)
		if n < len(list) {
			return list[n-1].Key
		}
		return ""
	}
	unread.Main = part(main, "main")
	unread.Due = part(due, "due rows")
	return read, unread
}

// TestPartOfAnInbox: what a look returns that has read only parts of an inbox
// are the first rows of the whole.
func TestPartOfAnInbox(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		rows := drawInbox(r)
		o := taskhub.LookOptions{Now: noon.Add(time.Duration(rapid.IntRange(0, 500).Draw(r, "now")) * time.Second), ControlOnly: rapid.Bool().Draw(r, "control only")}
		whole := taskhub.Arrange(rows, taskhub.Unread{}, o)
		if whole.More || whole.Waiting != len(rows) {
			r.Fatalf("%+v", whole)
		}
		for i, row := range whole.Rows {
			late := row.Telling.Due.After(row.Telling.Sent) && row.Telling.Due.Truncate(100*time.Nanosecond).After(o.Now)
			if late || o.ControlOnly && !row.Control() {
				r.Fatalf("row %d is not to be taken: %+v", i, row)
			}
		}
		most := rapid.IntRange(0, 30).Draw(r, "most")
		first := taskhub.Arrange(taskhub.First(rows, most, o.Now), taskhub.Unread{}, o)
		if n := min(most, len(whole.Rows)); !o.ControlOnly && !slices.Equal(first.Rows, whole.Rows[:n]) {
			r.Fatalf("%d of the first %d rows are other ones", len(first.Rows), n)
		}
		read, unread := split(r, rows, o.Now)
		o.Max = rapid.IntRange(0, 30).Draw(r, "max")
		part := taskhub.Arrange(read, unread, o)
		if len(part.Rows) > len(whole.Rows) || !slices.Equal(part.Rows, whole.Rows[:len(part.Rows)]) {
			r.Fatalf("a part gives other rows than the whole")
		}
		if o.Max > 0 && len(part.Rows) > o.Max || len(part.Rows) < len(whole.Rows) && !part.More {
			r.Fatalf("%d of %d rows, more %v", len(part.Rows), len(whole.Rows), part.More)
		}
		if (unread == taskhub.Unread{}) && o.Max == 0 && len(part.Rows) != len(whole.Rows) {
			r.Fatalf("all was read, and %d of %d rows are returned", len(part.Rows), len(whole.Rows))
		}
	})
}

// TestControlStandsBeforeABacklog: it is returned though nothing else can be.
func TestControlStandsBeforeABacklog(t *testing.T) {
	terminate := raised(1)
	terminate.Event.Type = history.ExecutionTerminated
	rows := []*taskhub.InboxRow{{Key: terminate.Key(nil), Stored: noon.Add(time.Hour)}, {Key: raised(2).Key(nil), Stored: noon}}
	in := taskhub.Arrange(rows, taskhub.Unread{Main: rows[1].Key}, taskhub.LookOptions{Now: noon})
	if len(in.Rows) != 1 || !in.Rows[0].Control() || !in.More {
		t.Errorf("%+v", in)
	}
}

// TestStateAfter: what each transaction of a commit leaves.
func TestStateAfter(t *testing.T) {
	running, ended := taskhub.State{Origin: "x"}, taskhub.State{Origin: "x", Ended: true, Outcome: history.Failed}
	next := taskhub.State{Origin: "y", Ended: true, Outcome: history.Completed}
	for _, c := range []struct {
		name       string
		before     taskhub.State
		state      *taskhub.State
		renew      bool
		first, end taskhub.State
	}{
		{"none given", running, nil, false, running, running},
		{"none given after the end", ended, nil, false, ended, ended},
		{"none given for a new execution", ended, nil, true, running, running},
		{"the end", running, &ended, false, running, ended},
		{"after the end", ended, &ended, false, ended, ended},
		{"the end is taken back", ended, &running, false, running, running},
		{"a new execution ends", ended, &next, true, taskhub.State{Origin: "y"}, next},
		{"an outcome without an end", running, &taskhub.State{Outcome: history.Failed}, false, taskhub.State{}, taskhub.State{}},
	} {
		commit := taskhub.Commit{Fence: taskhub.Fence{State: c.before}, State: c.state, NewExecution: c.renew}
		if got := commit.StateAfter(false); !reflect.DeepEqual(got, c.first) {
			t.Errorf("%s: first %+v, want %+v", c.name, got, c.first)
		}
		if got := commit.StateAfter(true); !reflect.DeepEqual(got, c.end) {
			t.Errorf("%s: last %+v, want %+v", c.name, got, c.end)
		}
	}
}
