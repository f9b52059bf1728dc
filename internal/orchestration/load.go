package orchestration

import (
	"context"
	"errors"
	"fmt"

	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/journal"
	"github.com/durable-go/functions/internal/lease"
	"github.com/durable-go/functions/internal/taskhub"
)

// load brings the history into memory unless it is there. An instance whose row this
// process has just inserted has none. A wake-up is looked at before: a terminate ends
// the instance whatever its history and its code are like.
func (in *Instance) load(ctx context.Context, batch []Item) error {
	if in.x != nil {
		in.lookedUp("hit")
		return nil
	}
	if freshStart(batch) {
		in.become(in.nothing())
		return nil
	}
	in.lookedUp("miss")
	if in.inbox.wanted || wakes(batch) {
		in.inbox.want()
		if len(in.inbox.rows) == 0 {
			if err := in.query(ctx); err != nil {
				return err
			}
		}
		if done, err := in.terminateCold(ctx); done || err != nil {
			return err
		}
	}
	if err := in.read(ctx, 0); err != nil {
		return err
	}
	if unknown := new(unknownCode); errors.As(in.x.blame, &unknown) {
		return in.unknown(unknown)
	}
	return nil
}

// unknown decides what becomes of an instance whose orchestrator has been taken out of
// the app, or comes with a deployment that is under way: what it has done is history,
// so it waits for its code as one does whose code does not fit.
func (in *Instance) unknown(code *unknownCode) error {
	switch {
	case journal.IsElsewhere(code.cause) || in.custody.Young(in.Exec.Clock.Now(), lease.UnknownPatience):
		return &postponed{reason: code.Error(), delay: lease.UnknownDelay}
	case !in.FailNonDeterministic:
		return &parkedError{cause: code}
	}
	return nil
}

func freshStart(batch []Item) bool {
	m, ok := batch0(batch).(*Message)
	return ok && m.Row != nil && (m.Row.Generation == nil || *m.Row.Generation == 0)
}

func batch0(batch []Item) Item {
	if len(batch) == 0 {
		return nil
	}
	return batch[0]
}

func wakes(batch []Item) bool {
	for _, it := range batch {
		if m, ok := it.(*Message); ok && kindOf(m.Message.Event) == looks {
			return true
		}
	}
	return false
}

// unknownCode means that the orchestrator of a history is not registered here.
type unknownCode struct{ cause error }

func (u *unknownCode) Error() string { return u.cause.Error() }

// Unwrap is how it is not known.
func (u *unknownCode) Unwrap() error { return u.cause }

// refresh reads what another worker has added since our last commit.
func (in *Instance) refresh(ctx context.Context) error {
	if in.x == nil || in.x.id == "" || in.x.record.started == nil {
		in.forgetExecution(nil)
		return in.read(ctx, 0)
	}
	return in.read(ctx, in.x.fence.NextRow)
}

// read loads rows and replays. from is 0 for all of them. What this process does
// about the actions of the same execution goes on.
func (in *Instance) read(ctx context.Context, from uint64) error {
	var h *taskhub.History
	err := in.Exec.Do(ctx, func(ctx context.Context) (err error) {
		h, err = in.Store.Load(ctx, in.ID, from)
		return err
	})
	if errors.Is(err, taskhub.ErrUnreadable) {
		return &parkedError{cause: err}
	}
	if err != nil {
		return err
	}
	if h.Headless {
		// Rows without a sentinel: a purge that was cut, or a history that lost it.
		row, err := in.Row(ctx, in.ID)
		if err == nil && row.Status != history.Pending && !row.Status.Finished() && !row.Purging {
			return &parkedError{cause: history.NoSentinel()}
		}
	}
	old := in.x
	if from > 0 {
		f := old.fence
		if h.Fence.ExecutionID != old.id || h.Fence.FirstRow != f.FirstRow || h.Fence.Rewinds != f.Rewinds {
			return in.read(ctx, 0)
		}
		h.Fence.State.Sent = max(h.Fence.State.Sent, old.record.sentBelow())
		h.Events = append(old.record.events[:len(old.record.events):len(old.record.events)], h.Events...)
	}
	in.current = true
	x := in.newExecution(h.Fence, h.Events)
	if old != nil && old.id == x.id {
		x.inherit(old)
	}
	in.forgetExecution(purged(old, x))
	in.become(x)
	in.tellTaken(old)
	err = in.replay(ctx)
	if in.refusal != nil {
		x.blame = in.refusal
	}
	return err
}

