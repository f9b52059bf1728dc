package handler

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

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
// number of the call among those for the same what, from 1. An id that is derived
// from the three is the same when the invocation is repeated, in whatever order it
// asks then, and although it may ask for less. ok is false outside of an
// invocation. Ordinal may be called concurrently.
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
