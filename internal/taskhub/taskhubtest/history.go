package taskhubtest

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// results makes n completions, numbered from first.
func results(first, n int) []*history.Event {
	out := make([]*history.Event, n)
	for i := range out {
		out[i] = &history.Event{
			Type: history.TaskCompleted, ID: history.NoID, TaskID: int32(first + i), Timestamp: moment,
			Result: history.Payload(fmt.Sprint(first + i)), Own: history.Own{Message: "m", InputHash: 7},
		}
	}
	return out
}

func commit(fence taskhub.Fence, nonce string, events ...*history.Event) *taskhub.Commit {
	return &taskhub.Commit{InstanceID: "a'b", ExecutionID: "x1", Fence: fence, Nonce: nonce, Time: moment, Events: events}
}

// apply commits and fails the test on an error.
func apply(t *testing.T, h Harness, c *taskhub.Commit) taskhub.Fence {
	t.Helper()
	return value(h.Store.Commit(t.Context(), c))(t)
}

func load(t *testing.T, h Harness, from uint64) *taskhub.History {
	t.Helper()
	return value(h.Store.Load(t.Context(), "a'b", from))(t)
}

func sameEvents(t *testing.T, got, want []*history.Event) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d events, want %d", len(got), len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("event %d:\ngot  %+v\nwant %+v", i, got[i], want[i])
		}
	}
}

func growth(t *testing.T, h Harness) {
	if empty := load(t, h, 0); empty.Fence.ETag != "" || len(empty.Events) != 0 {
		t.Fatalf("a history from nothing: %+v", empty)
	}
	all := results(0, 5)
	fence := apply(t, h, commit(taskhub.Fence{}, "n1", all[:2]...))
	c := commit(fence, "n2", all[2:]...)
	c.Spilled = []taskhub.Range{{First: 0, Last: 3}, {First: 7, Last: 7}}
	fence = apply(t, h, c)
	got := load(t, h, 0)
	sameEvents(t, got.Events, all)
	if !reflect.DeepEqual(got.Fence, fence) {
		t.Errorf("loaded fence %+v, committed %+v", got.Fence, fence)
	}
	if fence.ExecutionID != "x1" || fence.Number != 2 || fence.NextRow-fence.FirstRow != 5 || len(fence.Spilled) != 2 {
		t.Errorf("fence %+v", fence)
	}
	// A commit without events changes only what is spilled.
	c = commit(fence, "n3")
	if fence = apply(t, h, c); len(fence.Spilled) != 0 {
		t.Errorf("fence %+v", fence)
	}
	sameEvents(t, load(t, h, 0).Events, all)
}

// parts reads a history in pieces, those of which it has none included.
func parts(t *testing.T, h Harness) {
	if empty := value(h.Store.LoadPart(t.Context(), "a'b", 0, 3))(t); empty.Fence.ETag != "" || len(empty.Events) != 0 {
		t.Fatalf("a part of nothing: %+v", empty)
	}
	check := func(fence taskhub.Fence) {
		for _, from := range []uint64{0, fence.FirstRow, fence.FirstRow + 3, fence.NextRow - 1, fence.NextRow, fence.NextRow + 9} {
			whole := load(t, h, from)
			for _, most := range []int{-1, 1, 2, 5, 11, 12, 100} {
				part := value(h.Store.LoadPart(t.Context(), "a'b", from, most))(t)
				sameEvents(t, part.Events, whole.Events[:min(len(whole.Events), max(most, 1))])
				if !reflect.DeepEqual(part.Fence, whole.Fence) {
					t.Errorf("from %d, %d events: fence %+v, want %+v", from, most, part.Fence, whole.Fence)
				}
			}
		}
	}
	first := apply(t, h, commit(taskhub.Fence{}, "n1", results(0, 12)...))
	check(first)
	next := commit(first, "n2", results(20, 7)...)
	next.ExecutionID, next.NewExecution = "x2", true
	check(apply(t, h, next))
}

func fence(t *testing.T, h Harness) {
	first := apply(t, h, commit(taskhub.Fence{}, "n1", results(0, 1)...))
	apply(t, h, commit(first, "n2", results(1, 1)...))
	if _, err := h.Store.Commit(t.Context(), commit(first, "n3", results(9, 1)...)); !errors.Is(err, taskhub.ErrConflict) {
		t.Errorf("commit with an old fence: %v", err)
	}
	if _, err := h.Store.Commit(t.Context(), commit(taskhub.Fence{}, "n4", results(9, 1)...)); !errors.Is(err, taskhub.ErrConflict) {
		t.Errorf("second first commit: %v", err)
	}
	sameEvents(t, load(t, h, 0).Events, results(0, 2))
	gone := commit(first, "n5", results(9, 1)...)
	gone.InstanceID = "purged"
	if _, err := h.Store.Commit(t.Context(), gone); !errors.Is(err, taskhub.ErrGone) {
		t.Errorf("commit to a purged history: %v", err)
	}
}

