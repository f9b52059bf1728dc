package worker

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// takeLeases makes the orchestration the owner of the leases in a batch. A
// message that it holds already was delivered again: the newer pop receipt is
// the good one.
func (in *instance) takeLeases(batch []*item) {
	for _, it := range batch {
		if it.message == nil || it.lease == nil {
			continue
		}
		have := in.held[it.message.ID]
		if have == nil || have.isOver() {
			in.hold(it.message.ID, it.lease)
			continue
		}
		if have != it.lease {
			have.absorb(in.w.ctx, it.lease)
			it.lease = have
		}
	}
}

// accept turns a batch into the events of the next turn. due says that the
// orchestration has waited long enough for what is pending to be written.
func (in *instance) accept(ctx context.Context, batch []*item) (events []*history.Event, due bool, err error) {
	in.takeLeases(batch)
	if behind, err := in.behind(ctx, batch); err != nil {
		return nil, false, err
	} else if behind {
		return nil, false, errBehind
	}
	slices.SortStableFunc(batch, startsFirst)
	for _, it := range batch {
		var brought []*history.Event
		switch {
		case it.alarm:
			due = true
		case it.spilled != nil:
			in.overflow = append(in.overflow, it.spilled...)
			due = true
		case it.call != nil:
			brought, err = one(in.acceptResult(ctx, it), nil)
		case it.local != nil:
			if !it.counted {
				it.counted = true
				in.local--
			}
			if it.execution == in.execution && in.outcome == nil {
				brought, err = one(it.local, nil)
			}
		default:
			brought, err = in.acceptMessage(ctx, it)
		}
		if err != nil {
			return nil, false, err
		}
		if len(brought) > 0 {
			events = append(events, brought...)
			in.unacked = append(in.unacked, it)
		}
	}
	return append(events, in.acceptEarly()...), due, nil
}

// startsFirst orders a start message before what is meant for its execution.
func startsFirst(a, b *item) int { return rank(a) - rank(b) }

func rank(it *item) int {
	if it.message != nil && it.message.Event.Type == history.ExecutionStarted {
		return 0
	}
	return 1
}

// acceptResult takes the end of an activity that ran in this process.
func (in *instance) acceptResult(ctx context.Context, it *item) *history.Event {
	mine := it.call.ExecutionID == in.execution
	if it.lease == nil && mine {
		delete(in.jobs, it.call.TaskID)
	}
	if it.result == nil || !mine || in.outcome != nil {
		in.letCarrierGo(ctx, it)
		return nil
	}
	if it.lease != nil {
		in.carriers = append(in.carriers, it.lease)
	}
	return it.result
}

func (in *instance) letCarrierGo(ctx context.Context, it *item) {
	if it.lease == nil {
		return
	}
	in.w.items.leave(it.lease.id, true)
	if !in.w.spawn(it.lease.remove) {
		it.lease.remove(ctx)
	}
}

func (in *instance) acceptMessage(ctx context.Context, it *item) ([]*history.Event, error) {
	m := it.message
	if in.seen[m.ID] || in.accepted(m.ID) {
		if outlives(m.Event.Type) {
			in.noteArrival(m.ID, in.w.now())
		}
		return nil, nil
	}
	if m.Event.Type == history.ExecutionStarted {
		return one(in.acceptStart(ctx, it))
	}
	if in.execution == "" {
		return in.orphan(ctx, it)
	}
	other := !in.isFor(m)
	if (other || in.outcome != nil && mayHaveRewound(m)) && !in.current && len(in.pending) == 0 {
		return nil, errStale
	}
	if other || in.outcome != nil {
		in.w.log.Info("message for an execution that has ended was dropped", "instance", in.id, "event", m.Event.Type, "message", m.ID)
		return nil, nil
	}
	if in.tooSoon(it) {
		if !contains(in.early, it) {
			in.early = append(in.early, it)
		}
		return nil, nil
	}
	in.noteFollowed(m)
	return one(withMessage(m), nil)
}

func one(e *history.Event, err error) ([]*history.Event, error) {
	if e == nil || err != nil {
		return nil, err
	}
	return []*history.Event{e}, nil
}

