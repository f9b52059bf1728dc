package worker

import (
	"context"

	"github.com/durable-go/functions/internal/taskhub"
)

// mayWait tells whether the turn need not be written yet: a first turn is the
// same when it is repeated, so it can be written together with its first
// result.
func (in *instance) mayWait(due bool) bool {
	return in.deferrable && !due && len(in.pending) > 0
}

// commit writes what is pending.
func (in *instance) commit(ctx context.Context) error {
	if len(in.pending) == 0 && !in.unrecorded {
		in.unacked, in.noted = nil, 0
		in.removeCarriers(ctx)
		return nil
	}
	c := &taskhub.Commit{
		InstanceID:   in.id,
		ExecutionID:  in.execution,
		Fence:        in.fence,
		Nonce:        in.w.NewID(),
		Time:         in.w.now(),
		Events:       in.pending,
		Spilled:      in.spilled,
		NewExecution: in.fresh,
	}
	err := in.w.retry(ctx, finalStorage, func(ctx context.Context) error {
		fence, err := in.w.Store.Commit(ctx, c)
		if err == nil {
			in.fence = fence
		}
		return err
	})
	if err != nil {
		return err
	}
	in.settle()
	ended := in.outcome
	in.remember(in.pending)
	if in.outcome != ended {
		in.logOutcome()
	}
	if in.fresh && in.fence.Apart {
		in.sweep()
	}
	in.pending, in.unacked, in.followed, in.noted = nil, nil, nil, 0
	in.fresh, in.deferrable, in.unrecorded = false, false, false
	in.removeCarriers(ctx)
	return nil
}

// sweep deletes the large payloads of the generation that was replaced, off the
// path. What it misses the next one finds.
func (in *instance) sweep() {
	id, fence := in.id, in.fence
	in.w.spawn(func(ctx context.Context) {
		if err := in.w.Store.Sweep(ctx, id, fence); err != nil && ctx.Err() == nil {
			in.w.log.Warn("large payloads of an earlier execution were not deleted", "instance", id, "error", err)
		}
	})
}

// settle tells the journal which failures of code that ended the process are
// stored now.
func (in *instance) settle() {
	if in.blame != nil {
		in.w.Journal.Settle(in.code())
	}
	for _, it := range in.unacked {
		if it.call == nil {
			continue
		}
		it.call.Progress.settled(it.result)
		if it.result.Failure != nil && it.result.Failure.ErrorType == exitedType {
			in.w.Journal.Settle(it.call.code())
		}
	}
}

// removeCarriers deletes the work items whose results are history now.
func (in *instance) removeCarriers(ctx context.Context) {
	for _, h := range in.carriers {
		in.w.items.leave(h.id, true)
		if !in.w.spawn(h.remove) {
			h.remove(ctx)
		}
	}
	in.carriers = nil
}

// isSpilled tells whether the work of an action is in a message of its own.
func (in *instance) isSpilled(id int32) bool {
	for _, r := range in.spilled {
		if r.First <= id && id <= r.Last {
			return true
		}
	}
	return false
}

// unspill forgets that the work of an action was in a message: a rewind wants it
// done again.
func (in *instance) unspill(id int32) {
	var ranges []taskhub.Range
	for _, r := range in.spilled {
		if id < r.First || id > r.Last {
			ranges = append(ranges, r)
			continue
		}
		if r.First < id {
			ranges = append(ranges, taskhub.Range{First: r.First, Last: id - 1})
		}
		if id < r.Last {
			ranges = append(ranges, taskhub.Range{First: id + 1, Last: r.Last})
		}
	}
	in.spilled = ranges
}

// addSpilled records ids as spilled. The ranges that the fence has are not
// touched: they may be read elsewhere.
func (in *instance) addSpilled(id int32) {
	ranges := append([]taskhub.Range(nil), in.spilled...)
	at := len(ranges)
	for at > 0 && ranges[at-1].First > id {
		at--
	}
	switch {
	case at > 0 && ranges[at-1].Last >= id:
		return
	case at > 0 && ranges[at-1].Last == id-1:
		ranges[at-1].Last = id
		if at < len(ranges) && ranges[at].First == id+1 {
			ranges[at-1].Last = ranges[at].Last
			ranges = append(ranges[:at], ranges[at+1:]...)
		}
	case at < len(ranges) && ranges[at].First == id+1:
		ranges[at].First = id
	default:
		ranges = append(ranges[:at], append([]taskhub.Range{{First: id, Last: id}}, ranges[at:]...)...)
	}
	in.spilled = ranges
}
