package management

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// said is what a wait says in short.
func said(waits []Wait) string {
	var out []string
	for _, w := range waits {
		text := w.Kind
		if w.Name != "" {
			text += " " + w.Name
		}
		if w.Count > 1 {
			text += fmt.Sprintf(" x%d", w.Count)
		}
		if w.Until != nil {
			text += " until " + w.Until.Format("15:04")
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func TestWaitsOf(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 1, 1, hour, 0, 0, 0, time.UTC) }
	turn := &history.Event{Type: history.OrchestratorStarted, ID: history.NoID, Timestamp: at(1)}
	call := func(id int32, name string) *history.Event {
		return &history.Event{Type: history.TaskScheduled, ID: id, Name: name, Timestamp: at(1)}
	}
	child := func(id int32, name string) *history.Event {
		return &history.Event{Type: history.SubOrchestrationInstanceCreated, ID: id, Name: name, InstanceID: "c"}
	}
	timer := func(id int32, hour int) *history.Event {
		return &history.Event{Type: history.TimerCreated, ID: id, FireAt: at(hour)}
	}
	end := func(kind history.Type, id int32) *history.Event {
		return &history.Event{Type: kind, ID: history.NoID, TaskID: id}
	}
	cases := []struct {
		name   string
		events []*history.Event
		want   string
	}{
		{"nothing but turns", []*history.Event{turn}, "event"},
		{"no history", nil, "event"},
		{"an activity", []*history.Event{turn, call(0, "A")}, "activity A"},
		{"an activity that is done", []*history.Event{turn, call(0, "A"), end(history.TaskCompleted, 0)}, "event"},
		{"one of three", []*history.Event{turn, call(0, "A"), call(1, "B"), call(2, "A"), end(history.TaskFailed, 0)}, "activity B, activity A"},
		{"many of one name", []*history.Event{turn, call(0, "A"), call(1, "A"), call(2, "A")}, "activity A x3"},
		{"a child", []*history.Event{turn, child(0, "C")}, "child C"},
		{"a child that failed", []*history.Event{turn, child(0, "C"), end(history.SubOrchestrationInstanceFailed, 0)}, "event"},
		{"timers", []*history.Event{turn, timer(0, 9), timer(1, 7), timer(2, 8)}, "timer x3 until 07:00"},
		{"a fired timer", []*history.Event{turn, timer(0, 9), end(history.TimerFired, 0)}, "event"},
	}
	for _, c := range cases {
		if got := said(WaitsOf(c.events)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestWaitOfRow(t *testing.T) {
	cases := []struct {
		name   string
		change func(*taskhub.Instance)
		want   string
	}{
		{"running", func(r *taskhub.Instance) { r.Status = history.Running }, ""},
		{"pending", func(r *taskhub.Instance) { r.Status = history.Pending }, "worker"},
		{"scheduled", func(r *taskhub.Instance) { r.Status, r.Scheduled = history.Pending, begin.Add(time.Hour) }, "start until 06:06"},
		{"scheduled in the past", func(r *taskhub.Instance) { r.Status, r.Scheduled = history.Pending, begin.Add(-time.Hour) }, "worker"},
		{"suspended", func(r *taskhub.Instance) { r.Status, r.Output = history.Suspended, history.Payload("later") }, "resume"},
		{"parked", func(r *taskhub.Instance) { r.Status, r.Parked = history.Running, "why" }, "code"},
	}
	for _, c := range cases {
		row := &taskhub.Instance{Created: begin, Updated: begin}
		c.change(row)
		got := ""
		if w := waitOfRow(row, begin); w != nil {
			got = said([]Wait{*w})
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestWaitingIsShown(t *testing.T) {
	s := newSite(t)
	s.put(t, "i", history.Running)
	s.commit(t, "i", &history.Event{Type: history.OrchestratorStarted}, &history.Event{Type: history.TaskScheduled, ID: 0, Name: "Hello"})
	if got := read[details](t, s, "/instances/i/details?waiting=true"); said(got.Waiting) != "activity Hello" {
		t.Errorf("%+v", got.Waiting)
	}
	if got := read[details](t, s, "/instances/i/details"); got.Waiting != nil {
		t.Errorf("not asked for: %+v", got.Waiting)
	}
}

func TestChildren(t *testing.T) {
	s := newSite(t)
	s.put(t, "i", history.Running)
	created := func(id int32, child string) *history.Event {
		return &history.Event{Type: history.SubOrchestrationInstanceCreated, ID: id, Name: "C", InstanceID: child}
	}
	s.commit(t, "i", created(0, "a"), created(1, "b"), created(2, "c"),
		&history.Event{Type: history.SubOrchestrationInstanceCompleted, TaskID: 1}, &history.Event{Type: history.SubOrchestrationInstanceFailed, TaskID: 2})
	type answer struct {
		Children []child
		Total    int
	}
	got := read[answer](t, s, "/instances/i/children")
	var text string
	for _, c := range got.Children {
		text += c.InstanceID + " " + c.Status + ";"
	}
	if want := "a Running;b Completed;c Failed;"; text != want || got.Total != 3 {
		t.Errorf("%s of %d, want %s", text, got.Total, want)
	}
	if got := read[answer](t, s, "/instances/i/children?top=1"); len(got.Children) != 1 || got.Total != 3 {
		t.Errorf("%+v", got)
	}
	if w := s.do(http.MethodGet, operators+"/instances/nobody/children", ""); w.Code != http.StatusNotFound {
		t.Errorf("nobody: %d", w.Code)
	}
}

// Where the code is here, it says more than the history; where it cannot say
// anything, the history stands.
func TestWaitingOfReplay(t *testing.T) {
	s := newSite(t)
	s.put(t, "i", history.Running)
	s.commit(t, "i", &history.Event{Type: history.OrchestratorStarted}, &history.Event{Type: history.TimerCreated, ID: 0, FireAt: begin.Add(time.Hour)})
	until := begin.Add(time.Hour)
	s.Replay = func(_ context.Context, id string, events []*history.Event) []Wait {
		if id != "i" || len(events) != 2 {
			t.Errorf("asked about %s with %d events", id, len(events))
		}
		return []Wait{{Kind: "event", Name: "E", Count: 1, Until: &until, Where: "a/b.go:7"}, {Kind: "activity", Name: "A", Count: 1}, {Kind: "activity", Name: "A", Count: 1}}
	}
	got := read[details](t, s, "/instances/i/details?waiting=true").Waiting
	if said(got) != "event E until 06:06, activity A x2" || got[0].Where != "a/b.go:7" {
		t.Errorf("%+v", got)
	}
	s.Replay = func(context.Context, string, []*history.Event) []Wait { return nil }
	if got := read[details](t, s, "/instances/i/details?waiting=true").Waiting; said(got) != "timer until 06:06" {
		t.Errorf("%+v", got)
	}
}
