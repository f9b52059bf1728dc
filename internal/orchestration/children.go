package orchestration

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/executor"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/tracing"
)

func isRefused(err error) bool { return executor.Classify(err) == executor.Refused }

// failChild reports a child that could not be started as a failed one.
func (in *Instance) failChild(e *history.Event, problem string) {
	failed := &history.Event{
		Type: history.SubOrchestrationInstanceFailed, ID: history.NoID, TaskID: e.ID, Timestamp: in.Exec.Now(), Reason: history.Payload(problem),
		Failure: &history.FailureDetails{ErrorType: "SubOrchestrationNotStarted", ErrorMessage: problem, NonRetriable: true},
	}
	in.postLocal(failed)
}

// postLocal brings the execution in memory an event that no message brings.
func (in *Instance) postLocal(e *history.Event) {
	in.x.local++
	in.Host.Post(in.ID, &local{event: e, execution: in.x.id})
}

// startChild inserts the row first: that it can be inserted decides. It returns why
// the child cannot be started.
func (in *Instance) startChild(ctx context.Context, e *history.Event) (problem string, err error) {
	if _, err := in.Programs(e.Name, e.Version); err != nil {
		return err.Error(), nil
	}
	if err := taskhub.ValidInstanceID(e.InstanceID); err != nil {
		return err.Error(), nil
	}
	if err := in.fits(e.Input); err != nil {
		return "the input is too large: " + err.Error(), nil
	}
	m := in.childMessage(e)
	row := &taskhub.Instance{
		ID: e.InstanceID, ExecutionID: m.Target.ExecutionID, Name: e.Name, Version: e.Version, Input: e.Input,
		Status: history.Pending, Created: m.Event.Timestamp, Updated: m.Event.Timestamp, Tags: e.Tags, Origin: m.Target.ExecutionID,
	}
	if m.Event.Parent != nil {
		row.ParentInstanceID = in.ID
	}
	fresh, problem, err := in.insertChild(ctx, row, e)
	if isRefused(err) {
		return "storage refuses it: " + err.Error(), nil
	}
	if err != nil || problem != "" {
		return problem, err
	}
	err = in.HandOver(ctx, in.ControlOf(e.Name), m, fresh)
	if isRefused(err) {
		return "storage refuses it: " + err.Error(), nil
	}
	return "", err
}

// insertChild writes the row of a child, over that of an ended instance where there
// is one. fresh is the row when there was none.
func (in *Instance) insertChild(ctx context.Context, row *taskhub.Instance, e *history.Event) (fresh *taskhub.Instance, problem string, err error) {
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		err := in.Exec.Do(ctx, func(ctx context.Context) error { return in.Store.Insert(ctx, row) })
		if err == nil {
			return row, "", nil
		}
		if !errors.Is(err, taskhub.ErrExists) {
			return nil, "", err
		}
		have, err := in.Row(ctx, row.ID)
		switch {
		case errors.Is(err, taskhub.ErrNotFound):
			continue
		case err != nil:
			return nil, "", err
		}
		done, problem, err := in.replaceForChild(ctx, row, have, e, wait)
		if done || err != nil || problem != "" {
			return nil, problem, err
		}
	}
}

// replaceForChild decides about an instance that has the id of a child. done means
// that it is the child, or that its row was replaced by that of the child.
func (in *Instance) replaceForChild(ctx context.Context, row, have *taskhub.Instance, e *history.Event, wait time.Duration) (done bool, problem string, err error) {
	if have.ExecutionID == row.ExecutionID || have.Origins() == row.ExecutionID || taskhub.Continues(row.ID, have.ExecutionID, row.ExecutionID) {
		return true, "", nil
	}
	if mine, err := in.isMine(ctx, e); mine || err != nil {
		return mine, "", err
	}
	if have.Purging {
		return false, "", in.purgeFirst(ctx, have)
	}
	if !have.Status.Finished() {
		return false, in.awaitRow(ctx, have, wait), nil
	}
	err = in.Exec.Do(ctx, func(ctx context.Context) error { return in.Store.Replace(ctx, row, have.ETag) })
	if errors.Is(err, taskhub.ErrChanged) || errors.Is(err, taskhub.ErrNotFound) {
		return false, "", nil
	}
	return err == nil, "", err
}

// isMine reports whether an instance that has the id of a child is that child, which
// has continued as new since it was started.
func (in *Instance) isMine(ctx context.Context, e *history.Event) (bool, error) {
	if in.x.record.redone(e.ID) > 0 {
		return false, nil // it may be a child that a rewind has made void
	}
	if strings.HasPrefix(e.InstanceID, in.x.id+":") {
		return true, nil // the default id, which no other orchestration makes
	}
	head, err := in.Head(ctx, e.InstanceID)
	if err != nil {
		return false, err
	}
	p := head.State.Parent
	return p != nil && p.Instance == in.self() && p.TaskID == e.ID, nil
}

