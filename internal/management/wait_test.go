package management

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

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
