package handler

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// journal notes what ran, and refuses the keys it was told to.
type journal struct {
	mu      sync.Mutex // guards the rest
	refused map[string]error
	entered []string
	inside  int
}

func (j *journal) Enter(_ context.Context, key string, _ int) (func(), error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.refused[key]; err != nil {
		return nil, err
	}
	j.entered = append(j.entered, key)
	j.inside++
	return func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.inside--
	}, nil
}

// testApp is a server with the functions HttpStart, Work (a queue trigger),
// Tick (a timer) and Envelope (HTTP with a further output).
type testApp struct {
	*Server
	journal *journal
	logs    *bytes.Buffer
	ready   chan struct{}
}

func newServer(t *testing.T) *testApp {
	t.Helper()
	route := func(template string) string {
		return strings.Replace(httpIn, `"req"`, `"req", "route": "`+template+`"`, 1)
	}
	app, err := Load(writeApp(t, map[string]string{
		"host.json":               plainHost,
		"HttpStart/function.json": bindings(route("orchestrators/{functionName}"), httpOut),
		"Get/function.json":       bindings(strings.Replace(route("things"), `"req"`, `"req", "methods": ["get"]`, 1), httpOut),
		"Post/function.json":      bindings(strings.Replace(route("things"), `"req"`, `"req", "methods": ["post"]`, 1), httpOut),
		"Work/function.json":      bindings(queueIn),
		"Tick/function.json":      bindings(timerIn),
		"Envelope/function.json":  bindings(httpIn, httpOut, queueOut),
	}), []string{"TaskHub=Hub"})
	if err != nil {
		t.Fatal(err)
	}
	a := &testApp{journal: &journal{refused: map[string]error{}}, logs: &bytes.Buffer{}, ready: make(chan struct{})}
	a.Server = &Server{App: app, Log: slog.New(slog.NewTextHandler(a.logs, nil)), Journal: a.journal, Ready: a.ready}
	return a
}

// handle registers an HTTP function.
func (a *testApp) handle(t *testing.T, name string, f http.HandlerFunc) {
	t.Helper()
	if err := a.HandleHTTP(name, f); err != nil {
		t.Fatal(err)
	}
}

// send answers a request of the host, which has an invocation id.
func (a *testApp) send(method, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "127.0.0.1:7000"
	r.Header.Set(invocationHeader, "i1")
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

// ask sends a request of the host over a connection.
func ask(t *testing.T, method, url string, body io.Reader) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(invocationHeader, "i1")
	return http.DefaultClient.Do(r)
}

// wantAnswer checks a status and that the body is a JSON object, which the host
// insists on.
func wantAnswer(t *testing.T, w *httptest.ResponseRecorder, code int) map[string]any {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("body %q of type %q is no JSON object", w.Body, w.Header().Get("Content-Type"))
	}
	if w.Code != code {
		t.Fatalf("status %d, want %d: %s", w.Code, code, w.Body)
	}
	return body
}

func TestProxiedRequest(t *testing.T) {
	a := newServer(t)
	close(a.ready)
	a.handle(t, "httpstart", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Kept", "yes")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, r.Method+" "+r.PathValue("functionName")+" "+r.URL.Query().Get("x")+" "+string(body))
	})
	w := a.send(http.MethodPut, "/api/Orchestrators/Or%20der?x=1", "payload")
	if w.Code != http.StatusTeapot || w.Body.String() != "PUT Or der 1 payload" || w.Header().Get("X-Kept") != "yes" {
		t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
	}
	if want := "http:i1"; len(a.journal.entered) != 1 || a.journal.entered[0] != want || a.journal.inside != 0 {
		t.Errorf("journal %v, %d inside; want %s and nobody", a.journal.entered, a.journal.inside, want)
	}
}

func TestMethodsChooseTheFunction(t *testing.T) {
	a := newServer(t)
	close(a.ready)
	for _, name := range []string{"Get", "Post"} {
		a.handle(t, name, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })
	}
	for method, want := range map[string]string{http.MethodGet: "Get", http.MethodPost: "Post"} {
		if w := a.send(method, "/api/things", ""); w.Body.String() != want {
			t.Errorf("%s was answered by %q", method, w.Body)
		}
	}
	wantAnswer(t, a.send(http.MethodDelete, "/api/things", ""), http.StatusNotFound)
}

