package taskhubtest

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// failed commits the history of an orchestration whose activity failed.
func failed(t *testing.T, h Harness) taskhub.Fence {
	t.Helper()
	events := []*history.Event{
		{Type: history.OrchestratorStarted, ID: history.NoID},
		{Type: history.TaskScheduled, ID: 0, Name: "A", Own: history.Own{Lease: "l", InputHash: 7}},
		{Type: history.SubOrchestrationInstanceCreated, ID: 1, Name: "C", InstanceID: "child"},
		{Type: history.TaskFailed, ID: history.NoID, TaskID: 0, Reason: history.Payload("because"), Details: history.Payload("d")},
		{Type: history.ExecutionCompleted, ID: 2, Status: history.Failed, Result: history.Payload("because")},
	}
	for _, e := range events {
		e.Timestamp = moment
	}
	c := commit(taskhub.Fence{}, "n1", events...)
	c.Spilled = []taskhub.Range{{First: 0, Last: 0}}
	return apply(t, h, c)
}

func rewindOf(fence taskhub.Fence, nonce string) *taskhub.Rewind {
	return &taskhub.Rewind{InstanceID: "a'b", Fence: fence, Nonce: nonce, Time: moment, Marks: []taskhub.Mark{
		{Event: 1, Generic: true, Reason: "Rewound: TaskScheduled"},
		{Event: 2, Reason: "Rewound: SubOrchestrationInstanceCreated"},
		{Event: 3, Generic: true, Reason: "Rewound: TaskFailed"},
		{Event: 4, Generic: true, Reason: "Rewound: ExecutionCompleted"},
	}}
}

func rewind(t *testing.T, h Harness) {
	before := failed(t, h)
	r := rewindOf(before, "r1")
	fence := value(h.Store.Rewind(t.Context(), r))(t)
	if again := value(h.Store.Rewind(t.Context(), r))(t); !reflect.DeepEqual(again, fence) {
		t.Errorf("repeated: fence %+v, the first time %+v", again, fence)
	}
	got := load(t, h, 0)
	if !reflect.DeepEqual(got.Fence, fence) || fence.Rewinds != before.Rewinds+1 || fence.NextRow != before.NextRow || fence.Spilled != nil {
		t.Errorf("loaded fence %+v, rewound %+v", got.Fence, fence)
	}
	for i, want := range []struct {
		kind   history.Type
		id     int32
		reason string
	}{
		{history.OrchestratorStarted, history.NoID, ""},
		{history.GenericEvent, 0, "Rewound: TaskScheduled"},
		{history.SubOrchestrationInstanceCreated, 1, "Rewound: SubOrchestrationInstanceCreated"},
		{history.GenericEvent, history.NoID, "Rewound: TaskFailed"},
		{history.GenericEvent, 2, "Rewound: ExecutionCompleted"},
	} {
		if e := got.Events[i]; e.Type != want.kind || e.ID != want.id || string(e.Reason) != want.reason {
			t.Errorf("event %d: %+v, want %+v", i, e, want)
		}
	}
	if e := got.Events[1]; e.Name != "A" || e.Own.InputHash != 7 {
		t.Errorf("columns of a rewound row: %+v", e)
	}
	apply(t, h, commit(fence, "n2", results(0, 2)...))
	sameEvents(t, load(t, h, 0).Events[5:], results(0, 2))
}

