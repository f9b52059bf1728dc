package durable

import (
	"context"
	"encoding/json"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/management"
)

// HistoryEvent is an event of an orchestration's history.
type HistoryEvent struct {
	// Type is the official name: ExecutionStarted, TaskScheduled ...
	Type string
	// ID numbers the actions of the orchestrator from 0; it is -1 for all other
	// events. TaskID is the action that a completion answers, else -1.
	ID, TaskID int
	Timestamp  time.Time
	// Name of the orchestrator, activity or event.
	Name string
	// InstanceID is the child that was started, or the target of an event.
	InstanceID string
	// FireAt of timers.
	FireAt time.Time
	// Status of ExecutionCompleted.
	Status RuntimeStatus
	Input  json.RawMessage
	Result json.RawMessage
	// Reason of a failure, a suspension or a resumption.
	Reason string
	// Raw is the whole event in the form of the official history API.
	Raw json.RawMessage
}

// History reads the events of an instance's current execution, in their order.
// It is empty for one that has not started. ErrNotFound.
func (c *Client) History(ctx context.Context, id string) ([]HistoryEvent, error) {
	core, err := c.core()
	if err != nil {
		return nil, err
	}
	events, err := core.client.History(ctx, id)
	if err != nil {
		return nil, err
	}
	out := make([]HistoryEvent, len(events))
	for i, e := range events {
		out[i] = publicEvent(e)
	}
	return out, nil
}

// HistoryJSON is the history as the official HTTP API shows it: the array
// historyEvents, with inputs and results, in which each call that has ended is one
// event. ErrNotFound.
func (c *Client) HistoryJSON(ctx context.Context, id string) (json.RawMessage, error) {
	core, err := c.core()
	if err != nil {
		return nil, err
	}
	events, err := core.client.History(ctx, id)
	if err != nil {
		return nil, err
	}
	return management.History(events), nil
}

func publicEvent(e *history.Event) HistoryEvent {
	p := HistoryEvent{
		Type: e.Type.String(), ID: int(e.ID), TaskID: -1, Timestamp: e.Timestamp, Name: e.Name, InstanceID: e.InstanceID, FireAt: e.FireAt,
		Input: asJSON(e.Input), Result: asJSON(e.Result), Reason: string(e.Reason), Raw: history.AppendAPI(nil, e),
	}
	switch e.Type {
	case history.TaskCompleted, history.TaskFailed, history.TimerFired,
		history.SubOrchestrationInstanceCompleted, history.SubOrchestrationInstanceFailed:
		p.TaskID = int(e.TaskID)
	case history.ExecutionCompleted, history.ContinueAsNew:
		p.Status = runtimeStatus(e.Status)
	}
	return p
}
