package worker

import (
	"context"
	"maps"
	"slices"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// terminateChildren ends the children of an execution that was terminated
// together with them. It is called until all messages of the execution are
// removed, and the messages to the children have the same ids each time.
func (in *instance) terminateChildren(ctx context.Context) error {
	end := in.cascade()
	if end == nil {
		return nil
	}
	for _, e := range in.openChildren() {
		m := &taskhub.Message{
			ID:     taskhub.GUID("terminate", in.id, in.execution, itoa(e.ID)),
			Target: history.InstanceRef{InstanceID: e.InstanceID, ExecutionID: in.childExecution(e)},
			Sender: in.self(),
			Event:  &history.Event{Type: history.ExecutionTerminated, ID: history.NoID, Timestamp: in.w.now(), Input: end.Input, Own: history.Own{Options: end.Own.Options}},
		}
		if err := in.w.tell(ctx, in.w.ControlOf(e.Name), m); err != nil {
			return err
		}
	}
	return nil
}

// cascade is the event that terminated the execution, when it was to end the
// children, too.
func (in *instance) cascade() *history.Event {
	if in.outcome == nil || in.outcome.Status != history.Terminated {
		return nil
	}
	for _, e := range in.committed {
		if e.Type == history.ExecutionTerminated && string(e.Own.Options) == taskhub.TerminateChildren {
			return e
		}
	}
	return nil
}

// openChildren are the recorded children that have not reported their end. One
// that was recorded after a rewind takes the place of what had its id.
func (in *instance) openChildren() (open []*history.Event) {
	at := map[int32]*history.Event{}
	for _, e := range in.committed {
		switch e.Type {
		case history.SubOrchestrationInstanceCreated:
			if !engine.Detached(e) {
				at[e.ID] = e
			}
		case history.SubOrchestrationInstanceCompleted, history.SubOrchestrationInstanceFailed:
			delete(at, e.TaskID)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(at)) {
		open = append(open, at[id])
	}
	return open
}

// childExecution is the execution id of a child's first execution.
func (in *instance) childExecution(e *history.Event) string {
	return taskhub.DerivedID(in.partsOf("child", e.ID)...)
}
