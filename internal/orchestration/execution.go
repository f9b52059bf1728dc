package orchestration

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/lease"
	"github.com/durable-go/functions/internal/taskhub"
)

// execution is one execution in memory. Another one that takes its place is a new
// value: nothing of this one is left.
type execution struct {
	id string
	// origin is the execution that was started, of which this one is a
	// continuation, or itself.
	origin string
	eng    *engine.Instance
	fence  taskhub.Fence
	// fresh means that the next commit starts a new generation over an old one.
	fresh  bool
	record *record
	draft  draft
	row    rowState
	// custom is the custom status as the code has set it last.
	custom history.Payload
	// over is when an execution was started over another one, until its first commit:
	// what was told before and names no execution was for that. Zero: never.
	over time.Time
	// under is the lease that the first commit of a continuation may name: the one of
	// the execution before.
	under string
	// local counts the events of its own that are in the mailbox.
	local int
	// blame is why the code must not run: the instance fails with it.
	blame error
	// spans are the ids of the spans of actions that were derived, by the action and how
	// often it was redone; nil where nothing observes.
	spans map[[2]int32]string
	// owes says that what the end of the execution owes others is to be done again.
	owes bool
}

// draft is what came since the last commit.
type draft struct {
	events []*history.Event
	// items are what brought them; a conflict brings them again.
	items []Item
	// takes are the inbox rows that leave with the commit, with the events that they
	// bring; nil for a row that brings none.
	takes []take
	// carriers are the work items whose results are among the events.
	carriers []*lease.Lease
	// deferrable means that the events are a first turn that may wait for its first
	// result; actions are what this process does for it before its commit.
	deferrable bool
	actions    map[int32]*action
	// spilled means that work items were sent since.
	spilled bool
	// ended is what the last turn of the execution before this one has ended, where
	// that is durable with the first commit of this one.
	ended []*observe.Span
}

type take struct {
	key   string
	event *history.Event
}

// spills notes that what the sentinel has of work items has changed.
func (d *draft) spills() { d.spilled = true }

// action is what this process knows of an open action of the engine; nil when that is
// in a draft whose effects must wait for the commit.
func (x *execution) action(e *history.Event) *action {
	if a := x.record.actions[e.ID]; a != nil {
		return a
	}
	if !x.draft.deferrable || !x.inDraft(e) {
		return nil
	}
	a := x.draft.actions[e.ID]
	if a == nil {
		a = &action{event: e, lease: e.Own.Lease}
		if x.draft.actions == nil {
			x.draft.actions = map[int32]*action{}
		}
		x.draft.actions[e.ID] = a
	}
	return a
}

func (x *execution) inDraft(e *history.Event) bool { return slices.Contains(x.draft.events, e) }

// running is the action of a call that runs here, nil where none does.
func (x *execution) running(call *activity.Call) *action {
	for _, actions := range []map[int32]*action{x.record.actions, x.draft.actions} {
		if a := actions[call.TaskID]; a != nil && a.run != nil && a.run.Call == call {
			return a
		}
	}
	return nil
}

// inherit takes over what this process does about the actions of an earlier view of
// the same execution.
func (x *execution) inherit(old *execution) {
	x.draft.spilled, x.local = old.draft.spilled, old.local
	x.record.inherit(old.record)
	for id, early := range old.draft.actions {
		if a := x.record.actions[id]; a != nil && a.run == nil {
			a.runs(early.run)
			delete(old.draft.actions, id)
		}
	}
	x.draft.actions, old.draft.actions = old.draft.actions, nil
}

// applyDraft takes the draft into the record: it is committed.
func (x *execution) applyDraft() {
	x.record.apply(x.draft.events, nil)
	for id, early := range x.draft.actions {
		if a := x.record.actions[id]; a != nil {
			a.runs(early.run)
		}
	}
}

// newDraft begins a draft: what brought the old one is durable.
func (x *execution) newDraft() { x.draft, x.under, x.over = draft{}, "", time.Time{} }

// ended reports whether the execution has an outcome.
func (x *execution) ended() bool { return x.record.outcome != nil }

// parent is the orchestration that waits for the execution, nil when none does.
func (x *execution) parent() *history.Parent {
	if x.record.started != nil {
		return x.record.started.Parent
	}
	return x.fence.State.Parent
}

