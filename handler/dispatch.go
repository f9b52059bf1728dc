package handler

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/durable-go/functions/handler/route"
	"github.com/durable-go/functions/internal/hostname"
)

// ServeHTTP answers one request of the host, or of a caller where there is no
// host.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, ok := route.Path(r.URL.EscapedPath())
	host := r.Host
	if forwarded := r.Header.Get(forwardedHost); forwarded != "" && !s.Standalone {
		host = forwarded
	}
	body := s.timed(w, r)
	r.Body = body
	defer body.drain()
	switch {
	case !ok || host != "" && !hostname.Valid(host):
		answer(w, http.StatusBadRequest, map[string]string{"error": "the path or the Host of the request is not valid"})
	case s.Standalone:
		s.serveCaller(w, r, path)
	case !s.believes(r):
		answer(w, http.StatusForbidden, map[string]string{"error": "this port answers the Functions host of this machine only: call the host"})
	default:
		s.serveHost(w, r, path)
	}
}

// serveCaller answers where there is no host in front.
func (s *Server) serveCaller(w http.ResponseWriter, r *http.Request, path string) {
	withoutHost(r.Header)
	f := s.find(r, path)
	switch {
	case f == nil && path == "/":
		s.serveReadiness(w, r)
	case f == nil && path == alivePath:
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	case f == nil && path == readyPath:
		s.serveReadyNow(w)
	case f == nil, f.Disabled:
		notFound(w, r)
	case !s.opens(r, f):
		w.Header().Set("WWW-Authenticate", `Key header="x-functions-key"`)
		answer(w, http.StatusUnauthorized, map[string]string{"error": fmt.Sprintf("function %s needs a key: header x-functions-key or parameter code", f.Name)})
	default:
		s.serveHTTP(w, r, f)
	}
}

// serveHost answers the host: a request that it passes on, which has its route,
// or an envelope, which has the name of its function. What is passed on never
// counts as an envelope, whatever its path and body are.
func (s *Server) serveHost(w http.ResponseWriter, r *http.Request, path string) {
	if r.Header.Get(invocationHeader) == "" {
		s.serveReadiness(w, r)
		return
	}
	if !passedOn(r) && !s.App.Forwards && r.Method == http.MethodPost {
		if f := s.App.Function(strings.Trim(path, "/")); f != nil {
			s.serveEnvelope(w, r, f)
			return
		}
	}
	if f := s.find(r, path); f != nil {
		s.serveHTTP(w, r, f)
		return
	}
	f := s.App.Function(strings.Trim(path, "/"))
	switch {
	case s.App.Forwards && r.Method == http.MethodPost && f != nil:
		s.serveEnvelope(w, r, f)
	case path == "/" && !passedOn(r):
		s.serveReadiness(w, r)
	default:
		notFound(w, r)
	}
}

// find returns the function that the host has chosen for a request, with the
// values of its route; nil where there is none, or where it cannot be known.
func (s *Server) find(r *http.Request, path string) *Function {
	name, values, fit := s.App.routes.Find(r.Method, path)
	if fit != route.Yes {
		return nil
	}
	for name, value := range values {
		r.SetPathValue(name, value)
	}
	return s.App.Function(name)
}

func notFound(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusNotFound, map[string]string{"error": fmt.Sprintf("no function answers %s %s", r.Method, r.URL.Path)})
}

func envelopeHint(f *Function) string {
	return fmt.Sprintf("function %s came as an envelope: set customHandler.enableProxyingHttpRequest to true in host.json (host 4.1040 or newer), and give it exactly an httpTrigger and an http output", f.Name)
}

func (s *Server) serveEnvelope(w http.ResponseWriter, r *http.Request, f *Function) {
	if f.Route != "" {
		answer(w, http.StatusInternalServerError, map[string]string{"error": envelopeHint(f)})
		return
	}
	s.serveInvocation(w, r, f)
}

func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request, f *Function) {
	h := s.handlers[f]
	switch {
	case !f.HTTP:
		answer(w, http.StatusInternalServerError, map[string]string{"error": envelopeHint(f)})
		return
	case h == nil:
		answer(w, http.StatusInternalServerError, map[string]string{"error": fmt.Sprintf("function %s has a folder but no handler: register one", f.Name)})
		return
	case !s.ready(w, r):
		return
	}
	id := r.Header.Get(invocationHeader)
	ctx := WithInvocation(r.Context(), id)
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	out := &response{ResponseWriter: w}
	// The host sends a GET whose handler died again and again, with one id.
	err := s.run(ctx, id, func() { h.ServeHTTP(out, r.WithContext(ctx)) })
	if err == nil {
		return
	}
	s.Log.Error("HTTP function failed", "function", f.Name, "invocation", id, "error", err)
	if out.begun {
		// What was sent must not look whole: this cuts the connection.
		panic(http.ErrAbortHandler)
	}
	answer(w, http.StatusInternalServerError, map[string]string{"error": "the function failed"})
}

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
	inv.TraceParent, inv.TraceState = r.Header.Get("traceparent"), r.Header.Get("tracestate")
	ctx := WithInvocation(r.Context(), id)
	return handle(ctx, inv)
}