// rewindFence has a rewind and commits race.
func rewindFence(t *testing.T, h Harness) {
	old := failed(t, h)
	fence := apply(t, h, commit(old, "n2", results(9, 1)...))
	if _, err := h.Store.Rewind(t.Context(), rewindOf(old, "r1")); !errors.Is(err, taskhub.ErrConflict) {
		t.Errorf("rewind with an old fence: %v", err)
	}
	if e := load(t, h, 0).Events[3]; e.Type != history.TaskFailed {
		t.Errorf("a rewind that lost changed %+v", e)
	}
	value(h.Store.Rewind(t.Context(), rewindOf(fence, "r2")))(t)
	if _, err := h.Store.Commit(t.Context(), commit(fence, "n3", results(9, 1)...)); !errors.Is(err, taskhub.ErrConflict) {
		t.Errorf("commit with a fence before a rewind: %v", err)
	}
	outside := rewindOf(fence, "r3")
	outside.Marks = append(outside.Marks, taskhub.Mark{Event: 6, Generic: true})
	if _, err := h.Store.Rewind(t.Context(), outside); err == nil {
		t.Error("a mark outside of the history was taken")
	}
	gone := rewindOf(fence, "r4")
	gone.InstanceID = "purged"
	if _, err := h.Store.Rewind(t.Context(), gone); !errors.Is(err, taskhub.ErrGone) {
		t.Errorf("rewind of a purged history: %v", err)
	}
	if _, err := h.Store.Rewind(t.Context(), rewindOf(taskhub.Fence{}, "r5")); !errors.Is(err, taskhub.ErrGone) {
		t.Errorf("rewind of no history: %v", err)
	}
}

// rewindMany needs several transactions, each of which loses its answer.
func rewindMany(t *testing.T, h Harness) {
	fence := apply(t, h, commit(taskhub.Fence{}, "n1", results(0, 250)...))
	r := &taskhub.Rewind{InstanceID: "a'b", Fence: fence, Nonce: "r1", Time: moment}
	for i := range 250 {
		r.Marks = append(r.Marks, taskhub.Mark{Event: i, Generic: true, Reason: fmt.Sprint("Rewound: ", i)})
	}
	after, err := taskhub.Fence{}, errors.New("not tried")
	for try := 0; err != nil && try < 5; try++ {
		if h.LoseAnswer != nil {
			h.LoseAnswer()
		}
		if after, err = h.Store.Rewind(t.Context(), r); errors.Is(err, taskhub.ErrConflict) || errors.Is(err, taskhub.ErrGone) {
			t.Fatalf("a lost answer looks like a lost race: %v", err)
		}
	}
	must(t, err)
	if after.Rewinds != 1 {
		t.Errorf("fence %+v", after)
	}
	for i, e := range load(t, h, 0).Events {
		if e.Type != history.GenericEvent || string(e.Reason) != fmt.Sprint("Rewound: ", i) {
			t.Fatalf("event %d: %+v", i, e)
		}
	}
}

// rewindCut ends the process at every request of a long rewind. Until the last
// transaction the history has its end; then the rewind is whole.
func rewindCut(t *testing.T, h Harness) {
	rewinds := map[string]*taskhub.Rewind{}
	begin := func(id string) {
		c := commit(taskhub.Fence{}, "n"+id, results(0, 120)...)
		c.InstanceID = id
		r := &taskhub.Rewind{InstanceID: id, Fence: apply(t, h, c), Nonce: "r" + id, Time: moment}
		for i := range 120 {
			r.Marks = append(r.Marks, taskhub.Mark{Event: i, Generic: true, Reason: "Rewound: TaskCompleted"})
		}
		rewinds[id] = r
	}
	call := func(id string) error {
		_, err := h.Store.Rewind(t.Context(), rewinds[id])
		return err
	}
	generic := func(id string) (n int) {
		for _, e := range value(h.Store.Load(t.Context(), id, 0))(t).Events {
			if e.Type == history.GenericEvent {
				n++
			}
		}
		return n
	}
	eachCut(t, h, "rewind", begin, call, func(id string) {
		if n := generic(id); n != 0 && n != 99 && n != 120 {
			t.Errorf("%q: %d marks", id, n)
		}
		fence := value(h.Store.Rewind(t.Context(), rewinds[id]))(t)
		if n := generic(id); n != 120 || fence.Rewinds != 1 {
			t.Errorf("%q: %d marks after the repetition, fence %+v", id, n, fence)
		}
	})
}
