package management

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// read answers a GET that must succeed.
func read[T any](t *testing.T, s *site, target string) (v T) {
	t.Helper()
	w := s.do(http.MethodGet, operators+target, "")
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", target, w.Code, w.Body)
	}
	if h := w.Header(); h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s: headers %v", target, h)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%s: %v in %s", target, err, w.Body)
	}
	return v
}

// commit gives an instance a history.
func (s *site) commit(t testing.TB, id string, events ...*history.Event) {
	t.Helper()
	for i, e := range events {
		if e.ID == 0 && !starts(e) && e.Type != history.TimerCreated {
			e.ID = history.NoID
		}
		e.Timestamp = begin.Add(time.Duration(i) * time.Second)
	}
	c := &taskhub.Commit{InstanceID: id, ExecutionID: "x", Nonce: "n", Time: begin, Events: events}
	if _, err := s.hub.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func TestDetails(t *testing.T) {
	s := newSite(t)
	long := history.Payload(`"` + strings.Repeat("x", 5000) + `"`)
	generation := int32(0)
	s.put(t, "a b %", history.Completed, func(r *taskhub.Instance) {
		r.Input, r.Output, r.Tags, r.Version = history.Payload(`{"n":9007199254740993}`), long, map[string]string{"k": "v"}, "2.0"
		r.Generation = &generation
	})
	got := read[details](t, s, "/instances/a%20b%20%25/details")
	if got.ID != "a b %" || got.Tags["k"] != "v" || got.Version != "2.0" || got.Child || got.Completed == nil {
		t.Errorf("%+v", got)
	}
	if got.Input == nil || got.Input.Text == nil || *got.Input.Text != `{"n":9007199254740993}` || got.Output.Bytes != len(long) || got.Output.Text != nil {
		t.Errorf("input %+v, output %+v", got.Input, got.Output)
	}
	w := s.do(http.MethodGet, operators+"/instances/a%20b%20%25/payload?of=output", "")
	if w.Code != http.StatusOK || w.Body.String() != string(long) || !strings.Contains(w.Header().Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%d %d bytes", w.Code, w.Body.Len())
	}
	w = s.do(http.MethodGet, operators+"/instances/a%20b%20%25/payload?of=output", "", "Accept-Encoding", "gzip")
	if w.Header().Get("Content-Encoding") != "gzip" || w.Body.Len() > 500 {
		t.Errorf("not compressed: %d bytes", w.Body.Len())
	}
	for target, want := range map[string]int{"of=customStatus": 404, "of=secrets": 400, "": 400, "of=input&row=-1": 400, "of=input&row=5": 400, "of=input&row=5&execution=x.7.0": 404} {
		if w := s.do(http.MethodGet, operators+"/instances/a%20b%20%25/payload?"+target, ""); w.Code != want {
			t.Errorf("payload?%s: %d, want %d", target, w.Code, want)
		}
	}
}

// A request with the ETag of the row is answered when the row is another one.
func TestDetailsWait(t *testing.T) {
	s := newSite(t)
	s.put(t, "i", history.Running)
	first := s.do(http.MethodGet, operators+"/instances/i/details", "")
	etag := first.Header().Get("ETag")
	if w := s.do(http.MethodGet, operators+"/instances/i/details", "", "If-None-Match", etag, "Prefer", "wait=1"); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
		t.Errorf("unchanged: %d %s", w.Code, w.Body)
	}
	if w := s.do(http.MethodGet, operators+"/instances/i/details", "", "If-None-Match", etag); w.Code != http.StatusNotModified {
		t.Errorf("unchanged, without a wait: %d %s", w.Code, w.Body)
	}
	if _, err := s.hub.Merge(t.Context(), "i", taskhub.Change{Updated: begin.Add(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	if w := s.do(http.MethodGet, operators+"/instances/i/details", "", "If-None-Match", etag, "Prefer", "wait=100"); w.Code != http.StatusOK || w.Header().Get("ETag") == etag {
		t.Errorf("changed: %d", w.Code)
	}
	if w := s.do(http.MethodGet, operators+"/instances/nobody/details", "", "If-None-Match", etag, "Prefer", "wait=100"); w.Code != http.StatusNotFound {
		t.Errorf("gone: %d", w.Code)
	}
}

func TestEvents(t *testing.T) {
	s := newSite(t)
	s.put(t, "i", history.Running)
	long := history.Payload(`"` + strings.Repeat("y", 3000) + `"`)
	s.commit(t, "i",
		&history.Event{Type: history.OrchestratorStarted},
		&history.Event{Type: history.ExecutionStarted, Name: "O", Instance: history.InstanceRef{InstanceID: "i", ExecutionID: "x"}, Parent: &history.Parent{Name: "P", Instance: history.InstanceRef{InstanceID: "p"}, TaskID: 3}},
		&history.Event{Type: history.TaskScheduled, ID: 0, Name: "A", Own: history.Own{Options: history.Payload(`{"attempt":2,"first":0}`)}},
		&history.Event{Type: history.TaskFailed, TaskID: 0, Failure: &history.FailureDetails{ErrorType: "E", ErrorMessage: "m", StackTrace: history.Payload("s"), Inner: &history.FailureDetails{ErrorType: "I"}}},
		&history.Event{Type: history.TaskScheduled, ID: 1, Name: "B"},
		&history.Event{Type: history.TaskCompleted, TaskID: 1, Result: long, Own: history.Own{Options: history.BeganOptions(begin)}},
	)
	all := read[eventPage](t, s, "/instances/i/events")
	if len(all.Events) != 6 || all.Next != all.Stored || all.Execution == "" {
		t.Fatalf("%d events, %+v", len(all.Events), all)
	}
	if e := all.Events[1]; e.Parent == nil || e.Parent.InstanceID != "p" || e.ID != nil {
		t.Errorf("start %+v", e)
	}
	if e := all.Events[3]; e.TaskID == nil || *e.TaskID != 0 || e.Failure == nil || e.Failure.Inner.Type != "I" || *e.Failure.Stack.Text != "s" {
		t.Errorf("failure %+v", e)
	}
	if e := all.Events[2]; e.ID == nil || *e.ID != 0 || !strings.Contains(string(e.Options), "attempt") {
		t.Errorf("call %+v", e)
	}
	last := all.Events[5]
	if last.Began == nil || !last.Began.Equal(begin) || last.Options != nil || all.Events[3].Began != nil {
		t.Errorf("began %v with options %s, and without: %v", last.Began, last.Options, all.Events[3].Began)
	}
	if last.Result.Bytes != len(long) || last.Result.Text != nil {
		t.Errorf("long result %+v", last.Result)
	}
	w := s.do(http.MethodGet, operators+fmt.Sprintf("/instances/i/payload?row=%d&execution=%s&of=result", last.Row, all.Execution), "")
	if w.Body.String() != string(long) {
		t.Errorf("payload %d %.60s", w.Code, w.Body)
	}
	// Further pages, and what follows from where one was.
	page := read[eventPage](t, s, "/instances/i/events?top=2")
	if len(page.Events) != 2 || page.Next != all.Events[2].Row {
		t.Errorf("page %+v", page)
	}
	rest := read[eventPage](t, s, fmt.Sprintf("/instances/i/events?from=%d&execution=%s", page.Next, all.Execution))
	if len(rest.Events) != 4 || rest.Events[0].Row != page.Next {
		t.Errorf("rest %+v", rest)
	}
	if none := read[eventPage](t, s, fmt.Sprintf("/instances/i/events?from=%d&execution=%s", all.Next, all.Execution)); len(none.Events) != 0 || none.Next != all.Next {
		t.Errorf("none %+v", none)
	}
	// Another execution begins at its beginning.
	if anew := read[eventPage](t, s, fmt.Sprintf("/instances/i/events?from=%d&execution=other.7.0", all.Next)); len(anew.Events) != 6 {
		t.Errorf("anew %+v", anew)
	}
	if w := s.do(http.MethodGet, operators+"/instances/nobody/events", ""); w.Code != http.StatusNotFound {
		t.Errorf("nobody: %d", w.Code)
	}
	for _, e := range all.Events {
		if e.Row > 10 {
			t.Errorf("row %d: rows count from 0", e.Row)
		}
	}
	if w := s.do(http.MethodGet, operators+"/instances/i/events?from=x", ""); w.Code != http.StatusBadRequest {
		t.Errorf("bad from: %d", w.Code)
	}
}

// An answer stops at some megabytes and says where it goes on.
func TestEventsAreBounded(t *testing.T) {
	s := newSite(t)
	s.put(t, "i", history.Running)
	var events []*history.Event
	for range 8000 {
		events = append(events, &history.Event{Type: history.EventRaised, Name: "E", Input: history.Payload(`"` + strings.Repeat("z", 1000) + `"`)})
	}
	s.commit(t, "i", events...)
	seen := 0
	for from, execution := uint64(0), ""; ; {
		w := s.do(http.MethodGet, fmt.Sprintf("%s/instances/i/events?from=%d&execution=%s", operators, from, execution), "")
		if w.Body.Len() > eventsBytes+1<<20 {
			t.Fatalf("a page has %d bytes", w.Body.Len())
		}
		var page eventPage
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
			t.Fatal(err)
		}
		seen += len(page.Events)
		if from, execution = page.Next, page.Execution; page.Next == page.Stored {
			break
		}
	}
	if seen != len(events) {
		t.Errorf("%d events of %d", seen, len(events))
	}
}

func TestNoneOfThisThroughLinks(t *testing.T) {
	s := newSite(t)
	s.put(t, "i", history.Running)
	for _, target := range []string{"/instances/i/details", "/instances/i/events", "/instances/i/payload?of=input", "/instances/i/children", "/search", "/hub", "/orchestrators"} {
		if w := s.do(http.MethodGet, links+target+"?"+s.sign(t, "i", opStatus), ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
	if w := s.do(http.MethodPost, links+"/batch/purge?"+s.sign(t, "i", opPurge), ""); w.Code != http.StatusNotFound {
		t.Errorf("batch: %d", w.Code)
	}
}
