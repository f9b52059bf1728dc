package orchestration

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/journal"
	"github.com/durable-go/functions/internal/lease"
	"github.com/durable-go/functions/internal/taskhub"
)

// takeLeases makes the orchestration the owner of the leases in a batch.
func (in *Instance) takeLeases(batch []Item) {
	for _, it := range batch {
		if m, ok := it.(*Message); ok {
			k := kindOf(m.Message.Event)
			m.Lease = in.custody.Take(m.Lease, k == looks || k == tells)
		}
	}
}

// accept turns a batch into events of the next turn. What means "look" is noted.
func (in *Instance) accept(ctx context.Context, batch []Item) (events []*history.Event, err error) {
	slices.SortStableFunc(batch, startsFirst)
	for _, it := range batch {
		var e *history.Event
		switch it := it.(type) {
		case Poke:
			in.inbox.want()
		case *Overflow:
			in.offer(it.Runs)
		case *Result:
			e = in.acceptResult(it)
		case *local:
			e = in.acceptLocal(it)
		case *Message:
			e, err = in.acceptMessage(ctx, it)
		}
		if err != nil {
			return nil, err
		}
		if e != nil {
			events = append(events, e)
			in.x.draft.items = append(in.x.draft.items, it)
		}
	}
	return events, nil
}

// startsFirst orders a start message before what is meant for its execution.
func startsFirst(a, b Item) int { return rank(a) - rank(b) }

func rank(it Item) int {
	if m, ok := it.(*Message); ok && kindOf(m.Message.Event) == starts {
		return 0
	}
	return 1
}

// acceptResult takes the end of an activity that ran in this process.
func (in *Instance) acceptResult(r *Result) *history.Event {
	x := in.x
	if r.settled {
		return nil
	}
	mine := r.Call.ExecutionID == x.id
	if a := x.running(r.Call); mine && a != nil {
		a.runs(nil)
	}
	if r.Event == nil || !mine || x.ended() || in.isOfOldRun(r.Call.TaskID, r.workItem()) {
		if r.Carrier != nil {
			in.Pool.Done(r.Carrier)
		}
		return nil
	}
	if r.Carrier != nil && !slices.Contains(x.draft.carriers, r.Carrier) {
		x.draft.carriers = append(x.draft.carriers, r.Carrier)
	}
	return r.Event
}

// workItem is the id that the work item of the run has, or would have.
func (r *Result) workItem() string {
	if r.Carrier != nil {
		return r.Carrier.ID
	}
	return r.work
}

// isOfOldRun reports whether a run of a call began before a rewind that has the call
// made anew: its result does not answer the new one.
func (in *Instance) isOfOldRun(task int32, work string) bool {
	return in.x.record.rewinds != nil && work != in.messageID("task", task)
}

func (in *Instance) acceptMessage(ctx context.Context, m *Message) (*history.Event, error) {
	x := in.x
	switch k := kindOf(m.Message.Event); {
	case k == tells:
		return nil, nil // it is in the inbox, or will be
	case k == looks:
		return nil, in.acceptLook(ctx, m)
	case x.record.seen[m.Message.ID] || in.accepted(m.Message.ID):
		in.measure(observe.Duplicates, room, "", 1)
		if k == starts {
			return nil, in.startedAgain(ctx, m)
		}
		return nil, nil
	case in.tooEarly(m):
		return nil, nil
	case k == starts:
		return in.acceptStart(ctx, m)
	case x.id == "":
		return nil, in.orphan(ctx, m)
	case x.ended() || !x.isFor(m.Message.Target.ExecutionID):
		if err := in.verify(ctx); err != nil {
			return nil, err
		}
		in.Log.Info("message for an execution that has ended was dropped", "instance", in.ID, "event", m.Message.Event.Type, "message", m.Message.ID)
		return nil, nil
	}
	if e := m.Message.Event; e.Type == history.TaskCompleted || e.Type == history.TaskFailed {
		work := in.messageID("task", e.TaskID)
		in.Pool.Taken(work)
		if x.record.rewinds != nil && m.Message.ID != activity.ResultID(in.ID, x.id, work) {
			in.Log.Info("the result of a call that was rewound meanwhile was dropped", "instance", in.ID, "message", m.Message.ID)
			return nil, nil
		}
	}
	return withMessage(m.Message), nil
}

// acceptLook takes a wake-up. One that official tools have sent, or our client after
// a rewind, may be about a history that has changed in place.
func (in *Instance) acceptLook(ctx context.Context, m *Message) error {
	in.inbox.want()
	if h := taskhub.HealingOf(m.Message); h.IsAsked() {
		return in.heal(ctx, m, h)
	}
	switch {
	case taskhub.IsLook(m.Message) || in.current:
		return nil
	case !in.x.ended():
		return in.verify(ctx)
	}
	in.forgetExecution(nil)
	return in.load(ctx, nil)
}

// earlyBy is how much before its time a timer may come: the clock of the process that
// asked for it may have been ahead by that much.
const earlyBy = 5 * time.Minute

