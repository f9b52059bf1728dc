package worker

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// timer is a timer whose message is on its way: the message is for the process
// that lives when it is due, the alarm for this one.
type timer struct {
	message string // its logical id
	lease   *taskhub.Lease
	alarm   func() bool
}

// dispatchTimers sends the messages of open timers and takes back those of
// timers that nobody waits for any more.
func (in *instance) dispatchTimers(ctx context.Context, open []*history.Event) error {
	waiting := map[int32]bool{}
	for _, e := range open {
		if e.Type != history.TimerCreated {
			continue
		}
		waiting[e.ID] = true
		if _, sent := in.timers[e.ID]; sent || !in.mine(e.ID) {
			continue
		}
		if err := in.sendTimer(ctx, e); err != nil {
			return err
		}
	}
	for id, t := range in.timers {
		if !waiting[id] {
			delete(in.timers, id)
			t.alarm()
			if !in.seen[t.message] {
				in.w.spawn(func(ctx context.Context) { _ = in.w.Store.Remove(ctx, t.lease) })
			}
		}
	}
	return nil
}

func (in *instance) sendTimer(ctx context.Context, e *history.Event) error {
	self := in.self()
	m := &taskhub.Message{
		ID:     in.messageID("timer", e.ID),
		Target: self,
		Sender: self,
		Event:  &history.Event{Type: history.TimerFired, ID: history.NoID, TaskID: e.ID, FireAt: e.FireAt, Timestamp: e.FireAt},
	}
	wait := max(e.FireAt.Sub(in.w.clock.Now()), 0)
	var lease *taskhub.Lease
	err := in.w.retry(ctx, finalStorage, func(ctx context.Context) (err error) {
		lease, err = in.w.Store.Send(ctx, in.control(), m, wait)
		return err
	})
	if err != nil {
		return err
	}
	id, due := in.id, *lease
	in.timers[e.ID] = &timer{message: m.ID, lease: lease, alarm: in.w.clock.AfterFunc(wait, func() { in.w.timerDue(id, m, &due) })}
	return nil
}

// timerDue brings a timer's message to its orchestration before it comes
// through the queue. Where it has come already, nothing is lost.
func (w *Worker) timerDue(id string, m *taskhub.Message, lease *taskhub.Lease) {
	if !w.Holds(id) {
		return
	}
	w.spawn(func(ctx context.Context) {
		if err := w.Store.Renew(ctx, lease, w.Lease); err != nil {
			return
		}
		h := w.hold(m.ID, lease, 0)
		w.post(id, &item{message: m, lease: h, delivery: taskhub.Delivery{Message: m, Lease: lease}})
	})
}

// stopTimers forgets the alarms; the messages are on their way.
func (in *instance) stopTimers() {
	for id, t := range in.timers {
		t.alarm()
		delete(in.timers, id)
	}
}

// dispatchChildren starts open children. A child whose id an unfinished
// instance has is not started: the call fails.
func (in *instance) dispatchChildren(ctx context.Context, open []*history.Event) error {
	for _, e := range open {
		if e.Type != history.SubOrchestrationInstanceCreated || in.sent[e.ID] || !in.mine(e.ID) {
			continue
		}
		problem, err := in.startChild(ctx, e)
		if err != nil {
			return err
		}
		in.sent[e.ID] = true
		if problem != "" {
			in.failChild(e, problem)
		}
	}
	return nil
}

// failChild reports a child that could not be started as a failed one.
func (in *instance) failChild(e *history.Event, problem string) {
	failed := &history.Event{
		Type: history.SubOrchestrationInstanceFailed, ID: history.NoID, TaskID: e.ID, Timestamp: in.w.now(), Reason: history.Payload(problem),
		Failure: &history.FailureDetails{ErrorType: "SubOrchestrationNotStarted", ErrorMessage: problem, NonRetriable: true},
	}
	in.local++
	in.w.post(in.id, &item{local: failed, execution: in.execution})
}

