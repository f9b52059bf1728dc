package management

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/history"
)

// kindAndMembers are an event's kind, and what it has, in order.
type kindAndMembers struct {
	kind    string
	members []string
}

func (k kindAndMembers) String() string { return k.kind + ": " + strings.Join(k.members, " ") }

// eventMembers reads the array historyEvents.
func eventMembers(t *testing.T, events []byte) (all []kindAndMembers) {
	t.Helper()
	var raw []json.RawMessage
	if err := json.Unmarshal(events, &raw); err != nil {
		t.Fatal(err)
	}
	for _, event := range raw {
		var e struct{ EventType string }
		if err := json.Unmarshal(event, &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, kindAndMembers{e.EventType, memberNames(t, event)})
	}
	return all
}

// memberNames are the names of an object's members, in order.
func memberNames(t *testing.T, object []byte) (names []string) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(object)))
	if _, err := decoder.Token(); err != nil {
		t.Fatal(err)
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
		names = append(names, name.(string))
	}
	return names
}

// oneOfEach is a history with an event of every kind that the recordings have.
func oneOfEach() []*history.Event {
	return []*history.Event{
		{Type: history.OrchestratorStarted},
		{Type: history.ExecutionStarted, Name: "O"},
		{Type: history.TaskScheduled, ID: 0, Name: "A"},
		{Type: history.TaskScheduled, ID: 1, Name: "A"},
		{Type: history.SubOrchestrationInstanceCreated, ID: 2, Name: "C", InstanceID: "c2"},
		{Type: history.SubOrchestrationInstanceCreated, ID: 3, Name: "C", InstanceID: "c3"},
		{Type: history.TimerCreated, ID: 4},
		{Type: history.EventSent, ID: 5, Name: "E", InstanceID: "i"},
		{Type: history.TaskCompleted, TaskID: 0, Own: history.Own{Options: history.BeganOptions(begin)}},
		{Type: history.TaskFailed, TaskID: 1, Own: history.Own{Options: history.BeganOptions(begin)}},
		{Type: history.SubOrchestrationInstanceCompleted, TaskID: 2},
		{Type: history.SubOrchestrationInstanceFailed, TaskID: 3},
		{Type: history.TimerFired, TaskID: 4},
		{Type: history.EventRaised, Name: "E"},
		{Type: history.ExecutionSuspended},
		{Type: history.ExecutionResumed},
		{Type: history.GenericEvent},
		{Type: history.ExecutionCompleted, Status: history.Completed},
	}
}

// The events of a history have the members that the official extension gives them, in
// its order, those without a value too: for every kind that occurs in the recordings of
// release 3.19.0, with results and without.
func TestMembersOfEventsAreTheRecordedOnes(t *testing.T) {
	files, err := filepath.Glob("../e2e/testdata/golden/scenarios/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	ours := map[string]kindAndMembers{}
	for _, output := range []bool{false, true} {
		for _, k := range eventMembers(t, appendHistory(nil, oneOfEach(), true, output)) {
			ours[fmt.Sprint(output, k.kind)] = k
		}
	}
	compared := map[string]bool{}
	for _, file := range files {
		for _, r := range recordedEvents(t, file) {
			output := strings.Contains(r.path, "showHistoryOutput=true")
			for _, k := range eventMembers(t, r.events) {
				if got := ours[fmt.Sprint(output, k.kind)]; !slices.Equal(got.members, k.members) {
					t.Errorf("%s %s: got %v, recorded %v", filepath.Base(file), r.path, got, k)
				}
				compared[k.kind] = true
			}
		}
	}
	if len(compared) != 13 {
		t.Errorf("the recordings have %d kinds of events, want 13", len(compared))
	}
}

// eventsAnswer is the history in a recorded answer.
type eventsAnswer struct {
	path   string
	events json.RawMessage
}

func recordedEvents(t *testing.T, file string) (all []eventsAnswer) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var recording struct {
		HTTP []struct {
			Path     string          `json:"path"`
			BodyJSON json.RawMessage `json:"bodyJson"`
		} `json:"http"`
	}
	if err := json.Unmarshal(raw, &recording); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for _, e := range recording.HTTP {
		var status struct{ HistoryEvents json.RawMessage }
		if json.Unmarshal(e.BodyJSON, &status) == nil && status.HistoryEvents != nil {
			all = append(all, eventsAnswer{e.Path, status.HistoryEvents})
		}
	}
	return all
}
