package handler

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// door is an HTTP function of an app whose routes overlap.
type door struct{ name, route, level string }

// newDoors is an app of HTTP functions that answer with their names, and of a
// queue function.
func newDoors(t *testing.T, prefix string, doors ...door) *testApp {
	t.Helper()
	files := map[string]string{
		"host.json":          fmt.Sprintf(`{"version": "2.0", "extensions": {"http": {"routePrefix": %q}}}`, prefix),
		"Work/function.json": bindings(strings.Replace(queueIn, "%TaskHub%", "hub", 1)),
	}
	for _, d := range doors {
		in := fmt.Sprintf(`{"type": "httpTrigger", "name": "req", "authLevel": %q, "route": %q}`, d.level, d.route)
		files[d.name+"/function.json"] = bindings(in, httpOut)
	}
	app, err := Load(writeApp(t, files), nil)
	if err != nil {
		t.Fatal(err)
	}
	a := &testApp{journal: &journal{}, ready: make(chan struct{})}
	close(a.ready)
	a.Server = &Server{App: app, Log: slog.New(slog.DiscardHandler), Journal: a.journal, Ready: a.ready}
	for _, d := range doors {
		a.handle(t, d.name, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, d.name) })
	}
	return a
}

// An anonymous catch-all beside keyed functions: the host checks the key of the
// function that it has chosen, so no path may come to another one here. The
// paths are as the host passes them on.
func TestPathsThatOpenedKeyedFunctions(t *testing.T) {
	doors := []door{
		{"Items", "items/{name}", "anonymous"}, {"ItemsById", "items/{id:guid}", "function"},
		{"Num", "num/{n:int}", "function"}, {"Secret", "secret/{id}", "function"}, {"Site", "{*path}", "anonymous"},
	}
	a := newDoors(t, "api", doors...)
	for path, want := range map[string]string{
		"/api/secret/x": "Secret", "/api/SECRET/x/": "Secret", "/api/secret/x//": "Site", "/api/secret//x": "Site", "/api//secret/x": "",
		"/api/%C5%BFecret/x": "Site", "/api/secret": "Site", "/api/secret/": "Site", "/api/secret/a%252Fb": "Secret", "/api/secret/%252e%252e/x": "Site",
		"/api/items/12345678-1234-1234-1234-123456789abc": "Items", "/api/items/x": "Items", "/api/items/x/y": "Site",
		"/api/num/5": "Num", "/api/num/5000000000": "Site", "/api/num/+5": "Num", "/api/num/%205": "Num", "/api/num/%EF%BC%95": "Site", "/api/num/5%0A": "Num",
		"/api": "Site", "/api/": "Site", "/secret/x": "", "/apix/secret/x": "",
	} {
		w := a.send(http.MethodGet, path, "")
		if want == "" {
			wantAnswer(t, w, http.StatusNotFound)
		} else if w.Body.String() != want {
			t.Errorf("%s: %s, want %s", path, w.Body, want)
		}
	}
}

// A function without a handler here has its paths all the same.
func TestPathsOfAFunctionWithoutAHandler(t *testing.T) {
	a := newDoors(t, "api", door{"B", "secret/{id}", "function"}, door{"C", "{*rest}", "anonymous"})
	delete(a.handlers, a.App.Function("B"))
	wantAnswer(t, a.send(http.MethodGet, "/api/secret/x", ""), http.StatusInternalServerError)
}

// Requests whose host cannot be known, or whose port was found by others.
func TestWhoMayAsk(t *testing.T) {
	for _, c := range []struct {
		name, method, host, path, id, forwarded string
		want                                    int
	}{
		{"the host", "GET", "127.0.0.1:7000", "/api/x", "i", "app.example:80", 200},
		{"the host, for readiness", "GET", "127.0.0.1:7000", "/", "", "", 200},
		{"a page of another site", "POST", "127.0.0.1:7000", "/api/x", "", "", 403},
		{"a name turned to this machine", "GET", "evil.example:7000", "/api/x", "i", "", 403},
		{"readiness by such a name", "GET", "evil.example:7000", "/", "", "", 403},
		{"an address of this machine that others reach", "GET", "192.168.1.5:7000", "/api/x", "i", "", 403},
		{"localhost as a part of a name", "GET", "localhost.evil.example", "/api/x", "i", "", 403},
		{"IPv6", "GET", "[::1]:7000", "/api/x", "i", "", 200},
		{"a host that is none", "GET", "127.0.0.1:7000", "/api/x", "i", "-x", 400},
		{"a host that breaks a link", "GET", "127.0.0.1:7000", "/api/x", "i", "x@y", 400},
		{"a path with a NUL", "GET", "127.0.0.1:7000", "/api/x%00", "i", "", 400},
	} {
		a := newDoors(t, "api", door{"Site", "{*path}", "anonymous"})
		r := httptest.NewRequest(c.method, c.path, nil)
		r.Host = c.host
		for name, value := range map[string]string{invocationHeader: c.id, forwardedHost: c.forwarded} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		w := httptest.NewRecorder()
		if a.ServeHTTP(w, r); w.Code != c.want {
			t.Errorf("%s: %d %s, want %d", c.name, w.Code, w.Body, c.want)
		}
	}
}

