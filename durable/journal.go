package durable

import (
	"context"
	"errors"
	"time"

	"github.com/durable-go/functions/handler/supervise"
	"github.com/durable-go/functions/internal/journal"
	"github.com/durable-go/functions/internal/taskhub"
)

// supervised is the supervisor's journal as the worker sees it.
type supervised struct{ *supervise.Journal }

var kinds = map[journal.CodeKind]supervise.Kind{
	journal.TurnCode: supervise.Turn, journal.ActivityCode: supervise.Activity, journal.EntityCode: supervise.Entity,
}

func nameOf(c journal.Code) supervise.Code {
	return supervise.Code{Kind: kinds[c.Kind], Instance: c.Instance, Execution: c.Execution, Position: c.Position}
}

func (j supervised) Begin(ctx context.Context, c journal.Code, deliveries int) (journal.Run, error) {
	run, err := j.Journal.Begin(ctx, nameOf(c), deliveries)
	if err != nil {
		return nil, err
	}
	return run, nil
}

func (j supervised) Stored(c journal.Code) { j.Journal.Stored(nameOf(c)) }

func (j supervised) Settle(c journal.Code) { j.Journal.Settle(nameOf(c)) }

func (j supervised) Hold(l *taskhub.Lease, deliveries int) { j.Journal.Hold(custodyOf(l, deliveries)) }

func (j supervised) LetGo(l *taskhub.Lease) { j.Journal.LetGo(l.MessageID) }

func custodyOf(l *taskhub.Lease, deliveries int) supervise.Message {
	return supervise.Message{Queue: l.Queue, ID: l.MessageID, Receipt: l.PopReceipt, Body: []byte(l.Body), Until: l.Until, Dequeued: deliveries}
}

// sending is a hub whose messages that a client sends hidden are known to the
// supervisor at once: the process may die before its worker has them.
type sending struct {
	taskhub.Store
	journal *supervise.Journal
	lease   time.Duration
}

func (s sending) Send(ctx context.Context, queue string, m *taskhub.Message, delay time.Duration) (*taskhub.Lease, error) {
	lease, err := s.Store.Send(ctx, queue, m, delay)
	if err == nil && delay > 0 && delay == s.lease && m.Event.ScheduledStart.IsZero() {
		s.journal.Hold(custodyOf(lease, 0))
	}
	return lease, err
}

func (s sending) Remove(ctx context.Context, l *taskhub.Lease) error {
	err := s.Store.Remove(ctx, l)
	if err == nil {
		s.journal.LetGo(l.MessageID)
	}
	return err
}

// divertFor is how long a message is hidden at least that waits for the trial of
// its instance: others may be tried before it.
const divertFor = 30 * time.Second

// divert hands a message for a suspect instance to the process that tries it, and
// reports whether there was reason to. The message is ours then, not the host's.
func (s *service) divert(ctx context.Context, d taskhub.Delivery) (bool, error) {
	if d.Message == nil { // it cannot be decoded
		return false, nil
	}
	if (d.Dequeued > 1 || taskhub.HealingOf(d.Message).IsAsked()) && s.app.child.Journal.Supervised() {
		s.marks.learn(ctx, d.Message.Target.InstanceID)
	}
	if !s.app.child.Journal.Quarantined(d.Message.Target.InstanceID) {
		return false, nil
	}
	if err := s.store.Renew(ctx, d.Lease, max(s.settings.Lease, divertFor)); err != nil {
		return true, err
	}
	s.app.child.Journal.Divert(d.Message.Target.InstanceID, custodyOf(d.Lease, d.Dequeued))
	return true, nil
}

// takeOverAtOnce bounds the requests for messages of a process that died.
const takeOverAtOnce = 8

// takeOver goes on with what a process held that died, until ctx ends: instances
// need not wait until the leases end.
func (s *service) takeOver(ctx context.Context) {
	gate := make(chan struct{}, takeOverAtOnce)
	for {
		messages, err := s.app.child.Journal.Takeover(ctx)
		if err != nil {
			break
		}
		for _, m := range messages {
			gate <- struct{}{}
			go func() {
				defer func() { <-gate }()
				s.takeOverOne(ctx, m)
			}()
		}
	}
	for range takeOverAtOnce { // all have ended
		gate <- struct{}{}
	}
}

// takeOverOne works on a message only if it is hidden for this process: where the
// last receipt is not known, or the time is over, it comes through its queue.
func (s *service) takeOverOne(ctx context.Context, m supervise.Message) {
	lease := &taskhub.Lease{Queue: m.Queue, MessageID: m.ID, PopReceipt: m.Receipt, Body: string(m.Body), Until: m.Until}
	if err := s.renewTaken(ctx, lease); err != nil {
		s.app.child.Journal.LetGo(m.ID)
		return
	}
	d := taskhub.Delivery{Lease: lease, Dequeued: m.Dequeued}
	s.open(ctx, &d, m.Body)
	diverted, err := s.divert(ctx, d)
	if err == nil && !diverted {
		err = s.worker.Deliver(ctx, d, false)
	}
	if err != nil && ctx.Err() == nil {
		s.app.log.Warn("message of a process that died could not be taken over; it comes again", "queue", m.Queue, "message", m.ID, "error", err)
	}
}

// takeOverAgain is how long a message that is taken over waits for storage that does not
// answer, before it is tried again.
const takeOverAgain = 250 * time.Millisecond

// renewTaken hides a message for this process. While storage does not answer it tries
// again, for as long as the message is hidden for the process that has died.
func (s *service) renewTaken(ctx context.Context, lease *taskhub.Lease) error {
	for {
		err := s.store.Renew(ctx, lease, s.settings.Lease)
		if err == nil || errors.Is(err, taskhub.ErrLeaseLost) || !time.Now().Add(takeOverAgain).Before(lease.Until) {
			return err
		}
		if !elapses(ctx, takeOverAgain) {
			return ctx.Err()
		}
	}
}

// tryAlone works on the instance on trial until the process is asked to stop. It
// takes no requests and receives no messages of its own accord.
func (s *service) tryAlone(ctx context.Context) error {
	s.app.child.Ready()
	working, ended := context.WithCancel(ctx)
	s.background.Go(func() { s.announcer().Run(working) })
	s.takeOver(ctx)
	ended()
	s.background.Wait()
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	s.worker.Stop(bound)
	return errStopped
}
