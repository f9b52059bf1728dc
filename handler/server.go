package handler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

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
	// Standalone means that there is no host in front: nothing that only a host may
	// say is believed, and Key is asked for.
	Standalone bool
	// Key is what callers of functions with authLevel function or admin must show
	// where Standalone is set; empty: nothing.
	Key string
	// BodyWithin bounds how long a caller may take to send the body of a request.
	// Default [DefaultBodyWithin].
	BodyWithin time.Duration

	handlers    map[*Function]http.Handler
	invocations map[string]func(context.Context, *Invocation) error
	// patience is when invocations stop to wait; set by Serve.
	patience time.Time
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
	if s.handlers == nil {
		s.handlers = map[*Function]http.Handler{}
	}
	s.handlers[f] = h
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

// Handled reports whether a function was registered.
func (s *Server) Handled(f *Function) bool {
	return s.handlers[f] != nil || s.invocations[strings.ToLower(f.Name)] != nil
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
