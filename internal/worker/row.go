package worker

import (
	"context"
	"errors"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// rowState is what is known of the instance row.
type rowState struct {
	known  bool
	etag   string
	status history.Status
	// updated is when the row was last written.
	updated time.Time
	// unclaimed says that the row has no execution id: an old client wrote it.
	unclaimed bool
	// stale says that the row is of the execution that continued as new.
	stale bool
	// gone says that the row was purged or belongs to another execution.
	gone bool
	// parked says that the row speaks of code that could not go on.
	parked bool
	// ahead says that the row tells what this process would not have written:
	// another one may have gone on.
	ahead bool
}

// custom is the custom status of an orchestration and whether the row has it.
type custom struct {
	value history.Payload
	dirty bool
}

func (c *custom) update(t *engine.Turn) {
	if t.CustomStatusChanged {
		c.value, c.dirty = t.CustomStatus, true
	}
}

func (in *instance) readRow(ctx context.Context) (*taskhub.Instance, error) {
	var row *taskhub.Instance
	err := in.w.retry(ctx, finalStorage, func(ctx context.Context) (err error) {
		row, err = in.w.Store.Instance(ctx, in.id)
		return err
	})
	return row, err
}

// learnRow reads the row unless it is known, and finds out whether it still
// speaks of this execution.
func (in *instance) learnRow(ctx context.Context) error {
	if in.row.known {
		return nil
	}
	row, err := in.readRow(ctx)
	if errors.Is(err, taskhub.ErrNotFound) {
		in.row = rowState{known: true, gone: true}
		return nil
	}
	if err != nil {
		return err
	}
	in.row = rowState{
		known: true, etag: row.ETag, status: row.Status, updated: row.Updated,
		unclaimed: row.ExecutionID == "", parked: row.Parked != "",
	}
	if other := row.ExecutionID != "" && row.ExecutionID != in.execution; other {
		// A start over a finished instance makes a pending row; what this one
		// continued from may have ended before its row said that it runs.
		in.row.gone = row.Status.Finished() || row.Status == history.Pending && !in.descends(row.ExecutionID)
		in.row.stale = !in.row.gone
	}
	in.row.ahead = in.row.status.Finished() || in.row.status == history.Suspended || in.row.stale && !in.descends(row.ExecutionID)
	return nil
}

// mayMerge tells a process that others have overtaken that the row is not its to
// write any more. changed says that the row is not what it was.
func (in *instance) mayMerge(ctx context.Context, changed bool) error {
	if !changed && (in.outcome != nil || !in.row.ahead) {
		return nil
	}
	overtaken, err := in.overtaken(ctx)
	if overtaken {
		return errBehind
	}
	in.row.ahead = false
	return err
}

// overtaken tells whether another process has committed since this one read.
func (in *instance) overtaken(ctx context.Context) (bool, error) {
	var h *taskhub.History
	err := in.w.retry(ctx, finalStorage, func(ctx context.Context) (err error) {
		h, err = in.w.Store.Load(ctx, in.id, in.fence.NextRow)
		return err
	})
	return err == nil && h.Fence.ETag != in.fence.ETag, err
}

// mergeRow changes the instance row, as long as it is this execution's.
func (in *instance) mergeRow(ctx context.Context, change taskhub.Change) error {
	for changed := false; ; changed = true {
		if err := in.learnRow(ctx); err != nil || in.row.gone {
			return err
		}
		if err := in.mayMerge(ctx, changed); err != nil {
			return err
		}
		change.ETag = in.row.etag
		if in.row.unclaimed || in.row.stale {
			change.ExecutionID = in.execution
		}
		if started := in.startEvent(); in.row.stale && started != nil {
			change.Input, change.Created = &started.Input, &started.Timestamp
		}
		err := in.w.retry(ctx, finalStorage, func(ctx context.Context) error {
			etag, err := in.w.Store.Merge(ctx, in.id, change)
			if err == nil {
				in.row.etag = etag
			}
			return err
		})
		if err == nil {
			in.mergedRow(change)
			return nil
		}
		if !errors.Is(err, taskhub.ErrChanged) && !errors.Is(err, taskhub.ErrNotFound) {
			return err
		}
		in.row = rowState{}
	}
}

func (in *instance) mergedRow(change taskhub.Change) {
	in.row.unclaimed, in.row.stale = false, false
	in.row.updated = change.Updated
	if change.Parked != nil {
		in.row.parked = *change.Parked != ""
	}
	if change.Status != nil {
		in.row.status = *change.Status
	}
	if change.CustomStatus != nil {
		in.custom.dirty = false
	}
	in.w.watches.changed(in.id)
}

// showRunning makes the row say that the orchestration runs, or is suspended.
func (in *instance) showRunning(ctx context.Context) error {
	if err := in.learnRow(ctx); err != nil {
		return err
	}
	status := history.Running
	if in.eng != nil && in.eng.Suspended() {
		status = history.Suspended
	}
	if in.row.status == status && !in.custom.dirty && !in.row.stale && !in.row.parked && !in.isOutdated() {
		return nil
	}
	change := taskhub.Change{Status: &status, Updated: in.w.now()}
	in.unpark(&change)
	if in.reason != nil {
		change.Output = &in.reason
	}
	if in.custom.dirty {
		change.CustomStatus = &in.custom.value
	}
	return in.mergeRow(ctx, change)
}

// showEvery is how far the row may be behind an orchestration that goes on: who
// looks for those that do not asks when the row was last written.
const showEvery = time.Minute

func (in *instance) isOutdated() bool { return in.w.clock.Now().Sub(in.row.updated) >= showEvery }

// reopenRow makes the row of a rewound execution say that it runs, before it can
// end again: a row that shows an end is that of an execution about which nothing
// is left to do.
func (in *instance) reopenRow(ctx context.Context) error {
	if len(in.redone) == 0 || in.outcome != nil {
		return nil
	}
	if err := in.learnRow(ctx); err != nil || in.row.gone || !in.row.status.Finished() {
		return err
	}
	return in.showRunning(ctx)
}

// showOutcome makes the row say how the execution ended.
func (in *instance) showOutcome(ctx context.Context) error {
	end := in.outcome
	completed := in.w.now()
	change := taskhub.Change{Status: &end.Status, Output: &end.Result, Updated: completed, Completed: &completed}
	in.unpark(&change)
	if in.custom.dirty {
		change.CustomStatus = &in.custom.value
	}
	return in.mergeRow(ctx, change)
}

// mayBeOld tells whether the row may say something else than that the
// orchestration runs. What came again may have been parked before.
func (in *instance) mayBeOld() bool {
	if in.custom.dirty {
		return true
	}
	if !in.row.known {
		return in.dequeued() > 1 || in.aged()
	}
	return in.row.status == history.Pending || in.row.parked || in.isOutdated()
}

// unpark takes the reason out of the row why the code could not go on: it does.
func (in *instance) unpark(change *taskhub.Change) {
	if in.row.parked {
		none := ""
		change.Parked = &none
	}
}

// parkedDelay is how long the messages of a parked instance are put off: a
// deployment may bring code that fits.
const parkedDelay = time.Minute

// park makes the row say that the code no longer fits the history, or blocks,
// and puts the messages off.
func (in *instance) park(ctx context.Context, cause error) {
	text := cause.Error()
	in.w.log.Error("orchestration parked until other code comes", "instance", in.id, "error", cause)
	if err := in.mergeRow(ctx, taskhub.Change{Parked: &text, Updated: in.w.now()}); err != nil && !errors.Is(err, errBehind) {
		in.w.storage.failed(ctx, err)
	}
	in.abandon(ctx, parkedDelay)
}
