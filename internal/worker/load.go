package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// postponed says that nothing can be done with the messages now; they are given
// back with a delay.
type postponed struct {
	reason string
	delay  time.Duration
}

func (p *postponed) Error() string { return p.reason }

func (in *instance) postpone(ctx context.Context, err error) {
	var p *postponed
	errors.As(err, &p)
	in.w.log.Warn("messages put off", "instance", in.id, "reason", p.reason, "delay", p.delay)
	in.abandon(ctx, p.delay)
}

// load brings the history into memory unless it is there. An instance whose
// row this process has just inserted has none.
func (in *instance) load(ctx context.Context, batch []*item) error {
	if in.eng != nil {
		return nil
	}
	// What is held is known from here on, so that it is given back when the
	// load fails.
	in.takeLeases(batch)
	if freshStart(batch) {
		in.reset(nil)
		return nil
	}
	err := in.read(ctx, 0)
	if errors.As(err, new(*parkedError)) && in.terminates(batch) {
		in.blame, err = &terminatedEarly{}, nil
	}
	if err != nil {
		return err
	}
	if unknown := new(unknownCode); errors.As(in.blame, &unknown) && (isElsewhere(unknown.cause) || in.w.anyTooEarly(batch)) {
		return &postponed{reason: unknown.Error(), delay: unknownDelay}
	}
	return nil
}

// anyTooEarly tells whether a message of the batch is too young to fail because
// of a name that is unknown here.
func (w *Worker) anyTooEarly(batch []*item) bool {
	for _, it := range batch {
		if it.message != nil && w.tooEarly(it.delivery) {
			return true
		}
	}
	return false
}

// unknownCode says that the orchestrator of a history is not registered here.
type unknownCode struct{ cause error }

func (u *unknownCode) Error() string { return u.cause.Error() }

func freshStart(batch []*item) bool {
	first := batch[0]
	return first.row != nil && (first.row.Generation == nil || *first.row.Generation == 0)
}

// refresh reads what another worker has added since our last commit.
func (in *instance) refresh(ctx context.Context) error {
	in.closeCode()
	in.pending = nil
	in.row = rowState{}
	return in.read(ctx, in.fence.NextRow)
}

// read loads rows and replays. from is 0 for all of them.
func (in *instance) read(ctx context.Context, from uint64) error {
	var h *taskhub.History
	err := in.w.retry(ctx, finalStorage, func(ctx context.Context) (err error) {
		h, err = in.w.Store.Load(ctx, in.id, from)
		return err
	})
	if err != nil {
		return err
	}
	if from > 0 && (h.Fence.ExecutionID != in.execution || h.Fence.FirstRow != in.fence.FirstRow || h.Fence.Rewinds != in.fence.Rewinds) {
		return in.read(ctx, 0)
	}
	events := h.Events
	if from > 0 {
		events = append(in.committed[:len(in.committed):len(in.committed)], h.Events...)
	}
	if h.Fence.ExecutionID != in.execution {
		in.stopTimers()
		in.dropJobs(ErrPurged)
	}
	in.current, in.fresh = true, false
	in.fence, in.execution, in.spilled = h.Fence, h.Fence.ExecutionID, h.Fence.Spilled
	return in.replay(events)
}

// reset makes the orchestration an empty one with the given history.
func (in *instance) reset(events []*history.Event) {
	in.eng = engine.New(engine.Options{
		InstanceID: in.id,
		Program:    in.w.Programs,
		MaxActions: in.w.MaxActions,
		Strict:     in.w.Strict,
		Places:     in.w.Places,
	})
	in.origin, in.sentEarlier = "", nil
	in.committed, in.pending, in.outcome, in.arrived = nil, nil, nil, arrived{}
	clear(in.seen)
	clear(in.under)
	clear(in.sent)
	clear(in.redone)
	in.recorded, in.rewound = nil, 0
	clear(in.lost)
	in.remember(events)
}

func (in *instance) replay(events []*history.Event) error {
	in.reset(events)
	in.doubt()
	if in.outcome != nil || len(events) == 0 {
		return nil
	}
	if err := in.knows(events); err != nil {
		in.blame = &unknownCode{cause: err}
		return nil
	}
	return in.parked(in.inSlot(in.w.ctx, func() error { return in.eng.Load(events) }))
}

// remember takes events into the committed history.
func (in *instance) remember(events []*history.Event) {
	before := len(in.committed)
	in.committed = append(in.committed, events...)
	var turn time.Time
	for i, e := range events {
		switch {
		case e.Own.Message == "":
		case outlives(e.Type):
			in.noteArrival(e.Own.Message, turn)
		default:
			in.seen[e.Own.Message] = true
		}
		switch e.Type {
		case history.OrchestratorStarted:
			turn = e.Timestamp
		case history.ExecutionStarted:
			in.rememberStart(e)
		case history.TaskScheduled, history.TimerCreated, history.SubOrchestrationInstanceCreated, history.EventSent:
			if e.Own.Lease != "" {
				in.under[e.ID] = e.Own.Lease
			}
			delete(in.lost, e.ID)
			in.noteRepeated(e.ID)
		case history.TaskCompleted, history.TaskFailed, history.TimerFired,
			history.SubOrchestrationInstanceCompleted, history.SubOrchestrationInstanceFailed:
			delete(in.under, e.TaskID)
			delete(in.lost, e.TaskID)
		case history.ExecutionCompleted:
			in.outcome = e
		case history.GenericEvent:
			if in.recorded == nil {
				in.recorded = map[int32]bool{}
			}
			if e.ID != history.NoID {
				in.redone[e.ID]++
			}
			if string(e.Reason) == rewoundEnd {
				in.loseOpen()
				in.rewound = before + i + 1
			}
		}
	}
}

// knows checks that the orchestrator of a history is registered here.
func (in *instance) knows(events []*history.Event) error {
	for _, e := range events {
		if e.Type == history.ExecutionStarted {
			_, err := in.w.Programs(e.Name, e.Version)
			return err
		}
	}
	return fmt.Errorf("the history of %q has no ExecutionStarted event", in.id)
}

// nonDeterministic parks the instance, or fails it where that is wanted.
func (in *instance) nonDeterministic(err *engine.NonDeterminismError) error {
	if in.w.FailNonDeterministic {
		in.blame = err
		return nil
	}
	return &parkedError{cause: err}
}

// parked turns an error that only other code mends into a parkedError.
func (in *instance) parked(err error) error {
	var differs *engine.NonDeterminismError
	if errors.As(err, &differs) {
		return in.nonDeterministic(differs)
	}
	if errors.As(err, new(*engine.BlockedError)) {
		return &parkedError{cause: err}
	}
	return err
}

// parkedError says that the instance waits for other code: for one that fits
// its history, or does not block.
type parkedError struct{ cause error }

func (p *parkedError) Error() string { return p.cause.Error() }

// finalStorage tells errors that a repetition does not change.
func finalStorage(err error) bool {
	for _, final := range []error{
		taskhub.ErrNotFound, taskhub.ErrExists, taskhub.ErrChanged, taskhub.ErrConflict, taskhub.ErrGone,
		taskhub.ErrLeaseLost, taskhub.ErrTooLarge, taskhub.ErrFormat, taskhub.ErrForeignHub,
		taskhub.ErrPayloadGone, taskhub.ErrSealed,
	} {
		if errors.Is(err, final) {
			return true
		}
	}
	return false
}
