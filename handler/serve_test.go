package handler

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestServeFinishesWhatIsUnderWay(t *testing.T) {
	a := newServer(t)
	close(a.ready)
	begun, finish := make(chan struct{}), make(chan struct{})
	a.handle(t, "HttpStart", func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-finish
		_, _ = io.WriteString(w, "finished")
	})
	body, served := serveOne(t, a, begun, time.Minute)
	close(finish)
	if got := <-body; got != "finished" {
		t.Errorf("the request got %q", got)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestServeEndsWithinItsBound(t *testing.T) {
	a := newServer(t)
	close(a.ready)
	begun, finish := make(chan struct{}), make(chan struct{})
	a.handle(t, "HttpStart", func(http.ResponseWriter, *http.Request) {
		close(begun)
		<-finish
	})
	body, served := serveOne(t, a, begun, time.Millisecond)
	if err := <-served; err != nil {
		t.Error(err)
	}
	if got := <-body; got != "cut" {
		t.Errorf("the request got %q", got)
	}
	close(finish)
}

// serveOne serves, sends one request and, when it has begun, ends serving.
func serveOne(t *testing.T, a *testApp, begun <-chan struct{}, bound time.Duration) (body chan string, served chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	body, served = make(chan string, 1), make(chan error, 1)
	go func() { served <- a.Serve(ctx, l, bound) }()
	go func() {
		resp, err := ask(t, http.MethodGet, "http://"+l.Addr().String()+"/api/orchestrators/x", nil)
		if err != nil {
			body <- "cut"
			return
		}
		defer func() { _ = resp.Body.Close() }()
		raw, _ := io.ReadAll(resp.Body)
		body <- string(raw)
	}()
	<-begun
	stop()
	return body, served
}

func TestServeReportsABrokenListener(t *testing.T) {
	a := newServer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if err := a.Serve(t.Context(), l, time.Second); err == nil || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("error %v does not name the address", err)
	}
}