func TestFailingFunction(t *testing.T) {
	cases := map[string]func(){
		"panic":       func() { panic("secret reason") },
		"panic nil":   func() { panic(nil) },
		"goexit":      func() { runtime.Goexit() },
		"index":       func() { _ = []int{}[len(t.Name())] },
		"panic error": func() { panic(http.ErrAbortHandler) },
	}
	for name, fail := range cases {
		t.Run(name, func(t *testing.T) {
			a := newServer(t)
			close(a.ready)
			a.handle(t, "HttpStart", func(http.ResponseWriter, *http.Request) { fail() })
			w := a.send(http.MethodGet, "/api/orchestrators/x", "")
			if body := wantAnswer(t, w, http.StatusInternalServerError); strings.Contains(w.Body.String(), "secret") || body["error"] == nil {
				t.Errorf("the caller learns %s", w.Body)
			}
			if !strings.Contains(a.logs.String(), "HttpStart") || !strings.Contains(a.logs.String(), "i1") {
				t.Errorf("the log names neither function nor invocation: %s", a.logs)
			}
			if a.journal.inside != 0 {
				t.Error("the journal thinks that the function runs still")
			}
		})
	}
}

// An answer that had begun when its function failed must not look whole.
func TestFailingFunctionAfterItsAnswerBegan(t *testing.T) {
	a := newServer(t)
	close(a.ready)
	a.handle(t, "HttpStart", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		panic("no second half")
	})
	server := httptest.NewServer(a)
	defer server.Close()
	resp, err := ask(t, http.MethodGet, server.URL+"/api/orchestrators/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if body, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("the caller got %q and no error", body)
	}
}

func TestStreaming(t *testing.T) {
	a := newServer(t)
	close(a.ready)
	next := make(chan struct{})
	a.handle(t, "HttpStart", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "one")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-next
		_, _ = io.WriteString(w, "two")
	})
	server := httptest.NewServer(a)
	defer server.Close()
	resp, err := ask(t, http.MethodGet, server.URL+"/api/orchestrators/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	first := make([]byte, 3)
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "one" {
		t.Fatalf("%q, %v", first, err)
	}
	close(next)
	if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != "two" {
		t.Fatalf("%q, %v", rest, err)
	}
}

// The host repeats a request whose handler died; the journal ends that.
func TestBlamedRequest(t *testing.T) {
	a := newServer(t)
	close(a.ready)
	a.handle(t, "HttpStart", func(http.ResponseWriter, *http.Request) { t.Error("user code ran") })
	a.journal.refused["http:i1"] = errors.New("it ended the process")
	wantAnswer(t, a.send(http.MethodGet, "/api/orchestrators/x", ""), http.StatusInternalServerError)
}

func TestInvocation(t *testing.T) {
	const envelope = `{"Data":{"msg":"aGVsbG8="},"Metadata":{"DequeueCount":"2","Id":"\"m1\""}}`
	var got *Invocation
	cases := []struct {
		name, body string
		handle     func(context.Context, *Invocation) error
		want       int
	}{
		{"done", envelope, func(_ context.Context, inv *Invocation) error { got = inv; return nil }, http.StatusOK},
		{"failed", envelope, func(context.Context, *Invocation) error { return errors.New("secret reason") }, http.StatusInternalServerError},
		{"broken envelope", `{`, func(context.Context, *Invocation) error { t.Error("user code ran"); return nil }, http.StatusInternalServerError},
		{"not registered", envelope, nil, http.StatusInternalServerError},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := newServer(t)
			close(a.ready)
			if c.handle != nil {
				if err := a.HandleInvocation("WORK", c.handle); err != nil {
					t.Fatal(err)
				}
			}
			body := wantAnswer(t, a.send(http.MethodPost, "/Work", c.body), c.want)
			if c.want == http.StatusOK && len(body) != 0 {
				t.Errorf("answer %v sets outputs", body)
			}
			if strings.Contains(body2text(body), "secret") {
				t.Errorf("the host learns %v", body)
			}
		})
	}
	if string(got.Body) != "hello" || got.ID != "i1" || got.Queue.ID != "m1" || got.Queue.DequeueCount != 2 || got.Queue.Queue != "hub-control-00" {
		t.Errorf("invocation %+v of message %+v", got, got.Queue)
	}
}

