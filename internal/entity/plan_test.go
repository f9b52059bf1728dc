package entity

import (
	"fmt"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// rowOf makes a row of an inbox of a short text: "op", "op S" (within the critical
// section S), "lock S", "release S", "bad", "unread".
func rowOf(n int, text string) *taskhub.InboxRow {
	word, section, _ := strings.Cut(text, " ")
	e := &history.Event{Type: history.EventRaised, Name: history.EntityOperation}
	row := &taskhub.InboxRow{Key: text, Telling: taskhub.Telling{ID: fmt.Sprint(n), Event: e}}
	switch word {
	case "op":
		e.Input = (&history.EntityRequest{Operation: "x", ID: fmt.Sprint("r", n), Section: section}).Encode()
	case "lock":
		e.Input = (&history.EntityRequest{ID: section, Parent: "o", LockSet: []history.EntityID{{Name: "a"}}}).Encode()
	case "release":
		e.Name, e.Input = history.EntityRelease, history.EntityLockRelease{ID: section}.Encode()
	case "bad":
		e.Input = history.Payload("{")
	case "unread":
		row.Err = taskhub.ErrUnread
	}
	return row
}

func TestPlan(t *testing.T) {
	names := map[kind]string{runs: "runs", grants: "grants", releases: "releases", loses: "loses", drops: "drops"}
	for _, c := range []struct {
		name, held, rows, want string
		more                   bool
		waiting                int
	}{
		{name: "operations run in their order", rows: "op, op", want: "runs op, runs op"},
		{name: "a lock is granted, and what comes later waits", rows: "op, lock A, op", want: "runs op, grants lock A", waiting: 1},
		{name: "the holder goes on", held: "A", rows: "op A, op", want: "runs op A", waiting: 1},
		{name: "a release lets others in", held: "A", rows: "release A, op", want: "releases release A, runs op"},
		{name: "a release and the next section of the same owner", held: "A", rows: "op A, release A, lock B, op", want: "runs op A, releases release A, grants lock B", waiting: 1},
		{name: "an operation of a section that holds no lock fails", held: "B", rows: "op A, op B", want: "loses op A, runs op B"},
		{name: "an operation of a section fails where no lock is held", rows: "op A", want: "loses op A"},
		{name: "a release voids a request that waits", held: "B", rows: "release A, lock A", want: "drops lock A, drops release A"},
		{name: "a release voids a request that would be granted", rows: "release A, lock A, op", want: "drops lock A, runs op, drops release A"},
		{name: "a release of nothing is dropped once all was seen", rows: "release A, op", want: "runs op, drops release A"},
		{name: "a release stays while its request may be there", rows: "release A, op", more: true, want: "runs op"},
		{name: "a request that is repeated is dropped", held: "A", rows: "lock A", want: "drops lock A"},
		{name: "a second lock waits", held: "A", rows: "lock B, lock C", waiting: 2},
		{name: "what cannot be read is dropped", rows: "bad, op", want: "drops bad, runs op"},
		{name: "what cannot be read now is waited for", rows: "op, unread, op", want: "runs op"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var held *lock
			if c.held != "" {
				held = &lock{ID: c.held}
			}
			var rows []*taskhub.InboxRow
			for i, text := range strings.Split(c.rows, ", ") {
				rows = append(rows, rowOf(i, text))
			}
			p := planned(held, stepsOf(rows), !c.more)
			var got []string
			for _, s := range p.steps {
				got = append(got, names[s.kind]+" "+s.row.Key)
			}
			if text := strings.Join(got, ", "); text != c.want || p.waiting != c.waiting {
				t.Errorf("got %q and %d waiting, want %q and %d", text, p.waiting, c.want, c.waiting)
			}
		})
	}
}

func TestACommitTakesWhatFits(t *testing.T) {
	steps := make([]step, 200)
	if got := len(first(steps, 200)); got != maxOperations {
		t.Errorf("%d signals in one commit", got)
	}
	for i := range steps {
		steps[i].request = &history.EntityRequest{Client: true}
	}
	if got := len(first(steps, 200)); got != maxOperations/2 {
		t.Errorf("%d calls of clients in one commit", got)
	}
	if got := len(first(steps, 3)); got != 3 {
		t.Errorf("%d steps, where 3 are allowed", got)
	}
}
