package orchestration

import (
	"context"
	"errors"

	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// finish does what the end of an execution still owes and lets go of everything.
func (in *Instance) finish(ctx context.Context) error {
	in.x.record.stop(activity.EndedBy(in.x.record.outcome.Status))
	if err := in.learnRow(ctx); err != nil {
		return err
	}
	// The row is written last: where it shows the outcome all else is done, and a late
	// message is nothing to tell others about.
	if !in.x.row.final() || in.x.owes {
		if err := in.payOwed(ctx); err != nil {
			return err
		}
		in.x.owes = false
	}
	if !in.x.row.final() {
		if err := in.showOutcome(ctx); err != nil {
			return err
		}
	}
	in.custody.LetGo(in.isKept)
	return nil
}

// payOwed does what an ended execution owes to others, whichever process ended it.
func (in *Instance) payOwed(ctx context.Context) error {
	if err := in.sendOwed(ctx); err != nil {
		return err
	}
	if err := in.releaseLocks(ctx); err != nil {
		return err
	}
	if err := in.terminateChildren(ctx); err != nil {
		return err
	}
	return in.tellParent(ctx)
}

// sendOwed sends what the execution has asked for and no process may have sent: its
// history will be replaced, or has ended. A message that is sent twice is recognised
// by its id. Timers end with the execution, and children of a terminated one do not
// begin.
func (in *Instance) sendOwed(ctx context.Context) error {
	x := in.x
	var effects []*history.Event
	children := false
	for _, e := range x.record.owed() {
		child := e.Type == history.SubOrchestrationInstanceCreated
		if e.Type == history.TimerCreated || child && x.ended() && x.record.outcome.Status == history.Terminated {
			continue
		}
		children = children || child
		effects = append(effects, e)
	}
	if children {
		if err := in.findInputs(ctx, effects); err != nil {
			return err
		}
	}
	return in.sendEffects(ctx, effects)
}

// findInputs replaces the recorded starts of children by those that the code asked
// for: the history does not keep the inputs of calls, the code has them.
func (in *Instance) findInputs(ctx context.Context, effects []*history.Event) error {
	x := in.x
	if x.ended() && x.eng.Started() == nil {
		if err := in.runCode(ctx, func() error { return x.eng.Load(x.record.events) }); err != nil {
			return in.parked(err)
		}
	}
	asked := map[int32]*history.Event{}
	for _, list := range [][]*history.Event{x.eng.Outstanding(), x.eng.OneWay()} {
		for _, e := range list {
			asked[e.ID] = e
		}
	}
	for i, e := range effects {
		if e.Type == history.SubOrchestrationInstanceCreated && asked[e.ID] != nil {
			effects[i] = asked[e.ID]
		}
	}
	return nil
}

// terminateCold ends an instance that a row of the inbox terminates, by the sentinel
// alone: its history may be unreadable, and its code may block. done means that
// nothing is left to do.
func (in *Instance) terminateCold(ctx context.Context) (done bool, err error) {
	end := terminating(in.inbox.rows)
	if end == nil {
		return false, nil
	}
	head, err := in.readHead(ctx)
	if err != nil {
		return false, err
	}
	if head.ETag == "" || head.State.Ended || end.Origin != "" && end.Origin != head.Origins() {
		return false, nil
	}
	in.become(in.newExecution(head, nil))
	in.x.record.started = &history.Event{Type: history.ExecutionStarted, Parent: head.State.Parent, Instance: in.self()}
	in.end(merge(nil, in.takeRows()))
	if err := in.commit(ctx); err != nil {
		return false, err
	}
	ended := in.x
	in.become(nil)
	if err := in.read(ctx, 0); err != nil {
		if !errors.As(err, new(*parkedError)) {
			return false, err
		}
		// What it has asked for cannot be known; its parent is.
		in.Log.Error("the history of an instance that was terminated cannot be read", "instance", in.ID, "error", err)
		in.become(ended)
		return false, nil
	}
	in.tellCold()
	return false, nil
}

// terminating is the telling among rows that ends an instance, nil where none does.
func terminating(rows []*taskhub.InboxRow) *taskhub.Telling {
	for _, row := range rows {
		if row.Err == nil && row.Telling.Event.Type == history.ExecutionTerminated {
			return &row.Telling
		}
	}
	return nil
}