// tooEarly reports whether a message came before the time in it, and sees to it that it
// comes again: its visibility is in whole seconds, other clients round them down, and a
// queue hides a message for some days at most.
func (in *Instance) tooEarly(m *Message) bool {
	at := m.Message.Event.ScheduledStart
	if m.Message.Event.Type == history.TimerFired {
		at = m.Message.Event.FireAt.Add(-earlyBy)
	}
	away := at.Sub(in.Exec.Clock.Now())
	switch {
	case away <= 0:
		return false
	case away > in.Keeper.Length/2:
		in.deferred()
		in.custody.PutOff(m.Lease.ID, min(away, taskhub.MaxDelay))
	default:
		in.inbox.early = append(in.inbox.early, m)
		if at := in.Exec.Clock.Now().Add(away); in.inbox.earlyAt.IsZero() || at.Before(in.inbox.earlyAt) {
			in.inbox.earlyAt = at
		}
	}
	return true
}

// accepted reports whether a message is among what is not committed yet.
func (in *Instance) accepted(id string) bool {
	for _, it := range in.x.draft.items {
		if m, ok := it.(*Message); ok && m.Message.ID == id {
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

// acceptStart decides whether a start message is the one that the instance's row
// speaks of.
func (in *Instance) acceptStart(ctx context.Context, m *Message) (*history.Event, error) {
	x, started := in.x, m.Message.Event.Instance.ExecutionID
	if started == x.id {
		return nil, in.tellLateParent(ctx, m.Message)
	}
	if x.id != "" && x.descends(in.ID, started) {
		return nil, nil
	}
	row := m.Row
	if row == nil {
		var err error
		row, err = in.Row(ctx, in.ID)
		if errors.Is(err, taskhub.ErrNotFound) {
			return nil, in.startWithoutRow(m)
		}
		if err != nil {
			return nil, err
		}
		if err := in.verify(ctx); err != nil {
			return nil, err
		}
	}
	if row.ExecutionID != "" && row.ExecutionID != started || row.ExecutionID == started && in.isOld(row) {
		in.Log.Info("start message of a replaced execution was dropped", "instance", in.ID, "execution", started)
		return nil, nil
	}
	if err := in.knownElsewhere(m); err != nil {
		return nil, err
	}
	over := x.fence.ETag != ""
	in.begin(started, row)
	if over && m.Inserted.Before(in.x.over) && !m.Inserted.IsZero() {
		in.x.over = m.Inserted // the clock of the client may be ahead
	}
	// Rows that name no execution were for the one before.
	if over {
		in.inbox.want()
	}
	if m.Dequeued == 0 {
		in.since = in.Exec.Clock.Now()
	}
	return withMessage(m.Message), nil
}

// isOld reports whether the execution that a row speaks of began long ago: it has
// ended, or has continued as new.
func (in *Instance) isOld(row *taskhub.Instance) bool {
	return row.Status.Finished() || in.x.id != "" && !in.x.ended() && row.Status != history.Pending
}

// startTries is how often a start message waits for the row of its client.
const startTries = 3

// startWithoutRow puts a start message off whose client has not written the row
// yet, and drops it when the client evidently died: it never resurrects a purged
// instance.
func (in *Instance) startWithoutRow(m *Message) error {
	if m.Dequeued >= startTries {
		in.Log.Warn("start message without an instance row was dropped", "instance", in.ID)
		return nil
	}
	return &postponed{reason: "the instance row of a start message is not there yet", delay: second}
}

// knownElsewhere puts a start from the queue off whose orchestrator is unknown here,
// for as long as another process may know it.
func (in *Instance) knownElsewhere(m *Message) error {
	e := m.Message.Event
	_, err := in.Programs(e.Name, e.Version)
	if err == nil || !journal.IsElsewhere(err) && !lease.MayBeKnownElsewhere(in.Exec.Clock.Now(), m.Delivery) {
		return nil
	}
	return &postponed{reason: err.Error(), delay: lease.UnknownDelay}
}

// orphan deals with a message for an instance without a history.
func (in *Instance) orphan(ctx context.Context, m *Message) error {
	row, err := in.Row(ctx, in.ID)
	if errors.Is(err, taskhub.ErrNotFound) || err == nil && row.Status.Finished() {
		in.Log.Info("message for an unknown instance was dropped", "instance", in.ID, "event", m.Message.Event.Type)
		return nil
	}
	if err != nil {
		return err
	}
	return in.notStarted(row)
}

// notStarted puts messages off for an instance whose start message has not come.
func (in *Instance) notStarted(row *taskhub.Instance) error {
	away := row.Scheduled.Sub(in.Exec.Clock.Now())
	return &postponed{reason: "the instance has not started yet", delay: min(max(away, 2*second), hour)}
}

// tellLateParent answers for a child that was terminated before its start message
// came: only that knows the parent.
func (in *Instance) tellLateParent(ctx context.Context, start *taskhub.Message) error {
	if x := in.x; !x.ended() || start.Event.Parent == nil || x.record.started == nil || x.record.started.Parent != nil {
		return nil
	}
	return in.tellParentOf(ctx, start.Event.Parent)
}