// Bounds of the waits for the row of an instance whose history has ended.
const (
	firstWait = 100 * time.Millisecond
	lastWait  = 5 * time.Second
)

// awaitRow returns why the id of an instance cannot be used, or "" after a wait: its
// history has ended and its row does not show that yet. The process that ended it
// does; where it died, the wake-up brings another one to it.
func (in *Instance) awaitRow(ctx context.Context, have *taskhub.Instance, wait time.Duration) (problem string) {
	head, err := in.Head(ctx, have.ID)
	if err != nil || !head.State.Ended || head.ExecutionID != have.ExecutionID && head.State.Origin != have.Origins() {
		return "an instance with the id '" + have.ID + "' has not finished yet"
	}
	look := taskhub.Look(have.ID, head.ETag, in.Exec.Now())
	if err := in.Forward(ctx, in.ControlOf(have.Name), look); err != nil {
		return ""
	}
	_ = in.Exec.Wait(ctx, wait)
	return ""
}

// purgeFirst ends a purge that was cut off, so that the row can be inserted.
func (in *Instance) purgeFirst(ctx context.Context, have *taskhub.Instance) error {
	err := in.Exec.Do(ctx, func(ctx context.Context) error {
		_, err := in.Store.Purge(ctx, have.ID, have.ETag)
		return err
	})
	if errors.Is(err, taskhub.ErrNotFound) || errors.Is(err, taskhub.ErrChanged) {
		return nil
	}
	return err
}

// childMessage starts a child. Its ids derive from the parent's, so that a repetition
// starts the same child.
func (in *Instance) childMessage(e *history.Event) *taskhub.Message {
	ref := history.InstanceRef{InstanceID: e.InstanceID, ExecutionID: in.childExecution(e)}
	start := &history.Event{
		Type: history.ExecutionStarted, ID: history.NoID, Timestamp: in.Exec.Now(), Instance: ref,
		Name: e.Name, Version: e.Version, Input: e.Input, Tags: e.Tags, Trace: tracing.Wire(in.traceOf(e.ID)),
	}
	if parent := in.x.record.started; !history.IsDetached(e) && parent != nil {
		start.Parent = &history.Parent{Name: parent.Name, Version: parent.Version, Instance: in.self(), TaskID: e.ID}
	}
	return &taskhub.Message{ID: taskhub.GUID("start", ref.InstanceID, ref.ExecutionID), Target: ref, Sender: in.self(), Event: start, Tags: map[string]string{}}
}

// childExecution is the execution id of a child's first execution.
func (in *Instance) childExecution(e *history.Event) string {
	return taskhub.DerivedID(in.partsOf("child", e.ID)...)
}

// terminateChildren ends the children of an execution that was terminated together
// with them. It is called until all messages of the execution are removed, and what
// the children are told has the same ids each time.
func (in *Instance) terminateChildren(ctx context.Context) error {
	x := in.x
	end := x.record.terminated
	if end == nil || x.record.outcome.Status != history.Terminated || string(end.Own.Options) != taskhub.TerminateChildren {
		return nil
	}
	children := x.record.children()
	return in.Exec.Each(ctx, len(children), func(ctx context.Context, i int) error {
		e := children[i]
		t := &taskhub.Telling{
			ID: taskhub.GUID("terminate", in.ID, x.id, itoa(e.ID)), Origin: in.childExecution(e), Sent: x.record.outcome.Timestamp,
			Event: &history.Event{Type: history.ExecutionTerminated, ID: history.NoID, Timestamp: in.Exec.Now(), Input: end.Input, Own: history.Own{Options: end.Own.Options}},
		}
		return in.Tell(ctx, in.ControlOf(e.Name), e.InstanceID, t)
	})
}

// tellParent reports the end of a child.
func (in *Instance) tellParent(ctx context.Context) error {
	if p := in.x.parent(); p != nil {
		return in.tellParentOf(ctx, p)
	}
	return nil
}

func (in *Instance) tellParentOf(ctx context.Context, parent *history.Parent) error {
	end := in.x.record.outcome
	e := &history.Event{ID: history.NoID, TaskID: parent.TaskID, Timestamp: end.Timestamp}
	if end.Status == history.Completed {
		e.Type, e.Result = history.SubOrchestrationInstanceCompleted, end.Result
	} else {
		e.Type, e.Reason, e.Failure = history.SubOrchestrationInstanceFailed, end.Result, end.Failure
	}
	return in.Forward(ctx, in.ControlOf(parent.Name), &taskhub.Message{
		ID: in.messageID("ended", end.ID), Target: parent.Instance, Sender: in.self(), Event: e,
	})
}

// acceptLocal takes an event that the orchestration has sent itself.
func (in *Instance) acceptLocal(l *local) *history.Event {
	if l.settled || l.execution != in.x.id {
		return nil
	}
	if !l.counted {
		l.counted = true
		in.x.local--
	}
	if in.x.ended() {
		return nil
	}
	return l.event
}
