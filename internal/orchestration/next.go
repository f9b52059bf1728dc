package orchestration

import (
	"context"
	"time"

	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// continueAsNew begins the execution that follows one that continued as new. What the
// old one has sent to others goes out first, after its last turn is committed; where
// it has sent nothing, that turn is never written, and the commit of the new
// execution replaces the old history.
func (in *Instance) continueAsNew(ctx context.Context) error {
	for {
		next := in.x.eng.Next()
		if next == nil {
			return nil
		}
		if sendsOneWay(in.x.draft.events) || len(in.x.record.sections) > 0 {
			if err := in.commit(ctx); err != nil {
				return err
			}
		}
		if err := in.sendOwed(ctx); err != nil {
			return err
		}
		if err := in.releaseLocks(ctx); err != nil {
			return err
		}
		if err := in.roll(ctx, next); err != nil {
			return err
		}
	}
}

func sendsOneWay(events []*history.Event) bool {
	for _, e := range events {
		if e.Type == history.EventSent || e.Type == history.SubOrchestrationInstanceCreated {
			return true
		}
	}
	return false
}

// after is now, or a moment after the last turn of the execution where the clock of the
// process that made it was ahead: what a continuation does comes later.
func (x *execution) after(now time.Time) time.Time {
	last := x.record.turned
	for _, e := range x.draft.events {
		if e.Type == history.OrchestratorStarted {
			last = e.Timestamp
		}
	}
	if !now.After(last) {
		return last.Add(100 * time.Nanosecond)
	}
	return now
}

// roll makes the next execution the current one and runs its first turn. What brought
// the last turn of the old one is durable with the first commit of the new one.
func (in *Instance) roll(ctx context.Context, next *engine.Next) error {
	old := in.x
	id := taskhub.DerivedID("next", in.ID, old.id)
	events := next.Events(id, old.after(in.Exec.Now()))
	in.carryLinks(events)
	told := in.endings()
	x := in.successor(old, id)
	x.draft.ended = told
	lease := in.leaseOfDraft()
	in.forgetExecution(activity.ErrAbandoned)
	in.become(x)
	if lease != nil {
		x.under = lease.ID
	}
	if err := in.turn(ctx, events); err != nil {
		return err
	}
	if x.custom != nil {
		noteCustom(x.draft.events, x.custom)
	}
	// Its clock is not that of a message: repeated, it could ask for other things.
	x.draft.deferrable = false
	return nil
}
