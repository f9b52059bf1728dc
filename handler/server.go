package handler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
)

// Headers of the host.
const invocationHeader = "X-Azure-Functions-InvocationId"

// maxBody is the largest request that the host passes on by default.
const maxBody = 100 << 20

// readyWait bounds how long requests wait for an app that starts: the host gives
// up on a handler that does not answer.
const readyWait = 10 * time.Second

// Journal knows what user code runs, so that code that ends the process can be
// found. See supervise.Journal.
type Journal interface {
	Enter(ctx context.Context, key string, dequeued int) (leave func(), err error)
}

// Server answers the host. Functions are registered before it serves.
type Server struct {
	App     *App
	Log     *slog.Logger
	Journal Journal
	// Ready is closed when the app can work. Until then invocations wait; those
	// that are not ready 10 seconds after Serve was called get 503.
	Ready <-chan struct{}
	// Standalone says that there is no host in front: callers are not trusted to
	// bring invocations of other triggers than HTTP.
	Standalone bool

	routes      []httpRoute
	invocations map[string]func(context.Context, *Invocation) error
	// patience is when invocations stop to wait; set by Serve.
	patience time.Time
}

type httpRoute struct {
	function *Function
	template *template
	handler  http.Handler
}

// HandleHTTP serves the requests of an HTTP function.
func (s *Server) HandleHTTP(name string, h http.Handler) error {
	f := s.App.Function(name)
	if f == nil {
		return fmt.Errorf("there is no folder %s with a function.json", name)
	}
	if !f.HTTP {
		return fmt.Errorf("%s/function.json: an HTTP function must have exactly an httpTrigger and an http output", f.Name)
	}
	if s.Handled(f) {
		return fmt.Errorf("function %s is registered twice", f.Name)
	}
	t, err := parseTemplate(f.Route)
	if err != nil {
		return fmt.Errorf("%s/function.json: %w", f.Name, err)
	}
	s.routes = append(s.routes, httpRoute{function: f, template: t, handler: h})
	// The host matches in the order of the names.
	slices.SortFunc(s.routes, func(a, b httpRoute) int {
		return strings.Compare(strings.ToLower(a.function.Name), strings.ToLower(b.function.Name))
	})
	return nil
}

// HandleInvocation serves the invocations of a function with any other trigger.
// An error makes the host deliver again what can be delivered again.
func (s *Server) HandleInvocation(name string, h func(context.Context, *Invocation) error) error {
	f := s.App.Function(name)
	if f == nil {
		return fmt.Errorf("there is no folder %s with a function.json", name)
	}
	if f.Route != "" {
		return fmt.Errorf("%s/function.json: %s has an HTTP trigger", f.Name, f.Name)
	}
	if s.Handled(f) {
		return fmt.Errorf("function %s is registered twice", f.Name)
	}
	if s.invocations == nil {
		s.invocations = map[string]func(context.Context, *Invocation) error{}
	}
	s.invocations[strings.ToLower(f.Name)] = h
	return nil
}

// Handled tells whether a function was registered.
func (s *Server) Handled(f *Function) bool {
	for _, r := range s.routes {
		if r.function == f {
			return true
		}
	}
	return s.invocations[strings.ToLower(f.Name)] != nil
}

// Serve answers requests until ctx ends, then finishes those under way within
// the bound.
func (s *Server) Serve(ctx context.Context, l net.Listener, bound time.Duration) error {
	s.patience = time.Now().Add(readyWait)
	server := &http.Server{Handler: s, ReadHeaderTimeout: 30 * time.Second, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn)}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), bound)
	defer cancel()
	err := server.Shutdown(stop)
	if errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	}
	return err
}

// ServeHTTP answers one request of the host, or of a caller where there is no
// host.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, route := range s.routes {
		if (len(route.function.Methods) == 0 || slices.Contains(route.function.Methods, r.Method)) && route.template.match(r) {
			s.serveHTTP(w, r, route)
			return
		}
	}
	name := strings.Trim(r.URL.Path, "/")
	switch f := s.App.Function(name); {
	case name == "":
		s.serveReadiness(w, r)
	case f == nil || s.Standalone || !fromHost(r):
		answer(w, http.StatusNotFound, map[string]string{"error": fmt.Sprintf("no function answers %s %s", r.Method, r.URL.Path)})
	case f.Route != "":
		answer(w, http.StatusInternalServerError, map[string]string{"error": fmt.Sprintf(
			"function %s came as an envelope: set customHandler.enableProxyingHttpRequest to true in host.json (host 4.1040 or newer), and give it exactly an httpTrigger and an http output", f.Name)})
	default:
		s.serveInvocation(w, r, f)
	}
}

// fromHost tells whether a request looks like an invocation of the host. A web
// page cannot make such a request to a local port: it may not set the header.
func fromHost(r *http.Request) bool {
	return r.Method == http.MethodPost && r.Header.Get(invocationHeader) != ""
}

