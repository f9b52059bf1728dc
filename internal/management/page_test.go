package management

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/reconcile"
	"github.com/durable-go/functions/internal/taskhub"
)

func TestPage(t *testing.T) {
	s := newSite(t)
	w := s.do(http.MethodGet, operators+"/Dashboard", "")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `data-api="./" data-keyless=""`) || w.Header().Get("Content-Security-Policy") == "" {
		t.Errorf("%d %.200s", w.Code, w.Body)
	}
	// The door of links has the page only where the app has both doors.
	if w := s.do(http.MethodGet, links+"/dashboard", ""); w.Code == http.StatusOK {
		t.Error("the door of links has the page")
	}
	s.Site.Doors = Doors{operators, links}
	for _, target := range []string{operators + "/dashboard", links + "/dashboard"} {
		w := s.do(http.MethodGet, target, "")
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `data-api="./../../api/durabletask/" data-keyless="./../../api/durabletask-links/dashboard"`) {
			t.Errorf("%s: %d %.200s", target, w.Code, w.Body)
		}
	}
	if w := s.do(http.MethodGet, operators+"/dashboard/", ""); !strings.Contains(w.Body.String(), `data-api="../../../api/durabletask/"`) {
		t.Errorf("with a slash: %.200s", w.Body)
	}
	for _, target := range []string{operators + "/dashboard/x", links + "/dashboard/x", links + "/search"} {
		if w := s.do(http.MethodGet, target, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
	if w := s.do(http.MethodPost, operators+"/dashboard", ""); w.Code != http.StatusNotFound {
		t.Errorf("POST: %d", w.Code)
	}
}

func TestHub(t *testing.T) {
	s := newSite(t)
	s.Site = Site{Actions: true, Queues: []string{control, "none"}, Gauge: s.hub, Storage: "here", Settings: []Setting{{"hubName", "Hub"}}, TraceURL: "https://x/{traceId}"}
	if _, err := s.hub.Send(t.Context(), control, &taskhub.Message{ID: taskhub.NewGUID(), Event: aStart()}, 0); err != nil {
		t.Fatal(err)
	}
	got := read[hubFacts](t, s, "/hub")
	if got.Hub != "Hub" || !got.Actions || got.Storage != "here" || len(got.Settings) != 1 || got.TraceURL == "" || got.Process.ID == 0 || len(got.Latency) != 2 {
		t.Errorf("%+v", got)
	}
	if len(got.Queues) != 2 || got.Queues[0].Messages != 1 || got.Queues[0].Oldest == nil || !got.Queues[1].Missing {
		t.Errorf("queues %+v", got.Queues)
	}
	if brief := read[hubFacts](t, s, "/hub?brief=true"); brief.Queues != nil || brief.Latency != nil || brief.Hub != "Hub" {
		t.Errorf("brief %+v", brief)
	}
}

// The processes that worked lately are named; where they cannot be read the rest of the
// page is there.
func TestHubProcesses(t *testing.T) {
	s := newSite(t)
	s.Site.Name, s.Site.About, s.Site.Traffic = "me", reconcile.About{Version: "2.0", TurnSlots: 20}, &Traffic{}
	var broken error
	s.Site.Processes = func(context.Context) ([]reconcile.Process, error) {
		return []reconcile.Process{{Name: "me", About: reconcile.About{Host: "<b>"}, Instances: 3, Seen: begin}}, broken
	}
	got := read[hubFacts](t, s, "/hub")
	if len(got.Processes) != 1 || got.Processes[0].Host != "<b>" || got.Process.Name != "me" || got.Process.About.TurnSlots != 20 || len(got.Requests) != trafficMinutes || got.Cost != 3 {
		t.Errorf("%+v", got)
	}
	broken = errors.New("secret")
	if got := read[hubFacts](t, s, "/hub"); got.ProcessesError == "" || strings.Contains(got.ProcessesError, "secret") || got.Hub != "Hub" {
		t.Errorf("%+v", got)
	}
	if got := read[hubFacts](t, s, "/hub?brief=true"); got.Processes != nil || got.Cost != 0 {
		t.Errorf("brief %+v", got)
	}
}

// The hub is checked by one request at a time, within bounds.
func TestHubCheck(t *testing.T) {
	s := newSite(t)
	if w := s.do(http.MethodGet, operators+"/hub/check", ""); w.Code != http.StatusNotFound {
		t.Errorf("without a check: %d", w.Code)
	}
	answer := errors.New("secret")
	s.Site.Checkup = func(context.Context) (any, error) {
		if w := s.do(http.MethodGet, operators+"/hub/check", ""); w.Code != http.StatusConflict {
			t.Errorf("meanwhile: %d", w.Code)
		}
		return map[string]int{"instances": 7}, answer
	}
	if w := s.do(http.MethodGet, operators+"/hub/check", ""); w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	answer = nil
	if w := s.do(http.MethodGet, operators+"/hub/check", ""); w.Code != http.StatusOK || w.Body.String() != `{"instances":7}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := s.do(http.MethodGet, links+"/hub/check?"+s.sign(t, "i", opStatus), ""); w.Code != http.StatusNotFound {
		t.Errorf("through a link: %d", w.Code)
	}
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.Site.Checkup = func(ctx context.Context) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		if w := s.do(http.MethodGet, operators+"/hub/check", ""); w.Code != http.StatusGatewayTimeout || !strings.Contains(w.Body.String(), "durable hub check") {
			t.Errorf("too long: %d %s", w.Code, w.Body)
		}
	})
}

func TestOrchestrators(t *testing.T) {
	s := newSite(t)
	type answer struct {
		Orchestrators []Orchestrator
		Known         bool
	}
	if got := read[answer](t, s, "/orchestrators"); got.Known || len(got.Orchestrators) != 0 {
		t.Errorf("%+v", got)
	}
	s.Site.Orchestrators = []Orchestrator{{Name: "O", Input: []byte(`{"type":"string"}`)}}
	if got := read[answer](t, s, "/orchestrators"); !got.Known || string(got.Orchestrators[0].Input) != `{"type":"string"}` {
		t.Errorf("%+v", got)
	}
}

// aStart is an event that a message can carry.
func aStart() *history.Event {
	return &history.Event{Type: history.ExecutionStarted, ID: history.NoID, Timestamp: begin, Name: "O"}
}