func body2text(body map[string]any) string {
	raw, _ := json.Marshal(body)
	return string(raw)
}

func TestEnvelopeOfAnHTTPFunction(t *testing.T) {
	a := newServer(t)
	close(a.ready)
	for _, name := range []string{"HttpStart", "Envelope"} {
		body := wantAnswer(t, a.send(http.MethodPost, "/"+name, `{"Data":{"req":{}}}`), http.StatusInternalServerError)
		if text := body2text(body); !strings.Contains(text, "enableProxyingHttpRequest") || !strings.Contains(text, name) {
			t.Errorf("the answer %s does not say what to change", text)
		}
	}
}

// Invocations come from the host only.
func TestForgedInvocation(t *testing.T) {
	const envelope = `{"Data":{"msg":"aGVsbG8="},"Metadata":{}}`
	cases := []struct {
		name       string
		method, id string
		standalone bool
		want       int
	}{
		{"of the host", http.MethodPost, "i1", false, http.StatusOK},
		{"of a web page", http.MethodPost, "", false, http.StatusForbidden},
		{"by GET", http.MethodGet, "i1", false, http.StatusNotFound},
		{"without a host", http.MethodPost, "i1", true, http.StatusNotFound},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := newServer(t)
			close(a.ready)
			a.Standalone = c.standalone
			ran := false
			if err := a.HandleInvocation("Work", func(context.Context, *Invocation) error { ran = true; return nil }); err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(c.method, "/Work", strings.NewReader(envelope))
			r.Host = "localhost:7000"
			if c.id != "" {
				r.Header.Set(invocationHeader, c.id)
			}
			w := httptest.NewRecorder()
			a.ServeHTTP(w, r)
			wantAnswer(t, w, c.want)
			if ran != (c.want == http.StatusOK) {
				t.Errorf("ran: %v", ran)
			}
		})
	}
}

func TestUnknownPath(t *testing.T) {
	a := newServer(t)
	close(a.ready)
	a.handle(t, "HttpStart", func(http.ResponseWriter, *http.Request) { t.Error("user code ran") })
	for _, path := range []string{"/api", "/api/orchestrators", "/nothing", "/Work/x", "/api/orchestrators/a/b", "/api//orchestrators/"} {
		wantAnswer(t, a.send(http.MethodPost, path, ""), http.StatusNotFound)
	}
}

func TestRegistration(t *testing.T) {
	a := newServer(t)
	none := http.NotFoundHandler()
	invocation := func(context.Context, *Invocation) error { return nil }
	a.handle(t, "HttpStart", none.ServeHTTP)
	if err := a.HandleInvocation("Work", invocation); err != nil {
		t.Fatal(err)
	}
	for name, handled := range map[string]bool{"HttpStart": true, "Work": true, "Tick": false, "Get": false} {
		if f := a.App.Function(name); a.Handled(f) != handled {
			t.Errorf("%s: handled %v", name, !handled)
		}
	}
	cases := []struct {
		err  error
		want string
	}{
		{a.HandleHTTP("Nobody", none), "Nobody"},
		{a.HandleHTTP("Work", none), "httpTrigger"},
		{a.HandleHTTP("Envelope", none), "exactly"},
		{a.HandleHTTP("HTTPSTART", none), "twice"},
		{a.HandleInvocation("Nobody", invocation), "Nobody"},
		{a.HandleInvocation("HttpStart", invocation), "HTTP trigger"},
		{a.HandleInvocation("work", invocation), "twice"},
	}
	for _, c := range cases {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", c.err, c.want)
		}
	}
}

