package orchestration

import (
	"context"
	"log/slog"
	"time"

	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/executor"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/journal"
	"github.com/durable-go/functions/internal/lease"
	"github.com/durable-go/functions/internal/taskhub"
)

// Host is the process that an orchestration lives in.
type Host interface {
	// Post puts items into the mailbox of an orchestration.
	Post(id string, items ...Item)
	// Holds reports whether the orchestration is in memory here.
	Holds(id string) bool
	// Poke makes the orchestration look at its inbox and reports true, where it
	// holds a wake-up that it has not begun to let go; otherwise it does nothing.
	Poke(id string) bool
	// HandOver takes a message that was just sent and is hidden still. row is the
	// instance row where it was just inserted with the message; nil otherwise.
	HandOver(d taskhub.Delivery, row *taskhub.Instance)
	// RowChanged tells who waits for it that the instance row has changed.
	RowChanged(id string)
	// RunCode runs code of an orchestrator: in a slot, known to the journal and
	// watched. A *Blame says that the code must not run, a journal.Elsewhere that
	// another process runs it; every other error is that of run or of ctx.
	RunCode(ctx context.Context, c journal.Code, deliveries int, eng *engine.Instance, run func() error) error
	// CloseCode ends the code of an orchestration.
	CloseCode(eng *engine.Instance)
}

// Blame says that code ended the process before and must not run.
type Blame struct{ Cause error }

func (b *Blame) Error() string { return b.Cause.Error() }

// Unwrap is the evidence.
func (b *Blame) Unwrap() error { return b.Cause }

// Env is what all orchestrations of a process share. Its fields do not change once
// an instance was made.
type Env struct {
	Store  taskhub.Store
	Exec   *executor.Executor
	Keeper *lease.Keeper
	Pool   *activity.Pool
	Host   Host
	Log    *slog.Logger

	// Programs finds the code of an orchestrator. Its error is the text with which
	// an instance of an unknown orchestrator fails.
	Programs func(name, version string) (engine.Program, error)
	// Control is the queue of messages to orchestrations; ControlOf names that of
	// an orchestrator, WorkItems that of an activity.
	Control   string
	ControlOf func(orchestrator string) string
	WorkItems func(activity string) string
	// ThroughQueue sends every step through the queues.
	ThroughQueue bool
	// Patience is how long a start waits for a slot here before other processes
	// may have it.
	Patience time.Duration
	// FirstTurn is how long the first turn may stay uncommitted while its first
	// activity runs.
	FirstTurn time.Duration
	// Budget bounds how long an orchestration that no host invocation carries is
	// worked on here before its work goes through the queues. 0: no bound.
	Budget     time.Duration
	MaxActions int
	MaxPayload int
	// FailNonDeterministic fails an instance whose code no longer fits its history;
	// otherwise it is parked.
	FailNonDeterministic bool
	// Strict compares the inputs of calls and the times of timers with those of the
	// history, too. Places notes where the code asks for its actions.
	Strict, Places bool
	Journal        journal.Journal
	// NewID makes a random id of 32 hex digits.
	NewID func() string
}

// How long a name that came through a queue may be unknown here before it fails,
// because another process knows it during a rolling deployment, and how long its
// message is put off each time.
const (
	unknownPatience = 60 * time.Second
	unknownDelay    = 10 * time.Second
)

// young reports whether a message from a queue is too new to fail because this
// process does not know a name in it.
func (v *Env) young(d taskhub.Delivery) bool {
	return d.Dequeued > 0 && !d.Inserted.IsZero() && v.Exec.Clock.Now().Sub(d.Inserted) < unknownPatience
}

func (v *Env) fits(p history.Payload) error { return activity.Fits(p, v.MaxPayload) }

// send puts a message on a queue; it is repeated until the queue has it.
func (v *Env) send(ctx context.Context, queue string, m *taskhub.Message, delay time.Duration) (l *taskhub.Lease, err error) {
	err = v.Exec.Do(ctx, func(ctx context.Context) (err error) {
		l, err = v.Store.Send(ctx, queue, m, delay)
		return err
	})
	return l, err
}

// handOver sends a message to an orchestration that this process can work on:
// hidden, as a lease, and handed over directly.
func (v *Env) handOver(ctx context.Context, queue string, m *taskhub.Message, row *taskhub.Instance) error {
	if v.ThroughQueue {
		_, err := v.send(ctx, queue, m, 0)
		return err
	}
	l, err := v.send(ctx, queue, m, v.Keeper.Length)
	if err != nil {
		return err
	}
	v.Host.HandOver(taskhub.Delivery{Message: m, Lease: l, Inserted: v.Exec.Now()}, row)
	return nil
}

// pass sends a message to another orchestration: directly when that one is in
// memory here, else through the queue, to the process that receives it.
func (v *Env) pass(ctx context.Context, queue string, m *taskhub.Message) error {
	if v.Host.Holds(m.Target.InstanceID) {
		return v.handOver(ctx, queue, m, nil)
	}
	_, err := v.send(ctx, queue, m, 0)
	return err
}

// tell puts rows into the inbox of another instance and makes a process look.
func (v *Env) tell(ctx context.Context, queue, id string, tellings ...*taskhub.Telling) error {
	err := v.Exec.Do(ctx, func(ctx context.Context) error { return v.Store.Tell(ctx, id, tellings...) })
	if err != nil || v.Host.Poke(id) {
		return err
	}
	return v.pass(ctx, queue, taskhub.Look(id, tellings[len(tellings)-1].ID, v.Exec.Now()))
}

func (v *Env) readRow(ctx context.Context, id string) (row *taskhub.Instance, err error) {
	err = v.Exec.Do(ctx, func(ctx context.Context) (err error) {
		row, err = v.Store.Instance(ctx, id)
		return err
	})
	return row, err
}

func (v *Env) head(ctx context.Context, id string) (f taskhub.Fence, err error) {
	err = v.Exec.Do(ctx, func(ctx context.Context) (err error) {
		f, err = v.Store.Head(ctx, id)
		return err
	})
	return f, err
}