// state is what the commit of the draft makes the sentinel say.
func (x *execution) state(after projection) *taskhub.State {
	s := &taskhub.State{Origin: x.origin, Sent: after.sent, Awaits: after.awaits, Parent: x.fence.State.Parent}
	if after.started != nil {
		s.Parent = after.started.Parent
	}
	if len(x.record.events) == 0 && x.fence.ETag != "" && !x.fresh {
		s.Sent = x.fence.State.Sent // the history was not read
	}
	if after.outcome != nil {
		s.Ended, s.Outcome, s.Awaits = true, after.outcome.Status, taskhub.Awaits{}
	}
	return s
}

// isFor reports whether a message for the named execution is for this one. What
// answers an action is for the execution that asked and for no other: the ids of
// actions begin anew.
func (x *execution) isFor(target string) bool { return target == "" || target == x.id }

// descends reports whether the execution is the one named, or continues it as new.
func (x *execution) descends(instance, from string) bool {
	return from == x.id || from == x.origin || taskhub.Continues(instance, x.id, from)
}

// showsCustom reports whether the instance row has the custom status.
func (x *execution) showsCustom() bool { return bytes.Equal(x.custom, x.row.custom) }

// newEngine makes the engine of an execution that has no history in it yet.
func (in *Instance) newEngine() *engine.Instance {
	return engine.New(engine.Options{
		InstanceID: in.ID,
		Program:    in.Programs,
		MaxActions: in.MaxActions,
		Strict:     in.Strict,
		Places:     in.Places,
		Interrupt:  func() error { return context.Cause(in.Exec.Context()) },
	})
}

// newExecution makes an execution of a history, whose code has not run yet.
func (in *Instance) newExecution(f taskhub.Fence, events []*history.Event) *execution {
	x := &execution{id: f.ExecutionID, origin: f.State.Origin, eng: in.newEngine(), fence: f, record: newRecord(f)}
	if x.origin == "" {
		x.origin = x.id
	}
	x.record.apply(events, f.Spilled)
	x.custom = x.record.custom
	return x
}

// successor is the execution that continues the old one as new. The first commit of it
// makes durable what brought the last turn of the old one.
func (in *Instance) successor(old *execution, id string) *execution {
	x := in.newExecution(taskhub.Fence{ExecutionID: id}, nil)
	x.origin, x.fence, x.fresh = old.origin, old.fence, old.fence.ETag != ""
	x.row, x.custom = old.row, old.custom
	x.row.stale = true
	x.draft = draft{items: old.draft.items, takes: old.draft.takes, carriers: old.draft.carriers}
	return x
}

// become makes x the execution in memory. What this process did for the one before has
// ended, or goes on for x.
func (in *Instance) become(x *execution) { in.x = x }

// begin makes a start the execution in memory, over what is left there of one
// before, which may have ended in another process.
func (in *Instance) begin(id string, row *taskhub.Instance) {
	before := in.x.fence
	in.forgetExecution(activity.ErrPurged)
	in.become(in.newExecution(taskhub.Fence{ExecutionID: id}, nil))
	in.x.row.read(row)
	in.x.blame = in.refusal
	if before.ETag != "" {
		in.x.fence, in.x.fresh, in.x.over = before, true, row.Created
		in.x.record.sent = 0
	}
}

// forgetExecution ends what this process does for the execution. cause is why its
// activities stop; nil: they are not told.
func (in *Instance) forgetExecution(cause error) {
	x := in.x
	if x == nil {
		return
	}
	in.x = nil
	x.record.stop(cause)
	for _, a := range x.draft.actions {
		a.stop(cause)
	}
	in.offers = nil
	if x.eng != nil {
		in.Host.CloseCode(x.eng)
	}
}

// nothing is the execution of an instance that has no history and no start yet.
func (in *Instance) nothing() *execution { return in.newExecution(taskhub.Fence{}, nil) }

// self names the execution to others.
func (in *Instance) self() history.InstanceRef {
	return history.InstanceRef{InstanceID: in.ID, ExecutionID: in.x.id}
}

// readHead reads the sentinel.
func (in *Instance) readHead(ctx context.Context) (taskhub.Fence, error) { return in.Head(ctx, in.ID) }
