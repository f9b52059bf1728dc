package management

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

func TestWait(t *testing.T) {
	const status = operators + "/instances/i"
	cases := []struct {
		name    string
		headers []string
		// finishes is when the instance completes, changes when its custom
		// status does; 0 is never.
		finishes, changes time.Duration
		want              int
		after             time.Duration
	}{
		{"no wait", nil, time.Second, 0, 202, 0},
		{"finished in time", []string{"Prefer", "wait=10"}, 1500 * time.Millisecond, 0, 200, 1500 * time.Millisecond},
		{"not finished in time", []string{"Prefer", "wait=10"}, time.Hour, 0, 202, 10 * time.Second},
		{"a change does not matter", []string{"Prefer", "wait=10"}, 0, time.Second, 202, 10 * time.Second},
		{"a change", []string{"Prefer", "wait=10", "If-None-Match", "1"}, 0, 1500 * time.Millisecond, 202, 1500 * time.Millisecond},
		{"changed already", []string{"Prefer", "wait=10", "If-None-Match", "0"}, 0, 0, 202, 0},
		{"a number out of range", []string{"Prefer", "wait=99999999999999999999"}, 0, 0, 202, 0},
		{"a long wait", []string{"Prefer", "wait=201"}, 0, 0, 202, maxWait},
		{"a much longer wait", []string{"Prefer", "wait=1000000000"}, 0, 0, 202, maxWait},
		{"among others", []string{"Prefer", `respond-async, Wait = "10"`}, 0, 0, 202, 10 * time.Second},
		{"zero", []string{"Prefer", "wait=0"}, 0, 0, 202, 0},
		{"negative", []string{"Prefer", "wait=-5"}, 0, 0, 202, 0},
		{"no number", []string{"Prefer", "wait=soon"}, 0, 0, 202, 0},
		{"no value", []string{"Prefer", "wait"}, 0, 0, 202, 0},
		{"another preference", []string{"Prefer", "waits=10"}, 0, 0, 202, 0},
		{"only If-None-Match", []string{"If-None-Match", "1"}, 0, time.Second, 202, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				s.put(t, "i", history.Running)
				completed, custom := history.Completed, history.Payload(`1`)
				s.later(t, c.finishes, taskhub.Change{Status: &completed})
				s.later(t, c.changes, taskhub.Change{CustomStatus: &custom})
				from := time.Now()
				w := s.do(http.MethodGet, status, "", c.headers...)
				// A change by another process is found by polling.
				late := time.Since(from) - c.after
				if w.Code != c.want || late < 0 || late > 2*time.Second {
					t.Errorf("%d after %v, want %d after %v", w.Code, time.Since(from), c.want, c.after)
				}
				if waits := w.Header().Get("Preference-Applied") != ""; waits != (late+c.after > 0 || c.name == "changed already") {
					t.Errorf("Preference-Applied: %q after %v", w.Header().Get("Preference-Applied"), late+c.after)
				}
			})
		})
	}
}

// later changes the instance as another process does.
func (s *site) later(t *testing.T, after time.Duration, change taskhub.Change) {
	if after == 0 {
		return
	}
	timer := time.AfterFunc(after, func() {
		if _, err := s.hub.Merge(context.Background(), "i", change); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { timer.Stop() })
}

func TestWaitForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := time.Now()
		if w := newSite(t).do(http.MethodGet, operators+"/instances/i", "", "Prefer", "wait=10"); w.Code != http.StatusNotFound || time.Since(from) != 0 {
			t.Errorf("%d after %v", w.Code, time.Since(from))
		}
	})
}

// A slow store makes a wait late, not wrong.
func TestWaitWithASlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.put(t, "i", history.Running)
		s.store.slow = 1500 * time.Millisecond
		w := s.do(http.MethodGet, operators+"/instances/i", "", "Prefer", "wait=1")
		if w.Code != http.StatusAccepted {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

// A caller who is gone is nobody's error.
func TestCallerIsGone(t *testing.T) {
	s := newSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	s.Operators(operators).ServeHTTP(w, httptest.NewRequest(http.MethodGet, operators+"/instances/i", nil).WithContext(ctx))
	if w.Body.Len() != 0 || s.logs.Len() != 0 {
		t.Errorf("%d %s; logged: %s", w.Code, w.Body, s.logs)
	}
}

// A request that the store cancelled is answered.
func TestStoreCancels(t *testing.T) {
	s := newSite(t)
	s.store.err = errors.Join(errors.New("secret reason"), context.Canceled)
	w := s.do(http.MethodGet, operators+"/instances/i", "")
	if w.Code != http.StatusInternalServerError || s.logs.Len() == 0 {
		t.Errorf("%d %s; logged: %s", w.Code, w.Body, s.logs)
	}
}

// A start that waits answers with the bare output, or with the status of an
// instance that did not complete; when the time is over, as one that does not
// wait.
func TestStartThatWaits(t *testing.T) {
	const start = operators + "/orchestrators/Orchestrator/i?pollingInterval=0.2&timeout=5"
	completed, failed, terminated := history.Completed, history.Failed, history.Terminated
	output := func(text string) *history.Payload { p := history.Payload(text); return &p }
	cases := []struct {
		name, target string
		after        time.Duration
		change       taskhub.Change
		want         int
		body         string
	}{
		{"an output", start, time.Second, taskhub.Change{Status: &completed, Output: output(`{"w":1.0}`)}, 200, `{"w":1.0}`},
		{"no output", start, time.Second, taskhub.Change{Status: &completed}, 200, `null`},
		{"failed", start + "&returnInternalServerErrorOnFailure=true", time.Second, taskhub.Change{Status: &failed, Output: output("no")}, 200, `{"name":"Orchestrator","instanceId":"i","runtimeStatus":"Failed","input":1,"customStatus":null,"output":"no",`},
		{"terminated", start, time.Second, taskhub.Change{Status: &terminated}, 200, `{"name":"Orchestrator","instanceId":"i","runtimeStatus":"Terminated"`},
		{"too late", start, time.Minute, taskhub.Change{Status: &completed}, 202, `{"id":"i","statusQueryGetUri":`},
		{"no time", strings.Replace(start, "timeout=5", "timeout=0", 1), time.Minute, taskhub.Change{Status: &completed}, 400, `{"Message":`},
		{"an interval alone", strings.Replace(start, "&timeout=5", "", 1), time.Minute, taskhub.Change{Status: &completed}, 202, `{"id":"i",`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				s.Client = client.New(s.store, client.Options{Queue: control})
				s.later(t, c.after, c.change)
				from := time.Now()
				w := s.do(http.MethodPost, c.target, `1`)
				if w.Code != c.want || !strings.HasPrefix(w.Body.String(), c.body) {
					t.Errorf("%d %s, want %d %s", w.Code, w.Body, c.want, c.body)
				}
				if took := time.Since(from); took > 5*time.Second || c.want == 200 && took < c.after {
					t.Errorf("after %v", took)
				}
			})
		})
	}
}
