package taskhubtest

import (
	"reflect"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

func head(t *testing.T, h Harness, want taskhub.Fence) {
	t.Helper()
	if got := value(h.Store.Head(t.Context(), "a'b"))(t); !reflect.DeepEqual(got, want) {
		t.Errorf("head  %+v\nwant  %+v", got, want)
	}
	if got := load(t, h, 0).Fence; !reflect.DeepEqual(got, want) {
		t.Errorf("fence %+v\nwant  %+v", got, want)
	}
}

// stated commits with a state.
func stated(t *testing.T, h Harness, c *taskhub.Commit, s taskhub.State) taskhub.Fence {
	t.Helper()
	c.State = &s
	fence := apply(t, h, c)
	if !reflect.DeepEqual(fence.State, s) {
		t.Errorf("committed %+v\nwant      %+v", fence.State, s)
	}
	head(t, h, fence)
	return fence
}

// states carries the state through the life of an instance.
func states(t *testing.T, h Harness) {
	head(t, h, taskhub.Fence{})
	parent := &history.Parent{Name: `P"'`, Version: "2", Instance: history.InstanceRef{InstanceID: "p/1", ExecutionID: "px"}, TaskID: 7}
	s := taskhub.State{Origin: "x1", Awaits: taskhub.Awaits{Work: true, Until: moment}, Parent: parent}
	fence := stated(t, h, commit(taskhub.Fence{}, "n1", results(0, 1)...), s)
	// A commit that says nothing leaves it.
	fence = apply(t, h, commit(fence, "n2", results(1, 1)...))
	if !reflect.DeepEqual(fence.State, s) {
		t.Errorf("kept %+v", fence.State)
	}
	head(t, h, fence)
	// Continue-as-new keeps the origin, also by itself.
	c := commit(fence, "n3", results(2, 1)...)
	c.ExecutionID, c.NewExecution = "x2", true
	s.Awaits = taskhub.Awaits{}
	fence = stated(t, h, c, s)
	c = commit(fence, "n4", results(3, 1)...)
	c.ExecutionID, c.NewExecution = "x3", true
	if fence = apply(t, h, c); fence.State.Origin != "x1" || !reflect.DeepEqual(fence.State.Parent, parent) {
		t.Errorf("after continue-as-new: %+v", fence.State)
	}
	// The end, and a start over it.
	s.Ended, s.Outcome = true, history.Failed
	c = commit(fence, "n5", results(4, 1)...)
	c.ExecutionID = "x3"
	fence = stated(t, h, c, s)
	c = commit(fence, "n6", results(5, 1)...)
	c.ExecutionID, c.NewExecution = "y1", true
	fence = stated(t, h, c, taskhub.State{Origin: "y1", Awaits: taskhub.Awaits{Until: moment.Add(time.Hour)}})
	c = commit(fence, "n7", results(6, 1)...)
	c.ExecutionID = "y1"
	// Completed is not the status that stands for none.
	stated(t, h, c, taskhub.State{Origin: "y1", Ended: true, Outcome: history.Completed})
	value(h.Store.Purge(t.Context(), "a'b", ""))(t)
	head(t, h, taskhub.Fence{})
}

// stateOfRewind takes the outcome away and keeps the rest.
func stateOfRewind(t *testing.T, h Harness) {
	s := taskhub.State{Origin: "x1", Ended: true, Outcome: history.Failed, Parent: &history.Parent{Name: "P"}}
	fence := stated(t, h, commit(failed(t, h), "n2"), s)
	fence = value(h.Store.Rewind(t.Context(), rewindOf(fence, "r1")))(t)
	s.Ended, s.Outcome = false, 0
	if !reflect.DeepEqual(fence.State, s) {
		t.Errorf("rewound %+v", fence.State)
	}
	head(t, h, fence)
}

// stateInChains: an execution has not ended before the event that ends it is in
// the history, and the next one is not what the last one was, whatever the cut.
func stateInChains(t *testing.T, h Harness) {
	commits := map[string]*taskhub.Commit{}
	begin := func(id string) {
		c := commit(taskhub.Fence{}, "n"+id, results(0, 3)...)
		c.InstanceID = id
		c.State = &taskhub.State{Origin: "x1", Ended: true, Outcome: history.Completed}
		next := commit(apply(t, h, c), "m"+id, results(10, 250)...)
		next.InstanceID, next.ExecutionID, next.NewExecution = id, "y1", true
		next.State = &taskhub.State{Origin: "y1", Ended: true, Outcome: history.Failed, Awaits: taskhub.Awaits{Work: true}}
		commits[id] = next
	}
	call := func(id string) error {
		_, err := h.Store.Commit(t.Context(), commits[id])
		return err
	}
	check := func(id string) {
		got := value(h.Store.Load(t.Context(), id, 0))(t)
		s := got.Fence.State
		switch {
		case got.Fence.ExecutionID == "x1":
			if s.Origin != "x1" || s.Outcome != history.Completed || !s.Ended {
				t.Errorf("%q: before the next execution: %+v", id, s)
			}
		case s.Origin != "y1" || s.Ended != (len(got.Events) == 250):
			t.Errorf("%q: with %d events: %+v", id, len(got.Events), s)
		}
	}
	if h.Cut == nil {
		begin("plain")
		must(t, call("plain"))
		check("plain")
		return
	}
	eachCut(t, h, "state", begin, call, func(id string) {
		check(id)
		must(t, call(id))
		check(id)
	})
}

// originOfRow is kept with the instance row.
func originOfRow(t *testing.T, h Harness) {
	r := row("a'b")
	r.Origin, r.ParentInstanceID = "x1", "p/1"
	must(t, h.Store.Insert(t.Context(), r))
	running := history.Running
	r.ETag = value(h.Store.Merge(t.Context(), "a'b", taskhub.Change{ETag: r.ETag, ExecutionID: "x2", Status: &running}))(t)
	r.ExecutionID, r.Status = "x2", running
	if got := value(h.Store.Instance(t.Context(), "a'b"))(t); !reflect.DeepEqual(got, r) {
		t.Errorf("got  %+v\nwant %+v", got, r)
	}
	r.ETag = value(h.Store.Merge(t.Context(), "a'b", taskhub.Change{ETag: r.ETag, Origin: "y1"}))(t)
	rows, _ := all(t, h, taskhub.Query{WithoutPayloads: true})
	if len(rows) != 1 || rows[0].Origin != "y1" || rows[0].ParentInstanceID != "p/1" {
		t.Errorf("listed %+v", rows)
	}
}

// purgeInbox deletes what was told, and the receipts.
func purgeInbox(t *testing.T, h Harness) {
	r := finished(t, h, "a'b", 150)
	tell(t, h, events("s", 0, 1200)...)
	tell(t, h, control(history.ExecutionTerminated, 1))
	if rows := value(h.Store.Purge(t.Context(), "a'b", r.ETag))(t); rows != 150+2+2*1201 {
		t.Errorf("%d rows", rows)
	}
	nothing(t, h, "a'b")
	waiting(t, h)
	tell(t, h, event("s", 0))
	waiting(t, h, event("s", 0))
	// Without a history and a row there may be rows yet.
	if rows := value(h.Store.Purge(t.Context(), "a'b", ""))(t); rows != 2 {
		t.Errorf("%d rows", rows)
	}
	waiting(t, h)
}

// purgeSparesLater: what was told a later execution survives the purge of an
// earlier one that comes late.
func purgeSparesLater(t *testing.T, h Harness) {
	etags := map[string]string{}
	begin := func(id string) {
		etags[id] = finished(t, h, id, 5).ETag
		must(t, h.Store.Tell(t.Context(), id, events("early", 0, 5)...))
	}
	call := func(id string) error {
		_, err := h.Store.Purge(t.Context(), id, etags[id])
		return err
	}
	eachCut(t, h, "later", begin, call, func(id string) {
		have, err := h.Store.Instance(t.Context(), id)
		if err == nil {
			value(h.Store.Purge(t.Context(), id, have.ETag))(t)
		}
		next := row(id)
		next.ExecutionID, next.Origin = "x2", "x2"
		must(t, h.Store.Insert(t.Context(), next))
		e := event("later", 1)
		e.Origin = "x2"
		must(t, h.Store.Tell(t.Context(), id, e))
		if _, err := h.Store.Purge(t.Context(), id, etags[id]); err == nil {
			t.Errorf("%q: a late purge succeeded", id)
		}
		sameRows(t, value(h.Store.Look(t.Context(), id, taskhub.LookOptions{}))(t).Rows, e)
	})
}