func TestReadiness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newServer(t)
		begin := time.Now()
		wantAnswer(t, a.send(http.MethodGet, "/", ""), http.StatusOK)
		if waited := time.Since(begin); waited != readyWait {
			t.Errorf("an app that is not ready was waited for %v, want %v", waited, readyWait)
		}
		time.AfterFunc(3*time.Second, func() { close(a.ready) })
		begin = time.Now()
		wantAnswer(t, a.send(http.MethodGet, "/", ""), http.StatusOK)
		if waited := time.Since(begin); waited != 3*time.Second {
			t.Errorf("the answer came after %v, the app was ready after 3s", waited)
		}
	})
}

func TestNotReady(t *testing.T) {
	a := newServer(t)
	a.handle(t, "HttpStart", func(http.ResponseWriter, *http.Request) { t.Error("user code ran") })
	if err := a.HandleInvocation("Work", func(context.Context, *Invocation) error { t.Error("user code ran"); return nil }); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/orchestrators/x", "/Work"} {
		w := a.send(http.MethodPost, path, `{"Data":{"msg":""}}`)
		wantAnswer(t, w, http.StatusServiceUnavailable)
		if w.Header().Get("Retry-After") != "1" {
			t.Errorf("%s: Retry-After %q", path, w.Header().Get("Retry-After"))
		}
	}
}

// What is derived from an invocation is the same when the host repeats it, in
// whatever order it asks then, and differs between equal things of one.
func TestOrdinal(t *testing.T) {
	a := newServer(t)
	close(a.ready)
	type start struct {
		id, what string
		n        int
	}
	var got []start
	order := []string{"a", "b", "a"}
	a.handle(t, "HttpStart", func(_ http.ResponseWriter, r *http.Request) {
		for _, what := range order {
			id, n, ok := Ordinal(r.Context(), what)
			if !ok {
				t.Error("no invocation")
			}
			got = append(got, start{id, what, n})
		}
	})
	a.send(http.MethodGet, "/api/orchestrators/x", "")
	order = []string{"b", "a"}
	a.send(http.MethodGet, "/api/orchestrators/x", "")
	want := []start{{"i1", "a", 1}, {"i1", "b", 1}, {"i1", "a", 2}, {"i1", "b", 1}, {"i1", "a", 1}}
	for i := range want {
		if len(got) != len(want) || got[i] != want[i] {
			t.Fatalf("starts %v, want %v", got, want)
		}
	}
	if _, _, ok := Ordinal(t.Context(), "a"); ok {
		t.Error("a context of no invocation has one")
	}
}

// Without a host there is no invocation id.
func TestOrdinalWithoutHost(t *testing.T) {
	a := newServer(t)
	close(a.ready)
	a.handle(t, "HttpStart", func(w http.ResponseWriter, r *http.Request) {
		if _, _, ok := Ordinal(r.Context(), "a"); ok {
			t.Error("there is an invocation")
		}
	})
	a.Standalone = true
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/orchestrators/x", nil))
	if w.Code != http.StatusOK {
		t.Error(w.Code, w.Body)
	}
}

// Whatever comes, the answer is JSON and no user code runs that was not asked
// for.
func FuzzServer(f *testing.F) {
	f.Add("POST", "/Work", `{"Data":{"msg":"aGVsbG8="}}`, "i")
	f.Add("GET", "/api/orchestrators/x%2F", ``, "")
	f.Add("OPTIONS", "*", `x`, "i")
	f.Fuzz(func(t *testing.T, method, target, body, id string) {
		r, err := http.NewRequest(method, "http://x", strings.NewReader(body))
		if err != nil {
			return
		}
		if u, err := r.URL.Parse(target); err == nil {
			r.URL = u
		}
		r.Host = "127.0.0.1"
		r.Header.Set(invocationHeader, id)
		a := newServer(t)
		close(a.ready)
		a.handle(t, "HttpStart", func(w http.ResponseWriter, r *http.Request) {
			if r.PathValue("functionName") == "" {
				t.Error("the route matched without its parameter")
			}
			answer(w, http.StatusOK, struct{}{})
		})
		if err := a.HandleInvocation("Work", func(context.Context, *Invocation) error { return nil }); err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%d %q", w.Code, w.Body)
		}
	})
}
