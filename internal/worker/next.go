package worker

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// continueAsNew begins the execution that follows one that continued as new.
// What the old one has sent to others goes out first, after its last turn is
// committed; where it has sent nothing, that turn is never written, and the
// commit of the new execution replaces the old history.
func (in *instance) continueAsNew(ctx context.Context) error {
	for {
		next := in.eng.Next()
		if next == nil {
			return nil
		}
		if sendsOneWay(in.pending) {
			if err := in.commit(ctx); err != nil {
				return err
			}
		}
		if err := in.dispatchLast(ctx); err != nil {
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

// roll makes the next execution the current one and runs its first turn.
func (in *instance) roll(ctx context.Context, next *engine.Next) error {
	execution := taskhub.DerivedID("next", in.id, in.execution)
	events := next.Events(execution, in.w.now())
	kept := in.keep()
	var err error
	if events[0].Own.Options, err = json.Marshal(kept); err != nil {
		return fmt.Errorf("what is kept for the next execution of %q: %w", in.id, err)
	}
	in.stopTimers()
	in.dropJobs(ErrAbandoned)
	in.closeCode()
	unacked, carriers := in.unacked, in.carriers
	fence := in.fence
	in.reset(nil)
	in.unacked, in.carriers, in.fence = unacked, carriers, fence
	in.fresh = fence.ETag != ""
	in.execution, in.spilled, in.unrecorded = execution, nil, false
	in.row.stale = true
	in.recall(kept)
	if err := in.turn(ctx, events); err != nil {
		return err
	}
	// Its clock is not that of a message: repeated, it could ask for other
	// things.
	in.deferrable = false
	return nil
}
