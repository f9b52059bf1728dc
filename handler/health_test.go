package handler

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// A container platform asks an app without a host whether it lives and whether it can
// work, without a key. Behind a host there are no such paths.
func TestProbes(t *testing.T) {
	for _, c := range []struct {
		path       string
		standalone bool
		ready      bool
		want       int
	}{
		{"/healthz", true, false, http.StatusOK},
		{"/healthz", true, true, http.StatusOK},
		{"/readyz", true, false, http.StatusServiceUnavailable},
		{"/readyz", true, true, http.StatusOK},
		{"/readyz/more", true, true, http.StatusNotFound},
		{"/healthz", false, true, http.StatusForbidden},
		{"/readyz", false, true, http.StatusForbidden},
	} {
		a := newServer(t)
		a.Key = "key"
		a.Standalone = c.standalone
		if c.ready {
			close(a.ready)
		}
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, c.path, nil)
		r.Host = "127.0.0.1"
		a.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s, standalone %t, ready %t: %d %s, want %d", c.path, c.standalone, c.ready, w.Code, w.Body, c.want)
		}
	}
}
