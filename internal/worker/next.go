package worker

import (
	"context"
	"encoding/json"
	"slices"

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
		if err := in.dispatchOneWay(ctx); err != nil {
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
	events[0].Own.Options = in.heldMessages()
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
	in.rememberKept(events[0])
	if err := in.turn(ctx, events); err != nil {
		return err
	}
	// Its clock is not that of a message: repeated, it could ask for other
	// things.
	in.deferrable = false
	return nil
}

// kept are the messages whose removal is not confirmed when an execution
// begins, and the last events: one that comes again was used by the one before.
type kept struct {
	Seen   []string `json:"seen,omitempty"`
	Recent []recent `json:"recent,omitempty"`
}

func (in *instance) heldMessages() history.Payload {
	k := kept{Recent: in.recentEvents()}
	for id := range in.held {
		if !slices.ContainsFunc(in.early, func(it *item) bool { return it.message.ID == id }) {
			k.Seen = append(k.Seen, id)
		}
	}
	for _, it := range in.unacked {
		switch m := it.message; {
		case m == nil:
		case m.Event.Type == history.EventRaised:
			k.Recent = append(k.Recent, recent{ID: m.ID, Sent: m.Event.Timestamp})
		case in.held[m.ID] == nil:
			k.Seen = append(k.Seen, m.ID)
		}
	}
	raw, err := json.Marshal(k)
	if err != nil {
		return nil
	}
	return raw
}

func (in *instance) rememberKept(e *history.Event) {
	var k kept
	if e.Own.Options == nil || json.Unmarshal(e.Own.Options, &k) != nil {
		return
	}
	for _, id := range k.Seen {
		in.seen[id] = true
	}
	in.recent = k.Recent
	for _, r := range k.Recent {
		in.seen[r.ID] = true
	}
}
