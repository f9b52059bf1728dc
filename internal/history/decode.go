package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// moment is a time in one of the forms that ParseTime reads.
type moment struct{ time.Time }

func (m *moment) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil || text == "" {
		return err
	}
	t, err := ParseTime(text)
	m.Time = t
	return err
}

// wireEvent has the members of all event types.
type wireEvent struct {
	Class                 string          `json:"$type"`
	EventType             json.RawMessage `json:"EventType"`
	EventId               *int32
	IsPlayed              bool
	Timestamp             moment
	Name, Version         string
	Input, Result         *string
	Reason, Details, Data *string
	FailureDetails        *wireFailure
	OrchestrationStatus   json.RawMessage
	FireAt                moment
	TaskScheduledId       int32
	TimerId               int32
	OrchestrationInstance wireInstance
	InstanceId            string
	ParentExecutionId     string
	ParentInstance        *wireParent
	Tags                  json.RawMessage
	ParentTraceContext    *wireTrace
	ScheduledStartTime    moment
	Generation            *int32
	Correlation           string
	ClientSpanId          string
}

type wireInstance struct{ InstanceId, ExecutionId string }

type wireParent struct {
	Name, Version         string
	OrchestrationInstance wireInstance
	TaskScheduleId        int32
}

type wireTrace struct {
	TraceParent, TraceState, Id, SpanId string
	ActivityStartTime                   moment
}

type wireFailure struct {
	ErrorType, ErrorMessage string
	StackTrace              *string
	InnerFailure            *wireFailure
	IsNonRetriable          bool
	Properties              json.RawMessage
}

// DecodeMessageEvent reads the event of a queue message. Its type is what $type
// says: the numbers of EventType differ between versions of the official
// writers.
func DecodeMessageEvent(raw []byte) (*Event, error) {
	var wire wireEvent
	if err := json.Unmarshal(raw, &wire); err != nil {
		return nil, fmt.Errorf("decoding event: %w", err)
	}
	t, err := typeOfClass(wire.Class)
	if err != nil {
		return nil, err
	}
	return wire.event(t)
}

// typeOfClass takes "DurableTask.Core.History.XEvent, Assembly" apart.
func typeOfClass(class string) (Type, error) {
	if class == "" {
		return 0, errors.New("decoding event: it has no $type")
	}
	name, _, _ := strings.Cut(class, ",")
	name = name[strings.LastIndexByte(name, '.')+1:]
	if name == "GenericEvent" {
		return GenericEvent, nil
	}
	return ParseType(strings.TrimSuffix(name, "Event"))
}

// DecodeAPI reads a history as the official history API shows it.
func DecodeAPI(raw []byte) ([]*Event, error) {
	var wires []wireEvent
	if err := json.Unmarshal(raw, &wires); err != nil {
		return nil, fmt.Errorf("decoding history: %w", err)
	}
	events := make([]*Event, len(wires))
	for i := range wires {
		var number int8
		if err := json.Unmarshal(wires[i].EventType, &number); err != nil || number < 0 || int(number) >= len(typeNames) {
			return nil, fmt.Errorf("decoding history: event %d: EventType %s", i, wires[i].EventType)
		}
		e, err := wires[i].event(Type(number))
		if err != nil {
			return nil, fmt.Errorf("event %d: %w", i, err)
		}
		events[i] = e
	}
	return events, nil
}

func (w *wireEvent) event(t Type) (*Event, error) {
	tags, err := ParseTags(w.Tags)
	if err != nil {
		return nil, err
	}
	e := &Event{
		Type: t, ID: NoID, Played: w.IsPlayed, Timestamp: w.Timestamp.Time,
		Name: w.Name, Version: w.Version, Input: text(w.Input), Result: text(w.Result),
		Reason: text(w.Reason), Details: text(w.Details), Failure: w.FailureDetails.details(),
		TaskID: w.TaskScheduledId, FireAt: w.FireAt.Time,
		Instance:   w.OrchestrationInstance.ref(),
		InstanceID: w.InstanceId,
		Parent:     w.ParentInstance.parent(), Tags: tags, Trace: w.ParentTraceContext.trace(),
		ScheduledStart: w.ScheduledStartTime.Time, Generation: w.Generation,
		Carried: carried(t, w.Correlation, w.ClientSpanId, w.ParentExecutionId),
	}
	if w.EventId != nil {
		e.ID = *w.EventId
	}
	switch t {
	case TimerFired:
		e.TaskID = w.TimerId
	case GenericEvent:
		e.Reason = text(w.Data)
	case ExecutionCompleted, ContinueAsNew:
		e.Status, err = parseWireStatus(w.OrchestrationStatus)
	}
	return e, err
}

// parseWireStatus reads a status by number or by name.
func parseWireStatus(raw json.RawMessage) (Status, error) {
	var number int8
	if json.Unmarshal(raw, &number) == nil && number >= 0 && int(number) < len(statusNames) {
		return Status(number), nil
	}
	var name string
	if err := json.Unmarshal(raw, &name); err != nil {
		return 0, fmt.Errorf("decoding event: OrchestrationStatus %s", raw)
	}
	return ParseStatus(name)
}

func text(s *string) Payload {
	if s == nil {
		return nil
	}
	return Payload(*s)
}

func (w *wireParent) parent() *Parent {
	if w == nil {
		return nil
	}
	return &Parent{Name: w.Name, Version: w.Version, Instance: w.OrchestrationInstance.ref(), TaskID: w.TaskScheduleId}
}

func (w *wireTrace) trace() *TraceContext {
	if w == nil {
		return nil
	}
	return &TraceContext{TraceParent: w.TraceParent, TraceState: w.TraceState, ID: w.Id, SpanID: w.SpanId, Started: w.ActivityStartTime.Time}
}

func (w *wireFailure) details() *FailureDetails {
	if w == nil {
		return nil
	}
	f := &FailureDetails{
		ErrorType: w.ErrorType, ErrorMessage: w.ErrorMessage, StackTrace: text(w.StackTrace),
		Inner: w.InnerFailure.details(), NonRetriable: w.IsNonRetriable,
	}
	if len(w.Properties) > 0 && string(w.Properties) != "null" {
		f.Properties = Payload(w.Properties)
	}
	return f
}

func (w wireInstance) ref() InstanceRef {
	return InstanceRef{InstanceID: w.InstanceId, ExecutionID: w.ExecutionId}
}