// mayHaveRewound tells whether a message may be for a newer execution than a
// finished one in memory, or for one whose end a rewind has taken out of its
// history.
func mayHaveRewound(m *taskhub.Message) bool {
	switch m.Event.Type {
	case history.GenericEvent, history.SubOrchestrationInstanceCompleted, history.SubOrchestrationInstanceFailed:
		return true
	}
	return m.Target.ExecutionID == ""
}

// accepted tells whether a message is among what is not committed yet.
func (in *instance) accepted(id string) bool {
	for _, it := range in.unacked {
		if it.message != nil && it.message.ID == id {
			return true
		}
	}
	return false
}

// withMessage is the event of a message, which remembers the message's id.
func withMessage(m *taskhub.Message) *history.Event {
	e := *m.Event
	e.Own.Message = m.ID
	return &e
}

// acceptStart decides whether a start message is the one that the instance's
// row speaks of.
func (in *instance) acceptStart(ctx context.Context, it *item) (*history.Event, error) {
	m := it.message
	started := m.Event.Instance.ExecutionID
	if started == in.execution {
		return nil, in.tellLateParent(ctx, m)
	}
	if in.execution != "" && in.descends(started) {
		return nil, nil
	}
	row := it.row
	if row == nil {
		var err error
		row, err = in.readRow(ctx)
		if errors.Is(err, taskhub.ErrNotFound) {
			return nil, in.startWithoutRow(it)
		}
		if err != nil {
			return nil, err
		}
	}
	if row.ExecutionID != "" && row.ExecutionID != started || row.ExecutionID == started && in.isOld(row) {
		in.w.log.Info("start message of a replaced execution was dropped", "instance", in.id, "execution", started)
		return nil, nil
	}
	if err := in.knownElsewhere(it); err != nil {
		return nil, err
	}
	before := in.arrived
	in.begin(started, row)
	e := withMessage(m)
	if err := in.outlast(e, before); err != nil {
		return nil, err
	}
	if it.delivery.Dequeued == 0 {
		in.since = in.w.clock.Now()
	}
	return e, nil
}

// isOld tells whether the execution that a row speaks of began long ago: it has
// ended, or has continued as new.
func (in *instance) isOld(row *taskhub.Instance) bool {
	return row.Status.Finished() || in.execution != "" && in.outcome == nil && row.Status != history.Pending
}

// begin starts a new execution in memory, over what is left there of one before:
// that may have ended in another process.
func (in *instance) begin(execution string, row *taskhub.Instance) {
	in.closeCode()
	in.custom, in.reason = custom{}, nil
	in.fresh = in.fence.ETag != ""
	in.reset(nil)
	in.execution = execution
	in.spilled = nil
	in.row = rowState{known: true, etag: row.ETag, status: row.Status, updated: row.Updated, unclaimed: row.ExecutionID == "", parked: row.Parked != ""}
}

// startWithoutRow puts a start message off whose client has not written the row
// yet, and drops it when the client evidently died: it never resurrects a
// purged instance.
func (in *instance) startWithoutRow(it *item) error {
	if it.delivery.Dequeued >= 3 {
		in.w.log.Warn("start message without an instance row was dropped", "instance", in.id)
		return nil
	}
	return &postponed{reason: "the instance row of a start message is not there yet", delay: time.Second}
}

// knownElsewhere puts a start from the queue off whose orchestrator is unknown
// here, for as long as another process may know it.
func (in *instance) knownElsewhere(it *item) error {
	e := it.message.Event
	_, err := in.w.Programs(e.Name, e.Version)
	if err == nil || !isElsewhere(err) && !in.w.tooEarly(it.delivery) {
		return nil
	}
	return &postponed{reason: err.Error(), delay: unknownDelay}
}

// tooEarly tells whether a message from a queue is too young to fail because
// this process does not know a name in it.
func (w *Worker) tooEarly(d taskhub.Delivery) bool {
	return d.Dequeued > 0 && !d.Inserted.IsZero() && w.clock.Now().Sub(d.Inserted) < unknownPatience
}
