package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestDashboardGuard(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Path+" "+r.Header.Get("X-Functions-Key")+" "+r.Host)
	}))
	defer app.Close()
	api, name, err := proxyTo(app.URL+"/", "secret", true)
	if err != nil || !strings.HasPrefix(name, "127.0.0.1:") {
		t.Fatal(name, err)
	}
	const address = "127.0.0.1:4711"
	guard := guarded(api, "token", address)
	cases := []struct {
		method, host, path, key string
		code                    int
		body                    string
	}{
		{"GET", address, "/", "", 302, ""},
		{"GET", address, "/api/durabletask/dashboard", "", 200, "<!doctype html>"},
		{"GET", "localhost:4711", "/api/durabletask-links/dashboard", "", 200, "<!doctype html>"},
		{"GET", address, "/api/durabletask/search", "", 401, "key"},
		{"GET", address, "/api/durabletask/search", "secret", 401, "key"},
		{"GET", address, "/api/durabletask/search", "token", 200, "/api/durabletask/search secret " + name},
		{"GET", address, "/admin/host/keys", "token", 404, ""},
		{"GET", address, "/api/durabletask-links/instances/i", "token", 404, ""},
		{"POST", address, "/api/durabletask/batch/purge", "token", 403, "read-only"},
		{"GET", "evil.example:4711", "/api/durabletask/search", "token", 421, address},
		{"GET", "evil.example", "/api/durabletask/dashboard", "", 421, address},
	}
	for _, c := range cases {
		r := httptest.NewRequest(c.method, "http://"+c.host+c.path, nil)
		r.Header.Set("X-Functions-Key", c.key)
		w := httptest.NewRecorder()
		guard.ServeHTTP(w, r)
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.body) {
			t.Errorf("%s %s%s with key %q: %d %.200s, want %d %s", c.method, c.host, c.path, c.key, w.Code, w.Body, c.code, c.body)
		}
	}
}

func TestDashboardArguments(t *testing.T) {
	t.Setenv("DURABLE_KEY", "from-env")
	var o dashboardOptions
	parse := func(args ...string) error {
		return try(t, dashboardCommand(func(_ context.Context, got dashboardOptions, _ io.Writer) error {
			o = got
			return nil
		}), args...)
	}
	err := parse("--url", "https://x", "--read-only")
	if err != nil || o.key != "from-env" || !o.readOnly {
		t.Errorf("%+v, %v", o, err)
	}
	for _, bad := range [][]string{{"a", "b"}, {"--nope"}, {"--url", "https://x", "--hub", "h"}} {
		if err := parse(bad...); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	if _, _, err := proxyTo("ftp://x", "", false); err == nil {
		t.Error("ftp is accepted")
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"dashboard", "-h"}, &out, &out); code != 0 || !strings.Contains(out.String(), "durable dashboard [DIR]") {
		t.Errorf("%d %s", code, &out)
	}
}