// lostAnswer applies commits whose answers do not arrive.
func lostAnswer(t *testing.T, h Harness) {
	if h.LoseAnswer == nil {
		t.Skip("this store gives every answer")
	}
	var fence taskhub.Fence
	for n := range 3 {
		c := commit(fence, fmt.Sprint("n", n), results(n, 1)...)
		h.LoseAnswer()
		var err error
		if fence, err = h.Store.Commit(t.Context(), c); err != nil {
			fence = apply(t, h, c)
		}
	}
	sameEvents(t, load(t, h, 0).Events, results(0, 3))
}

// repeatedCommit commits again what was applied, as after a lost answer.
func repeatedCommit(t *testing.T, h Harness) {
	first := commit(taskhub.Fence{}, "n1", results(0, 2)...)
	fence := apply(t, h, first)
	if again := apply(t, h, first); !reflect.DeepEqual(again, fence) {
		t.Errorf("fence %+v, the first time %+v", again, fence)
	}
	second := commit(fence, "n2", results(2, 2)...)
	fence = apply(t, h, second)
	if again := apply(t, h, second); !reflect.DeepEqual(again, fence) {
		t.Errorf("fence %+v, the first time %+v", again, fence)
	}
	sameEvents(t, load(t, h, 0).Events, results(0, 4))
}

// manyEvents needs several transactions.
func manyEvents(t *testing.T, h Harness) {
	all := results(0, 250)
	c := commit(taskhub.Fence{}, "n1", all...)
	fence := apply(t, h, c)
	if fence.Number != 3 {
		t.Errorf("250 events took %d transactions, want 3", fence.Number)
	}
	sameEvents(t, load(t, h, 0).Events, all)
	apply(t, h, c)
	fence = apply(t, h, commit(fence, "n2", results(250, 99)...))
	if fence.Number != 4 {
		t.Errorf("99 events did not fit one transaction: %+v", fence)
	}
	sameEvents(t, load(t, h, 0).Events, results(0, 349))
}

func newExecution(t *testing.T, h Harness) {
	for _, size := range []int{3, 150} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			id := fmt.Sprint("gen", size)
			c := commit(taskhub.Fence{}, "n1", results(0, size)...)
			c.InstanceID = id
			fence := apply(t, h, c)
			next := commit(fence, "n2", results(500, 2)...)
			next.InstanceID, next.ExecutionID, next.NewExecution = id, "x2", true
			fence = apply(t, h, next)
			if fence.ExecutionID != "x2" || fence.FirstRow != c.Fence.FirstRow && fence.NextRow-fence.FirstRow != 2 {
				t.Errorf("fence %+v", fence)
			}
			got := value(h.Store.Load(t.Context(), id, 0))(t)
			sameEvents(t, got.Events, results(500, 2))
			old := commit(taskhub.Fence{ETag: "W/\"old\"", ExecutionID: "x1", NextRow: fence.FirstRow}, "n3", results(9, 1)...)
			old.InstanceID = id
			if _, err := h.Store.Commit(t.Context(), old); !errors.Is(err, taskhub.ErrGone) {
				t.Errorf("commit of the replaced execution: %v", err)
			}
		})
	}
}

func incrementalLoad(t *testing.T, h Harness) {
	first := apply(t, h, commit(taskhub.Fence{}, "n1", results(0, 3)...))
	second := apply(t, h, commit(first, "n2", results(3, 2)...))
	got := load(t, h, first.NextRow)
	sameEvents(t, got.Events, results(3, 2))
	if !reflect.DeepEqual(got.Fence, second) {
		t.Errorf("fence %+v, want %+v", got.Fence, second)
	}
}

func inputsAreNotKept(t *testing.T, h Harness) {
	e := &history.Event{Type: history.TaskScheduled, ID: 0, Name: "A", Input: history.Payload("1"), Timestamp: moment, Own: history.Own{Lease: "l"}}
	apply(t, h, commit(taskhub.Fence{}, "n1", e))
	got := load(t, h, 0).Events[0]
	if got.Input != nil || got.Own.Lease != "l" || got.Name != "A" {
		t.Errorf("got %+v", got)
	}
}

func secrets(t *testing.T, h Harness) {
	for range 2 {
		if got := value(h.Store.Secrets(t.Context(), "keys.json", []byte("one")))(t); string(got) != "one" {
			t.Fatalf("got %q", got)
		}
	}
	if got := value(h.Store.Secrets(t.Context(), "keys.json", []byte("two")))(t); string(got) != "one" {
		t.Errorf("the first writer did not win: %q", got)
	}
}

func owner(t *testing.T, h Harness) {
	must(t, h.Store.Create(t.Context(), taskhub.Owner{Site: "one"}))
	must(t, h.Store.Create(t.Context(), taskhub.Owner{Site: "one"}))
	must(t, h.Store.Create(t.Context(), taskhub.Owner{Site: "two", Shared: true}))
	must(t, h.Store.Create(t.Context(), taskhub.Owner{}))
	if err := h.Store.Create(t.Context(), taskhub.Owner{Site: "two"}); !errors.Is(err, taskhub.ErrForeignHub) {
		t.Errorf("another app: %v", err)
	}
}
