package taskhubtest

import (
	"slices"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// storedOrder serves a sender that waits for each telling to be stored, whatever
// its clock says.
func storedOrder(t *testing.T, h Harness) {
	var want []*taskhub.Telling
	for n := range 6 {
		e := event("s", n)
		e.Sent = moment.Add(-time.Duration(n) * time.Minute)
		tell(t, h, e)
		h.Wait(5 * time.Millisecond)
		want = append(want, e)
	}
	waiting(t, h, want...)
	if in := look(t, h, taskhub.LookOptions{Max: 2}); !in.More {
		t.Errorf("%+v", in)
	} else {
		sameRows(t, in.Rows, want[:2]...)
	}
}

func controlFirst(t *testing.T, h Harness) {
	tell(t, h, events("s", 0, 3)...)
	h.Wait(5 * time.Millisecond)
	tell(t, h, control(history.ExecutionTerminated, 1))
	h.Wait(5 * time.Millisecond)
	tell(t, h, control(history.ExecutionSuspended, 2), event("s", 3))
	h.Wait(5 * time.Millisecond)
	tell(t, h, control(history.ExecutionResumed, 1))
	controls := []*taskhub.Telling{control(history.ExecutionTerminated, 1), control(history.ExecutionSuspended, 2), control(history.ExecutionResumed, 1)}
	waiting(t, h, append(slices.Clone(controls), events("s", 0, 4)...)...)
	in := look(t, h, taskhub.LookOptions{ControlOnly: true})
	sameRows(t, in.Rows, controls...)
	if in.Waiting != 3 || in.More {
		t.Errorf("%+v", in)
	}
	if in := look(t, h, taskhub.LookOptions{ControlOnly: true, Max: 1}); !in.More || len(in.Rows) != 1 {
		t.Errorf("%+v", in)
	}
}

// due has events that wait for a time.
func due(t *testing.T, h Harness) {
	tell(t, h, event("s", 0))
	now := look(t, h, taskhub.LookOptions{}).Rows[0].Stored
	var late []*taskhub.Telling
	for n := range 4 {
		e := event("late", n)
		e.Sent, e.Due = now, now.Add(time.Duration(4-n)*time.Hour)
		late = append(late, e)
	}
	tell(t, h, late...)
	past := event("past", 1)
	past.Sent, past.Due = now, now.Add(-time.Hour)
	h.Wait(5 * time.Millisecond)
	tell(t, h, past)
	past.Due = time.Time{}
	in := look(t, h, taskhub.LookOptions{Now: now})
	sameRows(t, in.Rows, event("s", 0), past)
	if !in.NextDue.Equal(late[3].Due) || in.More || in.Waiting < 3 {
		t.Errorf("%+v", in)
	}
	in = look(t, h, taskhub.LookOptions{Now: late[2].Due})
	sameRows(t, in.Rows, event("s", 0), past, late[3], late[2])
	if !in.NextDue.Equal(late[1].Due) || in.More {
		t.Errorf("%+v", in)
	}
	in = look(t, h, taskhub.LookOptions{Now: late[2].Due, Max: 3})
	sameRows(t, in.Rows, event("s", 0), past, late[3])
	if !in.NextDue.IsZero() || !in.More {
		t.Errorf("%+v", in)
	}
	if in = look(t, h, taskhub.LookOptions{Now: late[0].Due}); len(in.Rows) != 6 || !in.NextDue.IsZero() {
		t.Errorf("%+v", in)
	}
}

// backlog reads and discards 3,000 tellings of three senders, part by part.
func backlog(t *testing.T, h Harness) {
	want := map[string][]int{}
	tell(t, h, event("first", 0))
	first := waiting(t, h, event("first", 0))[0]
	must(t, h.Store.Discard(t.Context(), "a'b", first.Key))
	for n := 0; n < 1000; n += 40 {
		h.Wait(2 * time.Millisecond)
		for _, sender := range []string{"a", "b", "c"} {
			part := events(sender, n, 40)
			for i, e := range part {
				// The clock of one goes backwards, that of another is a little ahead.
				e.Origin, e.Sent = sender, first.Stored
				switch sender {
				case "a":
					e.Sent = first.Stored.Add(-time.Duration(n) * time.Second)
				case "b":
					e.Sent = first.Stored.Add(30 * time.Second)
				}
				want[sender] = append(want[sender], n+i)
			}
			tell(t, h, part...)
		}
	}
	got := map[string][]int{}
	looks := 0
	for {
		in := look(t, h, taskhub.LookOptions{Max: 700})
		if len(in.Rows) == 0 {
			if in.More {
				t.Error("more rows, and none are returned")
			}
			break
		}
		if looks++; len(in.Rows) > 700 || looks > 100 {
			t.Fatalf("look %d: %d rows", looks, len(in.Rows))
		}
		for i, r := range in.Rows {
			must(t, r.Err)
			got[r.Telling.Origin] = append(got[r.Telling.Origin], int(r.Telling.Sequence))
			if i > 0 && r.Stored.Truncate(time.Millisecond).Before(in.Rows[i-1].Stored.Truncate(time.Millisecond)) {
				t.Fatalf("look %d: row %d was stored before the one before it", looks, i)
			}
		}
		must(t, h.Store.Discard(t.Context(), "a'b", keys(in.Rows)...))
	}
	for sender, numbers := range want {
		if !slices.Equal(got[sender], numbers) {
			t.Errorf("sender %s: %d tellings came, or not in order", sender, len(got[sender]))
		}
	}
}
