package management

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/history"
)

// A door may be at the top of a mux, and its path may end in a slash.
func TestMounts(t *testing.T) {
	s := newSite(t)
	s.put(t, "i", history.Running)
	for _, c := range []struct {
		mount, target string
		want          int
	}{
		{"/", "/instances/i", 202},
		{"", "/instances/i", 202},
		{"/", "/instances", 200},
		{"/", "/dashboard", 200},
		{"/", "//instances/i", 404},
		{"/", "/manage/instances/i", 404},
		{"/", "/", 404},
		{"/manage", "/manage/instances/i", 202},
		{"/manage/", "/manage/instances/i", 202},
		{"manage", "/manage/instances/i", 202},
		{"/manage/", "/instances/i", 404},
		{"/manage/", "/manageinstances/i", 404},
	} {
		s.Links.Path = c.mount
		w := httptest.NewRecorder()
		s.Operators(c.mount).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost:7071"+c.target, nil))
		if w.Code != c.want {
			t.Errorf("%q: GET %s: %d %s, want %d", c.mount, c.target, w.Code, w.Body, c.want)
		}
		link := w.Header().Get("Location")
		if c.want != http.StatusAccepted {
			continue
		}
		if path, _, _ := strings.Cut(link, "?"); path != "http://localhost:7071"+c.target {
			t.Errorf("%q: the link is %s", c.mount, link)
		}
		w = httptest.NewRecorder()
		s.Signed(c.mount).ServeHTTP(w, httptest.NewRequest(http.MethodGet, link, nil))
		if w.Code != http.StatusAccepted {
			t.Errorf("%q: GET %s: %d %s", c.mount, link, w.Code, w.Body)
		}
	}
}

// The page of an app whose operators' door is at the top knows the way to it.
func TestPageAtTheTop(t *testing.T) {
	s := newSite(t)
	s.Site.Doors = Doors{"/", links}
	for mount, want := range map[string]string{
		"/":             `data-api="./" data-keyless="./api/durabletask-links/dashboard"`,
		"/tools/manage": `data-api="./../../" data-keyless="./../../api/durabletask-links/dashboard"`,
	} {
		w := httptest.NewRecorder()
		s.Operators(mount).ServeHTTP(w, httptest.NewRequest(http.MethodGet, strings.TrimSuffix(mount, "/")+"/dashboard", nil))
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %.300s, want %s", mount, w.Code, w.Body, want)
		}
	}
}
