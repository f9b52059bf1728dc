// Package mail is how the rooms of a worker reach others: it sends messages, tells
// inboxes and sees to it that a process looks, and reads the row and the sentinel of
// an instance. All requests go through the executor of the process.
package mail

import (
	"context"
	"time"

	"github.com/durable-go/functions/internal/executor"
	"github.com/durable-go/functions/internal/lease"
	"github.com/durable-go/functions/internal/taskhub"
)

// Local is the process with its rooms.
type Local interface {
	// Holds reports whether the orchestration or entity is in memory here.
	Holds(id string) bool
	// Poke makes it look at its inbox and reports true, where it holds a wake-up that
	// it has not begun to let go; otherwise it does nothing.
	Poke(id string) bool
	// HandOver takes a message that was just sent and is hidden still. row is the
	// instance row where it was just inserted with the message; nil otherwise.
	HandOver(d taskhub.Delivery, row *taskhub.Instance)
}

// Sender reaches others. Its fields do not change, and its methods may be called
// concurrently.
type Sender struct {
	Store  taskhub.Store
	Exec   *executor.Executor
	Keeper *lease.Keeper
	Local  Local
	// Control is the queue of messages to orchestrations and entities; ControlOf names
	// that of an orchestrator.
	Control   string
	ControlOf func(orchestrator string) string
	// ThroughQueue sends every step through the queues.
	ThroughQueue bool
}

// Send puts a message on a queue; it is repeated until the queue has it.
func (s *Sender) Send(ctx context.Context, queue string, m *taskhub.Message, delay time.Duration) (l *taskhub.Lease, err error) {
	err = s.Exec.Do(ctx, func(ctx context.Context) (err error) {
		l, err = s.Store.Send(ctx, queue, m, delay)
		return err
	})
	return l, err
}

// HandOver sends a message to a room that this process can work on: hidden, as a
// lease, and handed over directly.
func (s *Sender) HandOver(ctx context.Context, queue string, m *taskhub.Message, row *taskhub.Instance) error {
	if s.ThroughQueue {
		_, err := s.Send(ctx, queue, m, 0)
		return err
	}
	l, err := s.Send(ctx, queue, m, s.Keeper.Length)
	if err != nil {
		return err
	}
	s.Local.HandOver(taskhub.Delivery{Message: m, Lease: l, Inserted: s.Exec.Now()}, row)
	return nil
}

// Forward sends a message to another room: directly when that is in memory here, else
// through the queue, to the process that receives it.
func (s *Sender) Forward(ctx context.Context, queue string, m *taskhub.Message) error {
	if s.Local.Holds(m.Target.InstanceID) {
		return s.HandOver(ctx, queue, m, nil)
	}
	_, err := s.Send(ctx, queue, m, 0)
	return err
}

// Tell puts rows into the inbox of an instance and makes a process look.
func (s *Sender) Tell(ctx context.Context, queue, id string, tellings ...*taskhub.Telling) error {
	err := s.Exec.Do(ctx, func(ctx context.Context) error { return s.Store.Tell(ctx, id, tellings...) })
	if err != nil || s.Local.Poke(id) {
		return err
	}
	return s.Forward(ctx, queue, taskhub.Look(id, tellings[len(tellings)-1].ID, s.Exec.Now()))
}

// TellEntity is Tell for an entity, which is worked on here unless another process has
// begun to. What is due later brings a wake-up of its own, which comes then.
func (s *Sender) TellEntity(ctx context.Context, id string, tellings ...*taskhub.Telling) error {
	if err := s.Exec.Do(ctx, func(ctx context.Context) error { return s.Store.Tell(ctx, id, tellings...) }); err != nil {
		return err
	}
	now, last := s.Exec.Now(), ""
	for _, t := range tellings {
		away := t.Due.Sub(now)
		if away <= 0 {
			last = t.ID
			continue
		}
		if _, err := s.Send(ctx, s.Control, taskhub.LookAt(id, t.ID, now, t.Due), min(away, taskhub.MaxDelay)); err != nil {
			return err
		}
	}
	if s.Local.Poke(id) || last == "" {
		return nil
	}
	return s.HandOver(ctx, s.Control, taskhub.Look(id, last, now), nil)
}

// Row reads the row of an instance.
func (s *Sender) Row(ctx context.Context, id string) (row *taskhub.Instance, err error) {
	err = s.Exec.Do(ctx, func(ctx context.Context) (err error) {
		row, err = s.Store.Instance(ctx, id)
		return err
	})
	return row, err
}

// Head reads the sentinel of an instance.
func (s *Sender) Head(ctx context.Context, id string) (f taskhub.Fence, err error) {
	err = s.Exec.Do(ctx, func(ctx context.Context) (err error) {
		f, err = s.Store.Head(ctx, id)
		return err
	})
	return f, err
}
