package management

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/history"
)

// A long history comes in pages of about 4 MiB, which together have each event once.
func TestStatusHistoryInPages(t *testing.T) {
	const results, size = 30, 512 << 10
	s := newSite(t)
	s.put(t, "i", history.Running)
	events := []*history.Event{{Type: history.ExecutionStarted, Name: "Orchestrator", Instance: history.InstanceRef{InstanceID: "i", ExecutionID: "x"}}}
	for n := range results {
		events = append(events, &history.Event{Type: history.TaskScheduled, ID: int32(n), Name: "A"})
	}
	for n := range results {
		text := fmt.Sprintf(`"%d %s"`, n, strings.Repeat("x", size))
		events = append(events, &history.Event{Type: history.TaskCompleted, TaskID: int32(n), Result: history.Payload(text)})
	}
	s.commit(t, "i", events...)
	path := operators + "/instances/i?showHistory=true&showHistoryOutput="
	if w := s.do(http.MethodGet, path+"false", ""); w.Header().Get(tokenHeader) != "" || strings.Contains(w.Body.String(), "isHistoryComplete") {
		t.Errorf("a short history comes in pages: %v", w.Header())
	}
	var got []json.RawMessage
	pages, token := 0, ""
	for {
		w := s.do(http.MethodGet, path+"true", "", tokenHeader, token)
		var page struct {
			HistoryEvents     []json.RawMessage
			IsHistoryComplete *bool
		}
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != http.StatusAccepted {
			t.Fatal(w.Code, err)
		}
		if w.Body.Len() > eventsBytes+2*size {
			t.Errorf("page %d has %d bytes", pages, w.Body.Len())
		}
		got = append(got, page.HistoryEvents...)
		pages++
		token = w.Header().Get(tokenHeader)
		if (token == "") != (page.IsHistoryComplete == nil) {
			t.Errorf("page %d: token %q, %v", pages, token, page.IsHistoryComplete)
		}
		if token == "" {
			break
		}
	}
	var want []json.RawMessage
	h, err := s.hub.Load(t.Context(), "i", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(History(h.Events), &want); err != nil {
		t.Fatal(err)
	}
	equal := func(a, b json.RawMessage) bool { return string(a) == string(b) }
	if !slices.EqualFunc(got, want, equal) || pages != 4 {
		t.Errorf("%d events in %d pages, want %d", len(got), pages, len(want))
	}
	for _, bad := range []string{"x", "x.", "x.-1", "x.100000", "other.3", "x.3x"} {
		if w := s.do(http.MethodGet, path+"true", "", tokenHeader, bad); w.Code != http.StatusBadRequest {
			t.Errorf("token %q: %d", bad, w.Code)
		}
	}
}

// The rows of a history are all that is stored of its events, in pages.
func TestRows(t *testing.T) {
	const results, size = 12, 1 << 20
	s := newSite(t)
	s.put(t, "i", history.Running)
	events := []*history.Event{{Type: history.ExecutionStarted, ID: history.NoID, Name: "Orchestrator", Timestamp: begin, Instance: history.InstanceRef{InstanceID: "i", ExecutionID: "x"}}}
	for n := range results {
		events = append(events, &history.Event{Type: history.TaskScheduled, ID: int32(n), Name: "A", Timestamp: begin})
	}
	for n := range results {
		text := fmt.Sprintf(`"%d %s"`, n, strings.Repeat("x", size))
		events = append(events, &history.Event{Type: history.TaskCompleted, ID: history.NoID, TaskID: int32(n), Timestamp: begin, Result: history.Payload(text)})
	}
	s.commit(t, "i", events...)
	var got []*history.Event
	var page rowPage
	for pages := 1; ; pages++ {
		page = read[rowPage](t, s, fmt.Sprintf("/instances/i/rows?from=%d&execution=%s", page.Next, page.Execution))
		for _, raw := range page.Rows {
			e, _, err := history.DecodeRow(raw)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, e)
		}
		if page.Next >= page.Stored {
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			break
		}
	}
	h, err := s.hub.Load(t.Context(), "i", 0)
	if err != nil {
		t.Fatal(err)
	}
	if have, want := string(History(got)), string(History(h.Events)); have != want || len(got) != len(h.Events) {
		t.Errorf("%d events, want %d", len(got), len(h.Events))
	}
	for target, code := range map[string]int{"/instances/nobody/rows": http.StatusNotFound, "/instances/i/rows?from=x": http.StatusBadRequest, "/instances/i/rows?from=1&execution=x": http.StatusBadRequest} {
		if w := s.do(http.MethodGet, operators+target, ""); w.Code != code {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	// Another execution than that of the page before begins anew.
	if again := read[rowPage](t, s, "/instances/i/rows?from=5&execution=other.0.0"); again.Next == 0 || !strings.Contains(string(again.Rows[0]), "ExecutionStarted") {
		t.Errorf("%.300s", again.Rows[0])
	}
}