// startChild inserts the row first: that it can be inserted decides. It
// returns why the child cannot be started.
func (in *instance) startChild(ctx context.Context, e *history.Event) (problem string, err error) {
	if _, err := in.w.Programs(e.Name, e.Version); err != nil {
		return err.Error(), nil
	}
	if err := taskhub.ValidInstanceID(e.InstanceID); err != nil {
		return err.Error(), nil
	}
	if err := in.w.fits(e.Input); err != nil {
		return "the input is too large: " + err.Error(), nil
	}
	m := in.childMessage(e)
	row := &taskhub.Instance{
		ID: e.InstanceID, ExecutionID: m.Target.ExecutionID, Name: e.Name, Version: e.Version, Input: e.Input,
		Status: history.Pending, Created: m.Event.Timestamp, Updated: m.Event.Timestamp, Tags: e.Tags,
	}
	fresh, problem, err := in.w.insertChild(ctx, row, func() (bool, error) { return in.isMine(ctx, e) })
	if err != nil || problem != "" {
		return problem, err
	}
	return "", in.w.handOver(ctx, in.w.ControlOf(e.Name), m, fresh)
}

// isMine tells whether an instance that has the id of a child is that child,
// which has continued as new since it was started.
func (in *instance) isMine(ctx context.Context, e *history.Event) (bool, error) {
	if in.redone[e.ID] > 0 {
		return false, nil // it may be a child that a rewind has made void
	}
	if strings.HasPrefix(e.InstanceID, in.execution+":") {
		return true, nil // the default id, which nobody else makes
	}
	var h *taskhub.History
	err := in.w.retry(ctx, finalStorage, func(ctx context.Context) (err error) {
		h, err = in.w.Store.Load(ctx, e.InstanceID, 0)
		return err
	})
	if err != nil {
		return false, err
	}
	for _, started := range h.Events {
		if started.Type == history.ExecutionStarted {
			p := started.Parent
			return p != nil && p.Instance == in.self() && p.TaskID == e.ID, nil
		}
	}
	return false, nil
}

// insertChild writes the row of a child, over that of a finished instance where
// there is one. fresh is the row when there was none; mine tells whether an
// instance of another execution is the child nevertheless.
func (w *Worker) insertChild(ctx context.Context, row *taskhub.Instance, mine func() (bool, error)) (fresh *taskhub.Instance, problem string, err error) {
	for {
		err := w.retry(ctx, finalStorage, func(ctx context.Context) error { return w.Store.Insert(ctx, row) })
		if err == nil {
			return row, "", nil
		}
		if !errors.Is(err, taskhub.ErrExists) {
			return nil, "", err
		}
		var have *taskhub.Instance
		err = w.retry(ctx, finalStorage, func(ctx context.Context) (err error) {
			have, err = w.Store.Instance(ctx, row.ID)
			return err
		})
		switch {
		case errors.Is(err, taskhub.ErrNotFound):
			continue
		case err != nil:
			return nil, "", err
		case have.ExecutionID == row.ExecutionID, continues(row.ID, have.ExecutionID, row.ExecutionID):
			return nil, "", nil
		}
		if known, err := mine(); known || err != nil {
			return nil, "", err
		}
		if !have.Status.Finished() && !have.Purging {
			return nil, "an instance with the id '" + row.ID + "' has not finished yet", nil
		}
		err = w.retry(ctx, finalStorage, func(ctx context.Context) error {
			if have.Purging {
				return w.purgeFirst(ctx, have)
			}
			return w.Store.Replace(ctx, row, have.ETag)
		})
		if !errors.Is(err, taskhub.ErrChanged) && !errors.Is(err, taskhub.ErrNotFound) {
			return nil, "", err
		}
	}
}

// purgeFirst ends a purge that was cut off, so that the row can be inserted: the
// error says that it cannot be replaced.
func (w *Worker) purgeFirst(ctx context.Context, have *taskhub.Instance) error {
	if _, err := w.Store.Purge(ctx, have.ID, have.ETag); err != nil {
		return err
	}
	return taskhub.ErrNotFound
}

