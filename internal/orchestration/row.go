package orchestration

import (
	"context"
	"errors"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/lease"
	"github.com/durable-go/functions/internal/taskhub"
)

// rowState is what is known of the instance row, which lists and status show. Nothing
// is decided by it that the sentinel knows.
type rowState struct {
	known  bool
	etag   string
	status history.Status
	custom history.Payload
	// updated is when the row was last written, created when the instance was started;
	// zero where this process has not read the row.
	updated, created time.Time
	// unclaimed means that the row has no execution id: an old client wrote it.
	unclaimed bool
	// foreign means that another client than ours wrote the row, and no merge of ours has
	// completed it.
	foreign bool
	// stale means that the row is of the execution that continued as new.
	stale bool
	// gone means that the row was purged or belongs to another execution.
	gone bool
	// parked means that the row speaks of code that could not go on.
	parked bool
	// backlog is what the row tells those who raise events.
	backlog string
	// ahead means that the row has what this process would not have written, so
	// another one may have gone on.
	ahead bool
	// reopened means that the row shows no end, and the execution has failed: a rewind
	// may have opened it again after our last commit.
	reopened bool
}

// read takes over a row of the execution.
func (r *rowState) read(row *taskhub.Instance) {
	*r = rowState{
		known: true, etag: row.ETag, status: row.Status, custom: row.CustomStatus, updated: row.Updated, created: row.Created,
		unclaimed: row.ExecutionID == "", parked: row.Parked != "", backlog: row.Backlog,
		foreign: row.Origin == "",
	}
}

// final reports whether the row needs nothing more: it shows the end, or it is not
// this execution's any more.
func (r *rowState) final() bool { return r.gone || r.status.Finished() }

// learnRow reads the row unless it is known, and finds out whether it still speaks of
// this execution.
func (in *Instance) learnRow(ctx context.Context) error {
	x := in.x
	if x.row.known {
		return nil
	}
	row, err := in.Row(ctx, in.ID)
	if errors.Is(err, taskhub.ErrNotFound) {
		x.row = rowState{known: true, gone: true}
		return nil
	}
	if err != nil {
		return err
	}
	x.row.read(row)
	in.crowded = in.crowded || row.Backlog != ""
	r := &x.row
	ours := row.ExecutionID == "" || x.descends(in.ID, row.ExecutionID)
	if row.ExecutionID != "" && row.ExecutionID != x.id {
		// A start over an ended instance makes a pending row; what this one continued
		// from may have ended before its row showed that it runs.
		r.gone = row.Status.Finished() || row.Status == history.Pending && !ours
		r.stale = !r.gone
	}
	r.reopened = x.ended() && x.record.outcome.Status == history.Failed && !r.status.Finished()
	r.ahead = r.status.Finished() || r.status == history.Suspended || r.status == history.Running && x.eng.Suspended() || r.stale && !ours || r.custom != nil && !x.showsCustom()
	return nil
}

// startedAgain has the row read anew that was gone: a start whose outcome its client did
// not know takes its row back, and writes it again when it is repeated. The row may come
// a moment after the message.
func (in *Instance) startedAgain(ctx context.Context, m *Message) error {
	if in.x.row.gone {
		in.x.row = rowState{}
	}
	if !in.x.ended() {
		return nil
	}
	if err := in.learnRow(ctx); err != nil || !in.x.row.gone || m.Dequeued >= startTries {
		return err
	}
	return in.startWithoutRow(m)
}

// mayMerge makes sure that the row is this process's to write: another one may have
// gone on. changed means that the row is not what it was.
func (in *Instance) mayMerge(ctx context.Context, changed bool) error {
	x := in.x
	if !changed && !x.row.reopened && (!x.row.ahead || x.ended() && !x.row.stale) {
		return nil
	}
	head, err := in.readHead(ctx)
	if err != nil {
		return err
	}
	if head.ETag != x.fence.ETag {
		return errAgain
	}
	x.row.ahead, x.row.reopened = false, false
	return nil
}

// mergeRow changes the instance row, as long as it is this execution's.
func (in *Instance) mergeRow(ctx context.Context, change taskhub.Change) error {
	for changed := false; ; changed = true {
		if err := in.learnRow(ctx); err != nil || in.x.row.gone {
			return err
		}
		if err := in.mayMerge(ctx, changed); err != nil {
			return err
		}
		if changed && change.Completed != nil && in.x.row.status == *change.Status {
			return nil // an earlier try has shown the end, and its answer was lost
		}
		err := in.writeRow(ctx, change)
		if err == nil {
			in.mergedRow(change)
			return nil
		}
		if !errors.Is(err, taskhub.ErrChanged) && !errors.Is(err, taskhub.ErrNotFound) {
			return err
		}
		in.x.row = rowState{}
	}
}

