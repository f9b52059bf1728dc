package history_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"pgregory.net/rapid"
)

// A row that cannot be read is named, with the column and the reason.
func TestUnreadableRows(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	events := map[string]*history.Event{
		"started":   {Type: history.ExecutionStarted, ID: history.NoID, Timestamp: at, Name: "O", Tags: map[string]string{"a": "b"}},
		"turn":      {Type: history.OrchestratorStarted, ID: history.NoID, Timestamp: at},
		"scheduled": {Type: history.TaskScheduled, ID: 3, Timestamp: at, Name: "A"},
		"completed": {Type: history.TaskCompleted, ID: history.NoID, TaskID: 3, Timestamp: at, Result: history.Payload("1")},
		"failed":    {Type: history.TaskFailed, ID: history.NoID, TaskID: 3, Timestamp: at, Failure: &history.FailureDetails{ErrorMessage: "no"}},
		"fired":     {Type: history.TimerFired, ID: history.NoID, TaskID: 3, Timestamp: at, FireAt: at},
		"timer":     {Type: history.TimerCreated, ID: 3, Timestamp: at, FireAt: at},
		"ended":     {Type: history.ExecutionCompleted, ID: 4, Timestamp: at, Status: history.Completed},
	}
	for name, c := range map[string]struct{ event, column, value string }{ // no value: the column is not there
		"a type of a newer engine":  {"started", "EventType", `"ExecutionImproved"`},
		"no type":                   {"started", "EventType", ""},
		"a type that is a number":   {"started", "EventType", "7"},
		"no name":                   {"started", "Name", ""},
		"tags that are no object":   {"started", "Tags", `"[1"`},
		"an instance of no object":  {"started", "OrchestrationInstance", `"7"`},
		"a clock that is no time":   {"turn", "_Timestamp", `"yesterday"`},
		"an id that is a text":      {"scheduled", "EventId", `"3"`},
		"no id":                     {"scheduled", "EventId", ""},
		"an id below zero":          {"scheduled", "EventId", "-1"},
		"an id that is too large":   {"scheduled", "EventId", "99999999999"},
		"a hash that is none":       {"scheduled", "GoInputHash", `"x"`},
		"a result that is a number": {"completed", "Result", "1"},
		"no id of the call":         {"completed", "TaskScheduledId", ""},
		"no id of the timer":        {"fired", "TimerId", ""},
		"a failure that is none":    {"failed", "FailureDetails", `"{"`},
		"a due time in another era": {"timer", "FireAt", `"-0005-01-01T00:00:00Z"`},
		"a status of a newer one":   {"ended", "OrchestrationStatus", `"Improved"`},
	} {
		t.Run(name, func(t *testing.T) {
			var columns map[string]json.RawMessage
			if err := json.Unmarshal(history.AppendRow(nil, "i", "0000000000000007", "e", events[c.event], true), &columns); err != nil {
				t.Fatal(err)
			}
			delete(columns, c.column)
			if c.value != "" {
				columns[c.column] = json.RawMessage(c.value)
			}
			raw, err := json.Marshal(columns)
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = history.DecodeRow(raw)
			unreadable := new(history.UnreadableError)
			if !errors.Is(err, history.ErrUnreadable) || !errors.As(err, &unreadable) {
				t.Fatalf("got %v", err)
			}
			if unreadable.Row != "0000000000000007" || unreadable.Column != c.column || unreadable.Reason == "" {
				t.Errorf("got row %q, column %q: %v", unreadable.Row, unreadable.Column, err)
			}
			if text := err.Error(); !strings.Contains(text, "row 0000000000000007 column "+c.column+" ") {
				t.Errorf("the text is %q", text)
			}
		})
	}
}

// Rows that are missing are found, wherever that is.
func TestCheckSequence(t *testing.T) {
	rows := func(numbers ...string) (out []history.Row) {
		for _, n := range numbers {
			out = append(out, history.Row{RowKey: "000000000000000" + n})
		}
		return out
	}
	for name, c := range map[string]struct {
		first, next uint64
		rows        []history.Row
		missing     string
	}{
		"nothing":         {5, 5, nil, ""},
		"all":             {5, 8, rows("5", "6", "7"), ""},
		"the first":       {5, 8, rows("6", "7"), "0000000000000005"},
		"one between":     {5, 8, rows("5", "7"), "0000000000000006"},
		"the last":        {5, 8, rows("5", "6"), "0000000000000007"},
		"all of them":     {5, 8, nil, "0000000000000005"},
		"a key of letter": {5, 8, rows("x"), "000000000000000x"},
	} {
		t.Run(name, func(t *testing.T) {
			err := history.CheckSequence(c.first, c.next, c.rows)
			if (err == nil) != (c.missing == "") || err != nil && (!errors.Is(err, history.ErrUnreadable) || !strings.Contains(err.Error(), c.missing)) {
				t.Errorf("got %v, want %q", err, c.missing)
			}
		})
	}
}

// Whatever a row holds, it is an event or a named error, and never a panic.
func FuzzDecodeRow(f *testing.F) {
	for _, raw := range fixtures(f, "history-rows") {
		f.Add(raw)
	}
	f.Add([]byte(`{"EventType":"TaskCompleted","RowKey":"7"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, _, err := history.DecodeRow(raw)
		if (e == nil) == (err == nil) {
			t.Fatalf("got %v, %v", e, err)
		}
		if err != nil && !errors.Is(err, history.ErrUnreadable) {
			t.Errorf("%T: %v", err, err)
		}
	})
}

// One column of a good row is replaced by anything: the row is read, or the error
// names that column.
func TestOneWrongColumnIsNamed(t *testing.T) {
	good := &history.Event{Type: history.TaskScheduled, ID: 3, Timestamp: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Name: "A", Own: history.Own{Lease: "l", InputHash: 7}}
	var columns map[string]json.RawMessage
	if err := json.Unmarshal(history.AppendRow(nil, "i", "7", "e", good, true), &columns); err != nil {
		t.Fatal(err)
	}
	names := []string{"EventType", "EventId", "_Timestamp", "Name", "Version", "Tags", "GoLease", "GoInputHash", "ParentTraceContext", "IsPlayed"}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "column")
		value := rapid.SampledFrom([]string{"1", "-7", `"x"`, "true", "null", "{}", "[1]", "1e99", `"{"`}).Draw(t, "value")
		changed := map[string]json.RawMessage{}
		for k, v := range columns {
			changed[k] = v
		}
		changed[name] = json.RawMessage(value)
		raw, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		unreadable := new(history.UnreadableError)
		if _, _, err := history.DecodeRow(raw); errors.As(err, &unreadable) && unreadable.Column != name || err != nil && unreadable.Row != "7" {
			t.Errorf("%s = %s: %v", name, value, err)
		}
	})
}