// serveReadiness answers the host's question whether the handler is up. It
// waits for the app, but not so long that the host gives up.
func (s *Server) serveReadiness(w http.ResponseWriter, r *http.Request) {
	select {
	case <-s.Ready:
	case <-time.After(readyWait):
	case <-r.Context().Done():
	}
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

// ready waits until the app can work: a child that was started again needs a
// moment, and callers should not notice.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) bool {
	wait := time.NewTimer(time.Until(s.patience))
	defer wait.Stop()
	select {
	case <-s.Ready:
	case <-wait.C:
	case <-r.Context().Done():
	}
	select {
	case <-s.Ready:
		return true
	default:
		w.Header().Set("Retry-After", "1")
		answer(w, http.StatusServiceUnavailable, map[string]string{"error": "the task hub is not reachable yet"})
		return false
	}
}

// answer writes JSON: the host never completes an invocation whose answer is
// empty.
func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v)
}

func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request, route httpRoute) {
	if !s.ready(w, r) {
		return
	}
	id := r.Header.Get(invocationHeader)
	ctx := WithInvocation(r.Context(), id)
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	out := &response{ResponseWriter: w}
	// The host sends a GET whose handler died again and again, with one id.
	err := s.run(ctx, id, func() { route.handler.ServeHTTP(out, r.WithContext(ctx)) })
	if err == nil {
		return
	}
	s.Log.Error("HTTP function failed", "function", route.function.Name, "invocation", id, "error", err)
	if out.begun {
		// What was sent must not look whole: this cuts the connection.
		panic(http.ErrAbortHandler)
	}
	answer(w, http.StatusInternalServerError, map[string]string{"error": "the function failed"})
}

// response notes that an answer has begun: it cannot be replaced any more.
type response struct {
	http.ResponseWriter
	begun bool
}

func (r *response) WriteHeader(code int) {
	r.begun = r.begun || code >= http.StatusOK
	r.ResponseWriter.WriteHeader(code)
}

func (r *response) Write(p []byte) (int, error) {
	r.begun = true
	return r.ResponseWriter.Write(p)
}

// Flush is for handlers that stream.
func (r *response) Flush() {
	r.begun = true
	_ = http.NewResponseController(r.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (r *response) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (s *Server) serveInvocation(w http.ResponseWriter, r *http.Request, f *Function) {
	if !s.ready(w, r) {
		return
	}
	handle := s.invocations[strings.ToLower(f.Name)]
	if handle == nil {
		answer(w, http.StatusInternalServerError, map[string]string{"error": fmt.Sprintf("function %s has a folder but no handler: register one", f.Name)})
		return
	}
	err := s.invoke(r, f, handle)
	if err != nil {
		s.Log.Error("invocation failed", "function", f.Name, "error", err)
		answer(w, http.StatusInternalServerError, map[string]string{"error": "the function failed"})
		return
	}
	answer(w, http.StatusOK, struct{}{})
}

func (s *Server) invoke(r *http.Request, f *Function, handle func(context.Context, *Invocation) error) error {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return fmt.Errorf("reading the host's request: %w", err)
	}
	id := r.Header.Get(invocationHeader)
	inv, err := decodeInvocation(f, id, raw)
	if err != nil {
		return err
	}
	ctx := WithInvocation(r.Context(), id)
	return handle(ctx, inv)
}

// run runs user code known to the journal. Panics, also of Goexit, are errors.
func (s *Server) run(ctx context.Context, id string, f func()) error {
	leave, err := s.Journal.Enter(ctx, "http:"+id, 0)
	if err != nil {
		return err
	}
	defer leave()
	return Protect(f)
}

// Protect runs user code and turns a panic, or the end of its goroutine by
// runtime.Goexit, into an error.
func Protect(f func()) error {
	err := errors.New("the function ended its goroutine with runtime.Goexit")
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		f()
		err = nil
	}()
	<-done
	return err
}

type invocationKey struct{}

// invocationInfo is what the context of a function knows of its invocation.
type invocationInfo struct {
	id string
	// asked counts, by what was asked for.
	mu    sync.Mutex
	asked map[string]int
}

// WithInvocation makes a context of a run that is repeated when its process dies,
// and that has the same id then: see Ordinal. The host's invocations of functions
// have one.
func WithInvocation(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, invocationKey{}, &invocationInfo{id: id})
}

// Ordinal returns the id of the invocation in whose context it is called, and the
// how manieth call for what it is, from 1. What is derived from the three is the same
// when the invocation is repeated, in whatever order it asks then, and although it
// may ask for less: only equal things are counted. ok is false outside of an
// invocation. It may be called concurrently.
func Ordinal(ctx context.Context, what string) (invocation string, n int, ok bool) {
	info, _ := ctx.Value(invocationKey{}).(*invocationInfo)
	if info == nil || info.id == "" {
		return "", 0, false
	}
	info.mu.Lock()
	defer info.mu.Unlock()
	if info.asked == nil {
		info.asked = map[string]int{}
	}
	info.asked[what]++
	return info.id, info.asked[what], true
}
