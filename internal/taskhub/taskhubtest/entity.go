package taskhubtest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// ahead stores what a critical section does before all that waits.
func ahead(t *testing.T, h Harness) {
	list := events("s", 0, 3)
	list[2].Ahead = true
	tell(t, h, list...)
	waiting(t, h, list[2], list[0], list[1])
	if in := value(h.Store.Look(t.Context(), "a'b", taskhub.LookOptions{ControlOnly: true}))(t); len(in.Rows) != 1 || !in.Rows[0].Telling.Ahead {
		t.Errorf("control rows: %+v", in.Rows)
	}
	delayed := events("d", 0, 1)[0]
	delayed.Ahead, delayed.Due = true, moment.Add(time.Hour)
	if err := h.Store.Tell(t.Context(), "a'b", delayed); err == nil {
		t.Error("a telling that is ahead and due later was stored")
	}
}

// voids stores a telling that voids another one: before and after that was told.
func voids(t *testing.T, h Harness) {
	list := events("s", 0, 4)
	told, late := list[0], list[1]
	tell(t, h, told)
	tell(t, h, voiding(list[2], told.ID), voiding(list[3], late.ID))
	tell(t, h, voiding(list[2], told.ID), voiding(list[3], late.ID)) // it may be repeated
	tell(t, h, late, told)
	waiting(t, h, told, list[2], list[3])
	rest := events("s", 4, 60)
	all := make([]*taskhub.Telling, len(rest))
	for i, e := range rest {
		all[i] = voiding(e, taskhub.GUID("voided", e.ID))
	}
	tell(t, h, all...)
	waiting(t, h, append([]*taskhub.Telling{told, list[2], list[3]}, rest...)...)
}

// voiding is the telling, which voids another one. The store does not keep that.
func voiding(t *taskhub.Telling, other string) *taskhub.Telling {
	c := *t
	c.Voids = other
	return &c
}

// answers writes the answers of a commit together with its event, once.
func answers(t *testing.T, h Harness) {
	const id = "a'b"
	list := events("s", 0, 3)
	tell(t, h, list...)
	rows := waiting(t, h, list...)
	large := history.Payload(`"` + strings.Repeat("x", 100_000) + `"`)
	c := commit(taskhub.Fence{}, "n1", results(1, 1)...)
	for i, r := range rows {
		c.Takes = append(c.Takes, taskhub.Take{Key: r.Key, Event: -1})
		if i < 2 {
			c.Answers = append(c.Answers, taskhub.Answer{Telling: r.Telling.ID, Payload: []history.Payload{history.Payload(`"ä"`), large}[i]})
		}
	}
	if p := value(h.Store.Answer(t.Context(), id, list[0].ID))(t); p != nil {
		t.Errorf("an answer before the commit: %s", p)
	}
	fence := apply(t, h, c)
	apply(t, h, c)
	for i, want := range []history.Payload{history.Payload(`"ä"`), large, nil} {
		if p := value(h.Store.Answer(t.Context(), id, list[i].ID))(t); string(p) != string(want) {
			t.Errorf("answer %d has %d bytes, want %d", i, len(p), len(want))
		}
	}
	tell(t, h, list...) // what was answered is not told again
	waiting(t, h)
	lost := commit(taskhub.Fence{ETag: fence.ETag, ExecutionID: fence.ExecutionID, NextRow: fence.NextRow, FirstRow: fence.FirstRow, Number: fence.Number}, "n2", results(2, 1)...)
	lost.Fence.ETag = "W/\"datetime'2020-01-01T00%3A00%3A00.0000000Z'\""
	lost.Answers = []taskhub.Answer{{Telling: list[2].ID, Payload: history.Payload(`1`)}}
	if _, err := h.Store.Commit(t.Context(), lost); err == nil {
		t.Error("a commit over a lost fence was applied")
	}
	if p := value(h.Store.Answer(t.Context(), id, list[2].ID))(t); p != nil {
		t.Errorf("a commit that was refused has answered %s", p)
	}
}

// clears deletes what a commit has stored, and nothing of a newer one. The inbox and the
// receipts stay.
func clears(t *testing.T, h Harness) {
	const id = "a'b"
	list := events("s", 0, 3)
	tell(t, h, list...)
	rows := waiting(t, h, list...)
	c := commit(taskhub.Fence{}, "n1", results(1, 1)...)
	c.Takes = []taskhub.Take{{Key: rows[0].Key, Event: -1}}
	first := apply(t, h, c)
	c = commit(first, "n2", results(2, 1)...)
	c.Takes = []taskhub.Take{{Key: rows[1].Key, Event: -1}}
	second := apply(t, h, c)
	row := &taskhub.Instance{ID: id, ExecutionID: "x", Name: "E", Status: history.Running, Created: moment, Updated: moment}
	if err := h.Store.Insert(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	if err := h.Store.Clear(t.Context(), id, first, row.ETag); !errors.Is(err, taskhub.ErrConflict) {
		t.Errorf("clearing what has gone on: %v", err)
	}
	if got := value(h.Store.Load(t.Context(), id, 0))(t); got.Fence.ETag != second.ETag {
		t.Errorf("the history is that of %s", got.Fence.ETag)
	}
	old := row.ETag
	value(h.Store.Merge(t.Context(), id, taskhub.Change{ETag: old, Updated: moment}))(t)
	if err := h.Store.Clear(t.Context(), id, second, old); err != nil {
		t.Fatal(err)
	}
	if got := value(h.Store.Load(t.Context(), id, 0))(t); got.Fence.ETag != "" || len(got.Events) > 0 {
		t.Errorf("%d events are left", len(got.Events))
	}
	kept := value(h.Store.Instance(t.Context(), id))(t)
	if err := h.Store.Clear(t.Context(), id, second, kept.ETag); !errors.Is(err, taskhub.ErrConflict) {
		t.Errorf("clearing twice: %v", err)
	}
	if err := h.Store.Clear(t.Context(), id, taskhub.Fence{}, kept.ETag); err != nil {
		t.Error(err)
	}
	if _, err := h.Store.Instance(t.Context(), id); !errors.Is(err, taskhub.ErrNotFound) {
		t.Errorf("its row: %v", err)
	}
	tell(t, h, list...) // receipts remember
	waiting(t, h, list[2])
	again := commit(taskhub.Fence{}, "n3", results(3, 1)...)
	again.ExecutionID, again.Takes = "another", []taskhub.Take{{Key: waiting(t, h, list[2])[0].Key, Event: -1}}
	apply(t, h, again)
	waiting(t, h)
}