// tellTaken tells the pool of results that another process has committed: it has done
// what was offered.
func (in *Instance) tellTaken(old *execution) {
	if old == nil || old.id != in.x.id || len(old.record.events) > len(in.x.record.events) {
		return
	}
	for _, e := range in.x.record.events[len(old.record.events):] {
		if e.Type == history.TaskCompleted || e.Type == history.TaskFailed {
			in.Pool.Taken(in.messageID("task", e.TaskID))
		}
	}
}

// cameAgain reports whether a message was delivered before, or was held by the process
// that sent it: the history in memory knows it. That process may have gone on with the
// history, and ours would be an old one under a good lease.
func (in *Instance) cameAgain(batch []Item) bool {
	r := in.x.record
	for _, it := range batch {
		m, ok := it.(*Message)
		switch {
		case !ok:
		case m.Dequeued > 1, r.seen[m.Message.ID], kindOf(m.Message.Event) == looks && r.open(m.Message.ID):
			return true
		}
	}
	return false
}

// verify makes sure that what is in memory is the current history, by the sentinel
// alone.
func (in *Instance) verify(ctx context.Context) error {
	if in.current || len(in.x.draft.events) > 0 {
		return nil
	}
	return in.verifyNow(ctx)
}

// verifyNow is verify for what came after the pass began.
func (in *Instance) verifyNow(ctx context.Context) error {
	head, err := in.readHead(ctx)
	if err != nil {
		return err
	}
	if head.ETag != in.x.fence.ETag {
		return errAgain
	}
	in.current = true
	return nil
}

// purged is why the activities of an execution stop that another one has replaced.
func purged(old, now *execution) error {
	if old == nil || old.id == now.id {
		return nil
	}
	return activity.ErrPurged
}

// replay runs the code over the history.
func (in *Instance) replay(ctx context.Context) error {
	x := in.x
	if x.ended() || len(x.record.events) == 0 {
		return nil
	}
	if err := in.knows(); err != nil {
		x.blame = &unknownCode{cause: err}
		return nil
	}
	return in.parked(in.runCode(ctx, in.timed("replay", nil, func() error { return x.eng.Load(x.record.events) })))
}

// knows checks that the orchestrator of the history is registered here.
func (in *Instance) knows() error {
	started := in.x.record.started
	if started == nil {
		return fmt.Errorf("the history of %q has no ExecutionStarted event", in.ID)
	}
	_, err := in.Programs(started.Name, started.Version)
	return err
}

// runCode runs code of the orchestrator. Code that ended the process before is not
// run; x.blame is set instead.
func (in *Instance) runCode(ctx context.Context, run func() error) error {
	x := in.x
	err := in.Host.RunCode(ctx, in.code(), in.custody.Deliveries(), x.eng, run)
	if blame := new(Blame); errors.As(err, &blame) {
		x.blame = blame.Cause
		return nil
	}
	if journal.IsElsewhere(err) {
		return &postponed{reason: err.Error(), delay: trialDelay}
	}
	return err
}

// trialDelay is how long messages are put off of an orchestration that another process
// tries.
const trialDelay = second

// code is the turn that runs next.
func (in *Instance) code() journal.Code {
	return journal.Code{Kind: journal.TurnCode, Instance: in.ID, Execution: in.x.id, Position: int64(len(in.x.record.events))}
}

// tellJournal tells what is stored of the orchestration.
func (in *Instance) tellJournal() {
	x := in.x
	switch {
	case x.id == "":
	case x.ended():
		in.Journal.Ended(in.ID)
	default:
		in.Journal.Committed(in.ID, x.id, int64(len(x.record.events)), func(task int64) bool { return x.record.actions[int32(task)] != nil })
	}
}

// nonDeterministic parks the instance, or fails it where that is wanted.
func (in *Instance) nonDeterministic(err *engine.NonDeterminismError) error {
	if in.FailNonDeterministic {
		in.x.blame = err
		return nil
	}
	return &parkedError{cause: err}
}

// parked turns an error that only other code mends into a parkedError.
func (in *Instance) parked(err error) error {
	var differs *engine.NonDeterminismError
	if errors.As(err, &differs) {
		return in.nonDeterministic(differs)
	}
	if errors.As(err, new(*engine.BlockedError)) {
		return &parkedError{cause: err}
	}
	return err
}
