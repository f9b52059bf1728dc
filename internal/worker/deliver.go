package worker

import (
	"context"
	"errors"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// adoptAfter is how long an invocation of the host carries its message before
// the worker takes the message over. Most work is done by then.
const adoptAfter = time.Second

// maxAdopted bounds the messages that are adopted and answered while their work
// is not done: what is beyond stays in open invocations, of which the host
// allows only so many, so that one process does not hoard a backlog.
const maxAdopted = 256

// unreadDelay is the longest pause before a message comes again whose payload
// could not be read.
const unreadDelay = 15 * time.Second

// Started takes the start message that this process has just sent for an
// instance whose row it has just written. The message is still hidden.
func (w *Worker) Started(d taskhub.Delivery, row *taskhub.Instance) {
	h := w.hold(d.Message.ID, d.Lease, d.Dequeued)
	w.post(d.Message.Target.InstanceID, &item{message: d.Message, lease: h, delivery: d, row: row})
}

// Holds tells whether the worker has the instance in memory.
func (w *Worker) Holds(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.instances[id] != nil
}

// Sent takes a message to an orchestration that this process has just sent. The
// message is still hidden.
func (w *Worker) Sent(d taskhub.Delivery) {
	h := w.hold(d.Message.ID, d.Lease, d.Dequeued)
	w.post(d.Message.Target.InstanceID, &item{message: d.Message, lease: h, delivery: d})
}

// Deliver takes a message that came from a queue. With hosted the Functions
// host holds the message and removes it when Deliver returns nil: it returns
// when all that the message asks for is durable, or when the worker has made
// the message its own. An error says that the host must deliver it again.
func (w *Worker) Deliver(ctx context.Context, d taskhub.Delivery, hosted bool) error {
	switch {
	case errors.Is(d.Err, taskhub.ErrPayloadGone):
		return w.orphaned(ctx, d)
	case d.Err != nil:
		return w.undecodable(ctx, d, hosted)
	}
	h := w.hold(d.Message.ID, d.Lease, d.Dequeued)
	h.aged = w.clock.Now().Sub(d.Message.Event.Timestamp) > unknownPatience
	h.hosted = hosted
	running := w.route(ctx, d, h)
	if !hosted {
		return nil
	}
	return w.carry(ctx, d, h, running)
}

// route hands a message to whom it is for. running is closed once an activity
// has a slot; it is nil for messages to orchestrations.
func (w *Worker) route(ctx context.Context, d taskhub.Delivery, h *held) (running <-chan struct{}) {
	if d.Message.Event.Type == history.TaskScheduled {
		started := make(chan struct{})
		if !w.spawn(func(ctx context.Context) { w.workItem(ctx, d, h, started) }) {
			h.giveBack(ctx, 0)
		}
		return started
	}
	w.post(d.Message.Target.InstanceID, &item{message: d.Message, lease: h, delivery: d})
	return nil
}

// carry keeps the invocation of the host open until its message is done with or
// adopted.
func (w *Worker) carry(ctx context.Context, d taskhub.Delivery, h *held, running <-chan struct{}) error {
	wait := adoptAfter
	if w.Dispatch == Queue || d.Dequeued > 1 {
		wait = 0
	}
	due := make(chan struct{})
	stop := w.clock.AfterFunc(wait, func() { close(due) })
	defer stop()
	select {
	case <-h.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-w.ctx.Done():
		return errors.New("the worker stops")
	case <-due:
	}
	if err := h.adopt(ctx); err != nil {
		return err
	}
	return w.answer(ctx, h, running)
}

// answer waits until the invocation of an adopted message may be answered.
func (w *Worker) answer(ctx context.Context, h *held, running <-chan struct{}) error {
	if running == nil {
		running = w.room(h)
	}
	select {
	case <-h.ended:
	case <-running:
	case <-ctx.Done():
	case <-w.ctx.Done():
	}
	return nil
}

// room is closed at once while few adopted messages are held, else never: the
// invocation then ends with its message.
func (w *Worker) room(h *held) <-chan struct{} {
	room := make(chan struct{})
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.adopted < maxAdopted {
		w.adopted++
		close(room)
		w.running++
		go func() {
			defer w.done()
			select {
			case <-h.ended:
			case <-w.ctx.Done():
			}
			w.mu.Lock()
			w.adopted--
			w.mu.Unlock()
		}()
	}
	return room
}

// orphaned removes a message whose payload is gone: it is a copy of one that
// was done with, or its instance was purged.
func (w *Worker) orphaned(ctx context.Context, d taskhub.Delivery) error {
	w.log.Warn("message whose payload is gone was dropped", "queue", d.Lease.Queue, "message", d.Lease.MessageID, "error", d.Err)
	return w.Store.Remove(ctx, d.Lease)
}

// undecodable puts off a message that is none of ours, because another version
// may understand it, or whose payload cannot be read for the moment.
func (w *Worker) undecodable(ctx context.Context, d taskhub.Delivery, hosted bool) error {
	delay := min(time.Second<<min(d.Dequeued, 10), 10*time.Minute)
	if errors.Is(d.Err, taskhub.ErrUnread) {
		delay = min(delay, unreadDelay)
	}
	w.log.Error("message cannot be decoded; it is put off", "queue", d.Lease.Queue, "message", d.Lease.MessageID, "deliveries", d.Dequeued, "delay", delay, "error", d.Err)
	err := w.Store.Renew(ctx, d.Lease, delay)
	if errors.Is(err, taskhub.ErrLeaseLost) || !hosted {
		return nil
	}
	return err
}

// workItem runs an activity that came through a queue.
func (w *Worker) workItem(ctx context.Context, d taskhub.Delivery, h *held, started chan struct{}) {
	m := d.Message
	call := &Activity{
		Name: m.Event.Name, InstanceID: m.Target.InstanceID, ExecutionID: m.Target.ExecutionID, TaskID: m.Event.ID,
		Input: m.Event.Input, Options: m.Event.Own.Options, Tags: m.Event.Tags,
		IdempotencyKey: idempotencyKey(m.Target.ExecutionID, m.Event.ID), Progress: Progress{w: w, instance: m.Target.InstanceID},
	}
	if _, err := w.Activities(call.Name); err != nil && w.tooEarly(d) {
		w.log.Warn("activity is unknown here and put off", "activity", call.Name, "instance", call.InstanceID)
		h.giveBack(ctx, unknownDelay)
		return
	}
	if d.Dequeued > 1 && w.answered(ctx, call) {
		h.remove(ctx)
		return
	}
	if !w.mineToRun(ctx, d, h) {
		return
	}
	j := &job{call: call, lease: h}
	j.ctx, j.cancel = context.WithCancelCause(w.user)
	j.started = func() { close(started) }
	j.finished = func(result *history.Event) { w.report(j, result) }
	w.activities.submit(j)
}

// mineToRun tells whether a work item is new here. One that runs already gets
// the newer pop receipt; a second message for the same work is removed.
func (w *Worker) mineToRun(ctx context.Context, d taskhub.Delivery, h *held) bool {
	running, ended := w.items.enter(d.Message.ID, h)
	switch {
	case running != nil && running.sameMessage(h):
		running.absorb(ctx, h)
	case running != nil || ended:
		h.remove(ctx)
	default:
		return true
	}
	return false
}

// answered tells whether the history has the result of a call already: its
// message came again because a process died before it removed it. The
// orchestration may still need somebody to go on with it.
func (w *Worker) answered(ctx context.Context, call *Activity) bool {
	h, err := w.Store.Load(ctx, call.InstanceID, 0)
	if err != nil {
		return false
	}
	if h.Fence.ExecutionID != call.ExecutionID {
		return h.Fence.ETag != ""
	}
	answered := false
	for _, e := range h.Events {
		switch {
		case e.Type == history.ExecutionCompleted:
			return true
		case e.Type == history.TaskScheduled && e.ID == call.TaskID:
			// After a rewind the id may be another call's.
			answered = false
		case (e.Type == history.TaskCompleted || e.Type == history.TaskFailed) && e.TaskID == call.TaskID:
			answered = true
		}
	}
	return answered
}

// report brings the result of a work item to its orchestration: directly when
// it is worked on here, else by message.
func (w *Worker) report(j *job, result *history.Event) {
	if result == nil && unwanted(context.Cause(j.ctx)) {
		w.items.leave(j.lease.id, true)
		w.spawn(j.lease.remove)
		return
	}
	if result == nil {
		w.items.leave(j.lease.id, false)
		w.spawn(func(ctx context.Context) { j.lease.giveBack(ctx, 0) })
		return
	}
	if w.Dispatch == Local && w.carries(j.call.InstanceID) {
		w.post(j.call.InstanceID, &item{call: j.call, result: result, lease: j.lease})
		return
	}
	w.sendResult(j.call, result, j.lease)
}

func (w *Worker) sendResult(call *Activity, result *history.Event, lease *held) {
	w.spawn(func(ctx context.Context) {
		if err := w.sendMessage(ctx, w.Control, resultMessage(call, result, lease.id), 0); err != nil {
			w.items.leave(lease.id, false)
			w.log.Error("result of an activity could not be sent; the activity runs again", "activity", call.Name, "instance", call.InstanceID, "error", err)
			return
		}
		w.items.leave(lease.id, true)
		w.Journal.Stored(call.code())
		w.Journal.Settle(call.code())
		call.Progress.settled(result)
		lease.remove(ctx)
	})
}

// resultMessage reports the end of an activity that a work item asked for. A work
// item has one result, however often it is run.
func resultMessage(call *Activity, result *history.Event, workItem string) *taskhub.Message {
	target := history.InstanceRef{InstanceID: call.InstanceID, ExecutionID: call.ExecutionID}
	return &taskhub.Message{
		ID:     taskhub.GUID("result", call.InstanceID, call.ExecutionID, workItem),
		Event:  result,
		Target: target,
		Sender: target,
	}
}
