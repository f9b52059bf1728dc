package worker

import (
	"context"
	"errors"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// orphanTries is how often a message waits for the start of an instance before
// its start message counts as lost.
const orphanTries = 3

// orphan deals with a message for an instance without a history.
func (in *instance) orphan(ctx context.Context, it *item) ([]*history.Event, error) {
	row, err := in.readRow(ctx)
	if errors.Is(err, taskhub.ErrNotFound) || err == nil && row.Status.Finished() {
		in.w.log.Info("message for an unknown instance was dropped", "instance", in.id, "event", it.message.Event.Type)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	away := row.Scheduled.Sub(in.w.clock.Now())
	if it.message.Event.Type == history.ExecutionTerminated && row.Status == history.Pending && (away > 0 || it.delivery.Dequeued >= orphanTries) {
		return in.terminateUnstarted(it.message, row), nil
	}
	delay := min(max(away, 2*time.Second), time.Hour)
	return nil, &postponed{reason: "the instance has not started yet", delay: delay}
}

// terminateUnstarted ends an instance whose start message has not come yet: its
// history is that of a start and its end, so that whoever brings the start
// message finds that it is over. User code does not run.
func (in *instance) terminateUnstarted(m *taskhub.Message, row *taskhub.Instance) []*history.Event {
	execution := row.ExecutionID
	if execution == "" {
		execution = taskhub.DerivedID("unstarted", in.id)
	}
	if m.Target.ExecutionID != "" && m.Target.ExecutionID != execution {
		return nil
	}
	in.begin(execution, row)
	in.blame = &terminatedEarly{}
	ref := history.InstanceRef{InstanceID: in.id, ExecutionID: execution}
	return []*history.Event{{
		Type: history.ExecutionStarted, ID: history.NoID, Timestamp: row.Created, Instance: ref, Name: row.Name, Version: row.Version,
		Input: row.Input, Tags: row.Tags, ScheduledStart: row.Scheduled, Generation: row.Generation,
	}, withMessage(m)}
}

// terminatedEarly stands for the code of an instance that is terminated and
// whose code cannot run: it has not begun, or does not fit its history.
type terminatedEarly struct{}

func (*terminatedEarly) Error() string { return "the instance was terminated" }

// terminates tells whether a batch ends the execution that was loaded.
func (in *instance) terminates(batch []*item) bool {
	for _, it := range batch {
		if m := it.message; m != nil && m.Event.Type == history.ExecutionTerminated && !in.seen[m.ID] && in.descends(m.Target.ExecutionID) {
			return true
		}
	}
	return false
}

// tellLateParent answers for a child that was terminated before its start
// message came: only that knows the parent.
func (in *instance) tellLateParent(ctx context.Context, start *taskhub.Message) error {
	if in.outcome == nil || start.Event.Parent == nil || in.startEvent() == nil || in.startEvent().Parent != nil {
		return nil
	}
	return in.tellParentOf(ctx, start.Event)
}

// isFor tells whether a message is for the execution in memory. What answers an
// action is for the one that asked, and for no other: their ids begin anew.
func (in *instance) isFor(m *taskhub.Message) bool {
	switch m.Event.Type {
	case history.TaskCompleted, history.TaskFailed, history.TimerFired,
		history.SubOrchestrationInstanceCompleted, history.SubOrchestrationInstanceFailed:
		return m.Target.ExecutionID == "" || m.Target.ExecutionID == in.execution
	}
	return in.descends(m.Target.ExecutionID)
}

// maxGenerations bounds the search for what an execution continues.
const maxGenerations = 1000

// descends tells whether the execution is the one named, or continues it as new.
// The row that clients read may name an execution for a moment that has been
// continued already.
func (in *instance) descends(from string) bool {
	return from == "" || from == in.execution || from == in.origin || in.origin != "" && continues(in.id, in.execution, from)
}

// continues tells whether an execution follows another one of its instance by
// continue-as-new.
func continues(id, execution, from string) bool {
	for range maxGenerations {
		from = taskhub.DerivedID("next", id, from)
		if from == execution {
			return true
		}
	}
	return false
}
