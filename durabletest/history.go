package durabletest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// Event is an entry of a history.
type Event struct {
	// Type has the official names: ExecutionStarted, TaskScheduled,
	// TaskCompleted, TimerCreated, EventRaised ...
	Type string
	// ID numbers the actions of the orchestrator, TaskID names the action of
	// which this event is the end; -1 for events that have none.
	ID, TaskID int
	Time       time.Time
	// Name of the orchestrator, activity or event.
	Name string
	// Input and Result are JSON, nil where there is none.
	Input, Result json.RawMessage
	// Failure is the text of an error, or the reason of an operator.
	Failure string
	// FireAt is the time of a timer.
	FireAt time.Time
	// InstanceID is the child, or the receiver of an event.
	InstanceID string
}

// Events is a history, or a part of it.
type Events []Event

// String has a line for each event.
func (h Events) String() string {
	var b strings.Builder
	for n, e := range h {
		fmt.Fprintf(&b, "%4d  %v\n", n, e)
	}
	return b.String()
}

// String is one line.
func (e Event) String() string {
	var b strings.Builder
	b.WriteString(e.Type)
	if e.ID >= 0 {
		fmt.Fprintf(&b, " #%d", e.ID)
	}
	if e.TaskID >= 0 {
		fmt.Fprintf(&b, " of #%d", e.TaskID)
	}
	for _, text := range []string{e.Name, e.InstanceID, short(e.Input), short(e.Result), e.Failure} {
		if text != "" {
			b.WriteString(" " + text)
		}
	}
	if !e.FireAt.IsZero() {
		b.WriteString(" " + e.FireAt.Format(time.RFC3339))
	}
	return b.String()
}

// short cuts a value that would fill more than a line.
func short(raw json.RawMessage) string {
	const most = 60
	if len(raw) <= most {
		return string(raw)
	}
	return strings.ToValidUTF8(string(raw[:most]), "") + "..."
}

// Of are the events of a type.
func (h Events) Of(eventType string) Events {
	var out Events
	for _, e := range h {
		if e.Type == eventType {
			out = append(out, e)
		}
	}
	return out
}

// History is what is recorded of the current execution.
func (i *Instance[Out]) History() Events {
	i.env.t.Helper()
	return view(i.load())
}

func view(events []*history.Event) Events {
	out := make(Events, len(events))
	for n, e := range events {
		v := Event{
			Type: e.Type.String(), ID: int(e.ID), TaskID: -1, Time: e.Timestamp, Name: e.Name,
			Input: json.RawMessage(e.Input), Result: json.RawMessage(e.Result),
			Failure: string(e.Reason), FireAt: e.FireAt, InstanceID: e.InstanceID,
		}
		if e.Type == history.ExecutionTerminated {
			v.Input, v.Failure = nil, string(e.Input)
		}
		if e.Failure != nil {
			v.Failure = e.Failure.ErrorMessage
		}
		switch e.Type {
		case history.TaskCompleted, history.TaskFailed, history.TimerFired,
			history.SubOrchestrationInstanceCompleted, history.SubOrchestrationInstanceFailed:
			v.TaskID = int(e.TaskID)
		case history.ExecutionCompleted:
			if v.Failure != "" {
				v.Result = nil
			}
		}
		out[n] = v
	}
	return out
}

func (i *Instance[Out]) load() []*history.Event {
	i.env.t.Helper()
	loaded, err := i.env.store.Load(i.env.context(), i.ID, 0)
	if err != nil {
		i.env.fatal("the history of instance %s: %v", i.ID, err)
	}
	return loaded.Events
}

// HistoryJSON is the history as JSON, for a file that Replay reads: the rows of
// the History table, one a line.
func (i *Instance[Out]) HistoryJSON() []byte {
	i.env.t.Helper()
	events, execution := i.load(), ""
	for _, e := range events {
		if e.Type == history.ExecutionStarted {
			execution = e.Instance.ExecutionID
		}
	}
	var b bytes.Buffer
	b.WriteString("[")
	for n, e := range events {
		if n > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n")
		b.Write(history.AppendRow(nil, i.ID, fmt.Sprintf("%016X", n), execution, e, true))
	}
	b.WriteString("\n]\n")
	return b.Bytes()
}