// With an empty prefix the path of a request can be the name of a function. What
// the host passes on is no envelope, and no envelope goes to a catch-all.
func TestForgedEnvelope(t *testing.T) {
	const envelope = `{"Data":{"msg":"aGVsbG8="},"Metadata":{}}`
	a := newDoors(t, "", door{"Site", "{*path}", "anonymous"})
	ran := 0
	if err := a.HandleInvocation("Work", func(_ context.Context, _ *Invocation) error { ran++; return nil }); err != nil {
		t.Fatal(err)
	}
	if w := a.send(http.MethodPost, "/Work", envelope); w.Code != http.StatusOK || ran != 1 {
		t.Errorf("of the host: %d %s, ran %d times", w.Code, w.Body, ran)
	}
	r := httptest.NewRequest(http.MethodPost, "/Work", strings.NewReader(envelope))
	r.Host = "127.0.0.1:7000"
	r.Header.Set(invocationHeader, "i1")
	r.Header.Set(forwardedHost, "app.example")
	w := httptest.NewRecorder()
	if a.ServeHTTP(w, r); w.Body.String() != "Site" || ran != 1 {
		t.Errorf("of a caller: %d %s, ran %d times", w.Code, w.Body, ran)
	}
	a.App.Forwards = true
	if w := a.send(http.MethodPost, "/Work", envelope); w.Body.String() != "Site" || ran != 1 {
		t.Errorf("where both look alike: %d %s, ran %d times", w.Code, w.Body, ran)
	}
}

// Without a host, callers bring no invocation ids, and keys where one is set.
func TestStandalone(t *testing.T) {
	a := newDoors(t, "api", door{"Open", "open", "anonymous"}, door{"Keyed", "keyed", "function"}, door{"Admin", "manage", "admin"})
	a.Standalone = true
	seen := ""
	a.handlers[a.App.Function("Open")] = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = fmt.Sprint(r.Header) })
	get := func(path string, header ...string) int {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		for i := 0; i < len(header); i += 2 {
			r.Header[header[i]] = []string{header[i+1]}
		}
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		return w.Code
	}
	if code := get("/api/open", "X-Azure-Functions-Invocationid", "forged", "x-azure-functions-hostversion", "4", "X-Ms-Invocation-Id", "forged"); code != 200 || seen != "map[]" {
		t.Errorf("%d, the function saw %s", code, seen)
	}
	if code := get("/api/keyed"); code != 200 {
		t.Errorf("no key is set: %d", code)
	}
	a.App.Function("Open").Disabled = true
	if code := get("/api/open"); code != 404 {
		t.Errorf("a disabled function: %d", code)
	}
	a.App.Function("Open").Disabled = false
	a.Key = "0123456789"
	for path, want := range map[string]int{
		"/api/open": 200, "/api/keyed": 401, "/api/manage": 401, "/api/keyed?code=wrong": 401, "/api/keyed?code=012345678": 401, "/api/keyed?code=": 401,
		"/api/keyed?code=0123456789": 200, "/api/keyed?CODE=0123456789": 200, "/api/manage?code=0123456789": 200, "/api/nothing": 404,
	} {
		if got := get(path); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	if got := get("/api/keyed?code=0123456789", "X-Functions-Key", "wrong"); got != 401 {
		t.Errorf("a wrong key in the header: %d", got)
	}
}

// A caller that is sending sees the answer of a function that does not read.
func TestAnswersToLargeBodies(t *testing.T) {
	a := newServer(t)
	close(a.ready)
	a.handle(t, "HttpStart", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusUnauthorized, struct{}{}) })
	server := httptest.NewServer(a)
	defer server.Close()
	for path, want := range map[string]int{"/api/orchestrators/x": 401, "/api/nothing": 404} {
		for _, size := range []int64{10, 300 << 10, 30 << 20} {
			body := io.LimitReader(zeros{}, size)
			resp, err := ask(t, http.MethodPost, server.URL+path, body)
			if err != nil {
				t.Errorf("%s, %d bytes: %v", path, size, err)
				continue
			}
			_ = resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("%s, %d bytes: %d, want %d", path, size, resp.StatusCode, want)
			}
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A caller that does not finish its body does not hold a function up.
func TestSlowBody(t *testing.T) {
	a := newServer(t)
	close(a.ready)
	a.BodyWithin = time.Millisecond
	failed := make(chan error, 1)
	a.handle(t, "HttpStart", func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		failed <- err
	})
	server := httptest.NewServer(a)
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "POST /api/orchestrators/x HTTP/1.1\r\nHost: localhost\r\n"+invocationHeader+": i\r\nContent-Length: 10\r\n\r\nhalf")
	if err := <-failed; err == nil {
		t.Error("the function read a whole body")
	}
}

// The deadline of a body does not end the function that has read it.
func TestSlowAnswer(t *testing.T) {
	a := newServer(t)
	close(a.ready)
	a.BodyWithin = 20 * time.Millisecond
	a.handle(t, "HttpStart", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		select {
		case <-r.Context().Done():
			t.Error("the request was given up")
		case <-time.After(5 * a.BodyWithin):
		}
		answer(w, http.StatusOK, struct{}{})
	})
	server := httptest.NewServer(a)
	defer server.Close()
	resp, err := ask(t, http.MethodPost, server.URL+"/api/orchestrators/x", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Error(resp.StatusCode)
	}
}
