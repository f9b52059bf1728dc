package durabletest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// object is a JSON object whose members are read as needed.
type object map[string]json.RawMessage

func (o object) text(name string) string {
	var s string
	_ = json.Unmarshal(o[name], &s) // what is no string is none
	return s
}

// parse reads a saved history in one of the forms that Replay names.
func parse(saved []byte) ([]*record, error) {
	saved = bytes.TrimSpace(bytes.TrimPrefix(saved, []byte("\uFEFF")))
	instance := ""
	var whole object
	if json.Unmarshal(saved, &whole) == nil {
		instance = whole.text("instanceId")
		if string(whole["isHistoryComplete"]) == "false" {
			return nil, errors.New("it is one page of a long history: put the historyEvents of all pages into one file")
		}
		for _, member := range []string{"historyEvents", "value"} {
			if inner, ok := whole[member]; ok {
				saved = inner
			}
		}
	}
	objects, err := list(saved)
	if err != nil {
		return nil, err
	}
	if len(objects) == 0 {
		return nil, errors.New("there are no events in it")
	}
	first := objects[0]
	_, byRow := first["RowKey"]
	_, byID := first["EventId"]
	switch {
	case byRow || byID && strings.HasPrefix(string(first["EventType"]), `"`):
		return rows(objects)
	case byID:
		events, err := history.DecodeAPI(saved)
		return []*record{{instance: instance, events: events}}, err
	}
	r, err := projection(objects)
	if err != nil {
		return nil, err
	}
	r.instance = instance
	return []*record{r}, nil
}

// list reads an array of objects, or objects one after the other.
func list(saved []byte) ([]object, error) {
	var out []object
	if bytes.HasPrefix(saved, []byte("[")) {
		err := json.Unmarshal(saved, &out)
		return out, err
	}
	decoder := json.NewDecoder(bytes.NewReader(saved))
	for decoder.More() {
		var o object
		if err := decoder.Decode(&o); err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

// rows sorts rows of the table into executions. Columns that a tool has
// exported as texts are read as what they are.
func rows(objects []object) ([]*record, error) {
	slices.SortStableFunc(objects, func(a, b object) int { return strings.Compare(a.text("RowKey"), b.text("RowKey")) })
	byExecution := map[string]*record{}
	var out []*record
	for _, o := range objects {
		if o.text("EventType") == "" {
			continue // the sentinel, or another row that is no event
		}
		for _, column := range []string{"EventId", "TaskScheduledId", "TimerId", "Generation", "IsPlayed"} {
			if text := strings.ToLower(strings.Trim(string(o[column]), `"`)); text != "" {
				o[column] = json.RawMessage(text)
			} else {
				delete(o, column)
			}
		}
		raw, err := json.Marshal(o)
		if err != nil {
			return nil, err
		}
		e, at, err := history.DecodeRow(raw)
		if err != nil {
			return nil, err
		}
		k := o.text("PartitionKey") + "\n" + at.ExecutionID
		if byExecution[k] == nil {
			byExecution[k] = &record{}
			out = append(out, byExecution[k])
		}
		byExecution[k].events = append(byExecution[k].events, e)
	}
	return out, nil
}

// projection reads the events of the management API.
func projection(objects []object) (*record, error) {
	r := &record{}
	for n, o := range objects {
		e, p, err := projectedEvent(o)
		if err != nil {
			return nil, fmt.Errorf("event %d: %w", n, err)
		}
		p.place = n
		r.events, r.projected = append(r.events, e), append(r.projected, p)
	}
	return r, nil
}

// projectedEvent makes an event of the engine of one of the API.
func projectedEvent(o object) (*history.Event, projected, error) {
	var p projected
	kind, err := history.ParseType(o.text("EventType"))
	if err != nil {
		return nil, p, err
	}
	p.kind = kind
	if name := o.text("FunctionName"); name != "" {
		o["Name"] = o["FunctionName"]
	}
	p.name = o.text("Name")
	when := o.text("Timestamp")
	switch kind {
	case history.TaskCompleted, history.TaskFailed:
		p.kind, when = history.TaskScheduled, o.text("ScheduledTime")
	case history.SubOrchestrationInstanceCompleted, history.SubOrchestrationInstanceFailed:
		p.kind, when = history.SubOrchestrationInstanceCreated, o.text("ScheduledTime")
	case history.TaskScheduled, history.SubOrchestrationInstanceCreated, history.TimerCreated, history.EventSent:
	case history.ExecutionRewound:
		return nil, p, errors.New("the history was rewound; save the rows of the History table instead")
	default:
		p.kind, p.name = history.ExecutionStarted, "" // no action
	}
	if when != "" {
		if p.scheduled, err = time.Parse(time.RFC3339Nano, when); err != nil {
			return nil, p, err
		}
	}
	result, has := o["Result"]
	if !has && (kind == history.TaskCompleted || kind == history.SubOrchestrationInstanceCompleted) {
		return nil, p, errors.New("it has no result; save the history with showHistoryOutput=true")
	}
	if has && string(result) != "null" {
		o["Result"] = history.AppendString(nil, result)
	}
	o["EventType"] = fmt.Appendf(nil, "%d", kind)
	raw, err := json.Marshal([]object{o})
	if err != nil {
		return nil, p, err
	}
	events, err := history.DecodeAPI(raw)
	if err != nil {
		return nil, p, err
	}
	return events[0], p, nil
}
