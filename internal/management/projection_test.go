package management

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// The histories that the official extension showed of the same table rows, in the
// recordings of release 3.19.0.
func TestRecordedHistories(t *testing.T) {
	recorded := recordedAnswers(t, "histories.json")
	if len(recorded) < 10 {
		t.Fatal(len(recorded))
	}
	for _, c := range recorded {
		t.Run(c.Scenario+" "+c.Query, func(t *testing.T) {
			var events []*history.Event
			for _, row := range c.Rows {
				e, _, err := history.DecodeRow(row)
				if err != nil {
					t.Fatal(err)
				}
				events = append(events, e)
			}
			var body struct{ HistoryEvents json.RawMessage }
			if err := json.Unmarshal(c.Body, &body); err != nil {
				t.Fatal(err)
			}
			got := string(appendHistory(nil, events, true, strings.Contains(c.Query, "showHistoryOutput=true")))
			got = anyTime.ReplaceAllStringFunc(got, timeMark)
			if !slices.EqualFunc(tokens(t, string(body.HistoryEvents)), tokens(t, got), sameToken) {
				t.Errorf("got\n%s\nrecorded\n%s", got, body.HistoryEvents)
			}
		})
	}
}

var anyTime = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?`)

// timeMark is how the recordings write a time.
func timeMark(text string) string {
	parts := anyTime.FindStringSubmatch(text)
	mark := "{time"
	if parts[1] != "" {
		mark += ".F"
	}
	return mark + parts[2] + "}"
}

// madeUp is what stands in the recordings for what differs from run to run, but for
// times, and for the middle of long texts.
var madeUp = regexp.MustCompile(`\.\.\.\[\d+ chars\]\.\.\.|\{(id|key|guid|hex)\d*\}`)

// sameToken compares with a recording.
func sameToken(recorded, got json.Token) bool {
	want, ok := recorded.(string)
	have, is := got.(string)
	if !ok || !is || want == have {
		return recorded == got
	}
	parts := madeUp.Split(want, -1)
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	return regexp.MustCompile("(?s)^" + strings.Join(parts, ".*") + "$").MatchString(have)
}

// Every type of event, and what stands alone because its other half is not
// there.
func TestProjection(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 120000000, time.UTC)
	generation := int32(2)
	events := []*history.Event{
		{Type: history.ExecutionStarted, Name: "O", Input: history.Payload(`{"a":1}`), Generation: &generation, ScheduledStart: at, Carried: "c", Trace: &history.TraceContext{TraceParent: "00-1-2-01"}},
		{Type: history.TaskScheduled, ID: 0, Name: "A", Input: history.Payload(`[1]`)},
		{Type: history.TaskScheduled, ID: 1, Name: "B", Input: history.Payload(`[2]`)},
		{Type: history.SubOrchestrationInstanceCreated, ID: 2, Name: "C", InstanceID: "child"},
		{Type: history.SubOrchestrationInstanceCreated, ID: 4, Name: "D", InstanceID: "child-4"},
		{Type: history.SubOrchestrationInstanceCompleted, TaskID: 4, Result: history.Payload(`4`)},
		{Type: history.TaskFailed, TaskID: 1, Reason: history.Payload("no"), Failure: &history.FailureDetails{ErrorType: "E", ErrorMessage: "no"}},
		{Type: history.TaskCompleted, TaskID: 9, Result: history.Payload("no JSON")},
		{Type: history.EventSent, ID: 3, Name: "E", InstanceID: "other", Input: history.Payload(`1`)},
		{Type: history.ExecutionTerminated, Input: history.Payload("why")},
		{Type: history.ExecutionRewound, Reason: history.Payload("again")},
		{Type: history.HistoryState},
		{Type: history.ExecutionCompleted, Status: history.Failed, Result: history.Payload("text"), Failure: &history.FailureDetails{ErrorType: "E", ErrorMessage: "m", NonRetriable: true}},
	}
	for _, e := range events {
		e.Timestamp = at
	}
	for name, shown := range map[string][2]bool{"all": {true, true}, "without-payloads": {false, false}} {
		got := appendHistory(nil, events, shown[0], shown[1])
		if !json.Valid(got) {
			t.Fatalf("no JSON: %s", got)
		}
		golden(t, "history/"+name, strings.ReplaceAll(string(got), `},{"EventType"`, "},\n{\"EventType\"")+"\n")
	}
	if got := string(appendHistory(nil, nil, true, true)); got != "[]" {
		t.Errorf("no events: %s", got)
	}
}