// childMessage starts a child. Its ids derive from the parent's, so that a
// repetition starts the same child.
func (in *instance) childMessage(e *history.Event) *taskhub.Message {
	ref := history.InstanceRef{InstanceID: e.InstanceID, ExecutionID: in.childExecution(e)}
	start := &history.Event{
		Type: history.ExecutionStarted, ID: history.NoID, Timestamp: in.w.now(), Instance: ref,
		Name: e.Name, Version: e.Version, Input: e.Input, Tags: e.Tags,
	}
	if !engine.Detached(e) {
		parent := in.eng.Started()
		start.Parent = &history.Parent{Name: parent.Name, Version: parent.Version, Instance: in.self(), TaskID: e.ID}
	}
	return &taskhub.Message{ID: taskhub.GUID("start", ref.InstanceID, ref.ExecutionID), Target: ref, Sender: in.self(), Event: start, Tags: map[string]string{}}
}

func (in *instance) self() history.InstanceRef {
	return history.InstanceRef{InstanceID: in.id, ExecutionID: in.execution}
}

// handOver sends a message to an orchestration that this process can work on:
// hidden, as a lease, and handed over directly.
func (w *Worker) handOver(ctx context.Context, queue string, m *taskhub.Message, row *taskhub.Instance) error {
	if w.Dispatch == Queue {
		return w.sendMessage(ctx, queue, m, 0)
	}
	var lease *taskhub.Lease
	err := w.retry(ctx, finalStorage, func(ctx context.Context) (err error) {
		lease, err = w.Store.Send(ctx, queue, m, w.Lease)
		return err
	})
	if err != nil {
		return err
	}
	d := taskhub.Delivery{Message: m, Lease: lease, Inserted: w.clock.Now()}
	if row != nil {
		w.Started(d, row)
	} else {
		w.Sent(d)
	}
	return nil
}

// tell sends a message to another orchestration: directly when that one is in
// memory here, else through the queue, to whoever receives it.
func (w *Worker) tell(ctx context.Context, queue string, m *taskhub.Message) error {
	if w.Holds(m.Target.InstanceID) {
		return w.handOver(ctx, queue, m, nil)
	}
	return w.sendMessage(ctx, queue, m, 0)
}

// mine tells whether an action was asked for under a message that this process
// holds.
func (in *instance) mine(id int32) bool {
	lease := in.held[in.under[id]]
	return lease != nil && lease.alive()
}

// messageID is the logical id of a message that an action of the execution
// causes. A rewind makes it another one.
func (in *instance) messageID(kind string, action int32) string {
	return taskhub.GUID(in.partsOf(kind, action)...)
}

// partsOf are what ids are made of that belong to an action.
func (in *instance) partsOf(kind string, action int32) []string {
	parts := []string{kind, in.id, in.execution, itoa(action)}
	if n := in.redone[action]; n > 0 {
		parts = append(parts, strconv.Itoa(n))
	}
	return parts
}

// tellParent reports the end of a child.
func (in *instance) tellParent(ctx context.Context) error {
	if started := in.startEvent(); started != nil && started.Parent != nil {
		return in.tellParentOf(ctx, started)
	}
	return nil
}

func (in *instance) tellParentOf(ctx context.Context, started *history.Event) error {
	end := in.outcome
	e := &history.Event{ID: history.NoID, TaskID: started.Parent.TaskID, Timestamp: end.Timestamp}
	if end.Status == history.Completed {
		e.Type, e.Result = history.SubOrchestrationInstanceCompleted, end.Result
	} else {
		e.Type, e.Reason, e.Failure = history.SubOrchestrationInstanceFailed, end.Result, end.Failure
	}
	return in.w.tell(ctx, in.w.ControlOf(started.Parent.Name), &taskhub.Message{
		ID:     in.messageID("ended", end.ID),
		Target: started.Parent.Instance,
		Sender: in.self(),
		Event:  e,
	})
}

// control is the queue of the orchestration's own messages.
func (in *instance) control() string { return in.w.ControlOf(in.eng.Started().Name) }

func (in *instance) startEvent() *history.Event {
	for _, e := range in.committed {
		if e.Type == history.ExecutionStarted {
			return e
		}
	}
	return nil
}
