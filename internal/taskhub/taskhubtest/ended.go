package taskhubtest

import (
	"errors"
	"testing"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// endedFirst is a history that is written after it has ended, as an import does: a
// commit without events says so, and each transaction of the chain that follows says it
// too, so that no reader takes a prefix for an execution that goes on.
func endedFirst(t *testing.T, h Harness) {
	parent := &history.Parent{Name: "P", Instance: history.InstanceRef{InstanceID: "p", ExecutionID: "px"}, TaskID: 7}
	s := taskhub.State{Ended: true, Outcome: history.Failed, Sent: 9, Parent: parent}
	fence := stated(t, h, commit(taskhub.Fence{}, "n1"), s)
	if fence.NextRow != fence.FirstRow || len(load(t, h, 0).Events) != 0 {
		t.Errorf("an empty commit left rows: %+v", fence)
	}
	fence = stated(t, h, commit(fence, "n2", results(0, 250)...), s)
	sameEvents(t, load(t, h, 0).Events, results(0, 250))
	if _, err := h.Store.Commit(t.Context(), commit(taskhub.Fence{}, "n3", results(0, 1)...)); !errors.Is(err, taskhub.ErrConflict) {
		t.Errorf("a history that is there was begun again: %v", err)
	}
	head(t, h, fence)
}

// endedFirstCut cuts that chain at every request.
func endedFirstCut(t *testing.T, h Harness) {
	commits := map[string]*taskhub.Commit{}
	begin := func(id string) {
		c := commit(taskhub.Fence{}, "n1")
		c.InstanceID, c.State = id, &taskhub.State{Ended: true, Outcome: history.Completed}
		next := commit(apply(t, h, c), "n2", results(0, 250)...)
		next.InstanceID, next.State = id, c.State
		commits[id] = next
	}
	call := func(id string) error {
		_, err := h.Store.Commit(t.Context(), commits[id])
		return err
	}
	check := func(id string, all bool) {
		got := value(h.Store.Load(t.Context(), id, 0))(t)
		if !got.Fence.State.Ended || got.Fence.State.Outcome != history.Completed || got.Fence.State.Origin != "" || all && len(got.Events) != 250 {
			t.Errorf("%q: %d events, %+v", id, len(got.Events), got.Fence.State)
		}
		sameEvents(t, got.Events, commits[id].Events[:len(got.Events)])
	}
	eachCut(t, h, "ended", begin, call, func(id string) {
		check(id, false)
		value(h.Store.Commit(t.Context(), commits[id]))(t)
		check(id, true)
	})
}