func (in *Instance) writeRow(ctx context.Context, change taskhub.Change) error {
	x := in.x
	change.ETag = x.row.etag
	if x.row.unclaimed || x.row.stale {
		change.ExecutionID = x.id
		change.Origin = x.origin
	}
	started := x.record.started
	if x.row.stale && started != nil {
		change.Input, change.Created = &started.Input, &started.Timestamp
	}
	completes := x.row.foreign && started != nil
	if completes {
		in.completeRow(&change)
	}
	return in.Exec.Do(ctx, func(ctx context.Context) error {
		etag, err := in.Store.Merge(ctx, in.ID, change)
		if err == nil {
			x.row.etag = etag
			x.row.foreign = x.row.foreign && !completes
		}
		return err
	})
}

// completeRow adds what other clients leave to the engine: the input, for which they may
// name the blob of their message or nothing, and the empty custom status.
func (in *Instance) completeRow(change *taskhub.Change) {
	x := in.x
	change.Input, change.Origin = &x.record.started.Input, x.origin
	if change.CustomStatus == nil && x.custom == nil {
		change.CustomStatus = &x.custom
	}
}

func (in *Instance) mergedRow(change taskhub.Change) {
	r := &in.x.row
	r.unclaimed, r.stale = false, false
	r.updated = change.Updated
	if change.Parked != nil {
		r.parked = *change.Parked != ""
	}
	if change.Backlog != nil {
		r.backlog, in.crowded = *change.Backlog, *change.Backlog != ""
	}
	if change.Status != nil {
		r.status = *change.Status
	}
	if change.CustomStatus != nil {
		r.custom = *change.CustomStatus
	}
	in.Host.RowChanged(in.ID)
}

// showRunning makes the row show that the orchestration runs, or is suspended.
func (in *Instance) showRunning(ctx context.Context) error {
	if err := in.learnRow(ctx); err != nil {
		return err
	}
	x := in.x
	status := history.Running
	if x.eng.Suspended() {
		status = history.Suspended
	}
	backlog := in.backlog()
	if r := &x.row; r.status == status && x.showsCustom() && r.backlog == backlog && !r.stale && !r.parked && !in.isOutdated() {
		return nil
	}
	change := taskhub.Change{Status: &status, Updated: in.Exec.Now()}
	in.unpark(&change)
	if x.record.reason != nil {
		change.Output = &x.record.reason
	}
	in.showCustom(&change)
	if backlog != x.row.backlog {
		change.Backlog = &backlog
	}
	return in.mergeRow(ctx, change)
}

func (in *Instance) showCustom(change *taskhub.Change) {
	if !in.x.showsCustom() {
		custom := in.x.custom
		change.CustomStatus = &custom
	}
}

// showEvery is how far the row may be behind an orchestration that goes on: who looks
// for those that do not asks when the row was last written.
const showEvery = time.Minute

func (in *Instance) isOutdated() bool {
	return in.Exec.Clock.Now().Sub(in.x.row.updated) >= showEvery
}

// reopenRow makes the row of a rewound execution show that it runs, before it can end
// again: a row that shows an end is that of an execution about which nothing is left
// to do.
func (in *Instance) reopenRow(ctx context.Context) error {
	x := in.x
	if x.record.rewinds == nil || x.ended() {
		return nil
	}
	if err := in.learnRow(ctx); err != nil || x.row.gone || !x.row.status.Finished() {
		return err
	}
	return in.showRunning(ctx)
}

// showOutcome makes the row show how the execution ended, and when by its history. Where storage refuses what
// it ended with, the row shows the status alone.
func (in *Instance) showOutcome(ctx context.Context) error {
	end := in.x.record.outcome
	completed := end.Timestamp
	change := taskhub.Change{Status: &end.Status, Output: &end.Result, Updated: completed, Completed: &completed}
	in.unpark(&change)
	in.showCustom(&change)
	err := in.mergeRow(ctx, change)
	if isRefused(err) {
		in.Log.Error("storage refuses to keep how an orchestration ended; its row shows the status alone", "instance", in.ID, "error", err)
		change.Output, change.CustomStatus = nil, nil
		err = in.mergeRow(ctx, change)
	}
	return err
}

// mayBeOld reports whether the row may show something else than that the orchestration
// runs. What came again may have been parked before.
func (in *Instance) mayBeOld() bool {
	x := in.x
	if !x.row.known {
		return x.custom != nil || in.crowded || in.custody.Deliveries() > 1 || in.custody.Aged(in.Exec.Clock.Now(), lease.UnknownPatience)
	}
	return !x.showsCustom() || x.row.backlog != in.backlog() || x.row.status == history.Pending || x.row.parked || in.isOutdated()
}

// unpark takes the reason out of the row why the code could not go on: it does.
func (in *Instance) unpark(change *taskhub.Change) {
	if in.x.row.parked {
		none := ""
		change.Parked = &none
	}
}
