package worker

import (
	"context"
	"errors"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/lease"
	"github.com/durable-go/functions/internal/taskhub"
)

// adoptAfter is how long an invocation of the host carries its message before
// the worker takes the message over. Most work is done by then.
const adoptAfter = time.Second

// maxAdopted bounds the messages that are adopted and answered while their work
// is not done: what is beyond stays in open invocations, of which the host
// allows only so many, so that one process does not hoard a backlog.
const maxAdopted = 256

// Started takes the start message that this process has just sent for an
// instance whose row it has just written. The message is still hidden.
func (w *Worker) Started(d taskhub.Delivery, row *taskhub.Instance) { w.handOver(d, row) }

// Sent takes a message to an orchestration that this process has just sent. The
// message is still hidden.
func (w *Worker) Sent(d taskhub.Delivery) { w.handOver(d, nil) }

func (w *Worker) handOver(d taskhub.Delivery, row *taskhub.Instance) {
	l := w.keeper.Hold(d, false)
	w.post(d.Message.Target.InstanceID, message(d, l, row))
}

// Deliver takes a message that came from a queue. With hosted the Functions
// host holds the message and removes it when Deliver returns nil: it returns
// when all that the message asks for is durable, or when the worker has made
// the message its own. An error means that the host must deliver it again.
func (w *Worker) Deliver(ctx context.Context, d taskhub.Delivery, hosted bool) error {
	switch {
	case errors.Is(d.Err, taskhub.ErrPayloadGone):
		return w.orphaned(ctx, d)
	case d.Err != nil:
		return w.undecodable(ctx, d, hosted)
	}
	if d.Message.ID == "" {
		m := *d.Message
		m.ID = taskhub.GUID("queue", d.Lease.Queue, d.Lease.MessageID)
		d.Message = &m
	}
	w.env.Numbers.Came(d, w.Clock.Now())
	l := w.keeper.Hold(d, hosted)
	running := w.route(ctx, d, l)
	if !hosted {
		return nil
	}
	return w.carry(ctx, d, l, running)
}

// route hands a message to the one it is for. running is closed once an activity has
// a slot; it is nil for messages to orchestrations.
func (w *Worker) route(ctx context.Context, d taskhub.Delivery, l *lease.Lease) (running <-chan struct{}) {
	if d.Message.Event.Type == history.TaskScheduled {
		started := make(chan struct{})
		if !w.exec.Go(func(ctx context.Context) { w.pool.Item(ctx, d, l, func() { close(started) }) }) {
			l.Release(ctx)
		}
		return started
	}
	w.post(d.Message.Target.InstanceID, message(d, l, nil))
	return nil
}

var errStopping = errors.New("the worker stops")

// carry keeps the invocation of the host open until its message is done with or
// adopted.
func (w *Worker) carry(ctx context.Context, d taskhub.Delivery, l *lease.Lease, running <-chan struct{}) error {
	wait := adoptAfter
	if w.Dispatch == Queue || d.Dequeued > 1 {
		wait = 0
	}
	due := make(chan struct{})
	stop := w.Clock.AfterFunc(wait, func() { close(due) })
	defer stop()
	select {
	case <-l.Ended():
		return l.Outcome()
	case <-ctx.Done():
		return ctx.Err()
	case <-w.exec.Context().Done():
		return errStopping
	case <-due:
	}
	if err := l.Adopt(ctx); err != nil {
		l.Forsake()
		return err
	}
	return w.answer(ctx, l, running)
}

// answer waits until the invocation of an adopted message may be answered.
func (w *Worker) answer(ctx context.Context, l *lease.Lease, running <-chan struct{}) error {
	if running == nil {
		running = w.room(l)
	}
	select {
	case <-l.Ended():
	case <-running:
	case <-ctx.Done():
	case <-w.exec.Context().Done():
	}
	return nil
}

// room is closed at once while few adopted messages are held, else never: the
// invocation then ends with its message.
func (w *Worker) room(l *lease.Lease) <-chan struct{} {
	room := make(chan struct{})
	w.mu.Lock()
	free := w.adopted < maxAdopted
	if free {
		w.adopted++
	}
	w.mu.Unlock()
	if !free {
		return room
	}
	close(room)
	leave := func() {
		w.mu.Lock()
		w.adopted--
		w.mu.Unlock()
	}
	if !w.exec.Go(func(ctx context.Context) {
		defer leave()
		select {
		case <-l.Ended():
		case <-ctx.Done():
		}
	}) {
		leave()
	}
	return room
}

// orphaned removes a message whose payload is gone: it is a copy of one that
// was done with, or its instance was purged.
func (w *Worker) orphaned(ctx context.Context, d taskhub.Delivery) error {
	w.Log.Warn("message whose payload is gone was dropped", "queue", d.Lease.Queue, "message", d.Lease.MessageID, "error", d.Err)
	return w.Store.Remove(ctx, d.Lease)
}
