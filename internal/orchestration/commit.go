package orchestration

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/journal"
	"github.com/durable-go/functions/internal/taskhub"
)

// commit writes the draft: history rows, the state on the sentinel, and the inbox
// rows that leave, in one transaction where it fits.
func (in *Instance) commit(ctx context.Context) error {
	x := in.x
	d, code := &x.draft, in.code()
	if len(d.events) == 0 && len(d.takes) == 0 && !d.spilled {
		in.settle(code)
		return nil
	}
	after := x.record.project(d.events)
	c := &taskhub.Commit{
		InstanceID:   in.ID,
		ExecutionID:  x.id,
		Fence:        x.fence,
		Nonce:        in.NewID(),
		Time:         in.Exec.Now(),
		Events:       d.events,
		Spilled:      after.spilled,
		NewExecution: x.fresh,
		State:        x.state(after),
		Takes:        d.positions(),
	}
	err := in.Exec.Do(ctx, func(ctx context.Context) error {
		fence, err := in.Store.Commit(ctx, c)
		if err == nil {
			x.fence = fence
		}
		return err
	})
	if err != nil {
		return err
	}
	in.forgetReceipts(d.takes)
	in.Parkings.goesOn(in.ID)
	in.tell(in.endings())
	ended := x.record.outcome
	x.applyDraft()
	if x.record.outcome != ended {
		in.logOutcome()
	}
	if x.fresh && x.fence.Apart {
		in.sweep()
	}
	x.fresh = false
	in.show()
	in.settle(code)
	return nil
}

// positions are the takes of the draft as the store wants them.
func (d *draft) positions() []taskhub.Take {
	if len(d.takes) == 0 {
		return nil
	}
	at := map[*history.Event]int{}
	for i, e := range d.events {
		at[e] = i
	}
	takes := make([]taskhub.Take, len(d.takes))
	for i, t := range d.takes {
		takes[i] = taskhub.Take{Key: t.key, Event: -1}
		if n, ok := at[t.event]; ok && t.event != nil {
			takes[i].Event = n
		}
	}
	return takes
}

// settle begins a new draft: what brought the old one is durable. It tells the
// journal which failures of code that ended the process are stored, and removes the
// work items whose results are history. code is the turn that was committed.
func (in *Instance) settle(code journal.Code) {
	x := in.x
	if x.blame != nil {
		in.Journal.Settle(code)
	}
	for _, it := range x.draft.items {
		if l, ok := it.(*local); ok {
			l.settled = true
		}
		r, ok := it.(*Result)
		if !ok {
			continue
		}
		r.settled = true
		r.Call.Progress.Settled(r.Event)
		if r.Event.Failure != nil && r.Event.Failure.ErrorType == activity.ExitedType {
			in.Journal.Settle(r.Call.Code())
		}
	}
	for _, carrier := range x.draft.carriers {
		in.Pool.Done(carrier)
	}
	// What is committed does not come again in this pass: a rewind may have opened the
	// action meanwhile that a result answers.
	in.batch = slices.DeleteFunc(slices.Clone(in.batch), func(it Item) bool { return contains(x.draft.items, it) })
	x.newDraft()
	in.refusal, in.refusals = nil, 0
}

// sweep deletes the large payloads of the generation that was replaced, off the
// path. What it misses the next one finds.
func (in *Instance) sweep() {
	id, fence := in.ID, in.x.fence
	in.Exec.Go(func(ctx context.Context) {
		if err := in.Store.Sweep(ctx, id, fence); err != nil && ctx.Err() == nil {
			in.Log.Warn("large payloads of an earlier execution were not deleted", "instance", id, "error", err)
		}
	})
}

// logOutcome reports that an execution has ended, once, by the process that has
// committed its end. What becomes of the failure of a child its parent decides,
// which may repeat it.
func (in *Instance) logOutcome() {
	end, started := in.x.record.outcome, in.x.record.started
	if end == nil {
		return
	}
	if started == nil {
		started = &history.Event{Timestamp: end.Timestamp}
	}
	if end.Status != history.Failed {
		in.logEnd(end, started)
		return
	}
	name, level, reason := started.Name, slog.LevelError, string(end.Result)
	if started.Parent != nil {
		level = slog.LevelWarn
	}
	if end.Failure != nil {
		reason = end.Failure.ErrorMessage
	}
	in.Log.Log(context.Background(), level, "orchestration failed", "instance", in.ID, "name", name, "execution", in.x.id, "error", reason)
}

// logEnd logs that an orchestration has ended and not failed, where that is asked for.
func (in *Instance) logEnd(end, started *history.Event) {
	if !in.LogEnds || end.Status == history.ContinuedAsNew {
		return
	}
	in.Log.Info("orchestration ended", "instance", in.ID, "name", started.Name, "status", end.Status.String(), "took", end.Timestamp.Sub(started.Timestamp).Round(time.Millisecond))
}
