package handler

import (
	"encoding/json"
	"net/http"
	"time"
)

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

// Paths for the probes of a container platform, where there is no host in front and no
// function has them. They need no key and tell nothing about the app.
const (
	// alivePath answers 200 for as long as the app serves, whether its storage is
	// there or not: a restart would not bring that back.
	alivePath = "/healthz"
	// readyPath answers 200 when the app can work, and 503 until then.
	readyPath = "/readyz"
)

// serveReadyNow answers whether the app can work, without waiting for it.
func (s *Server) serveReadyNow(w http.ResponseWriter) {
	select {
	case <-s.Ready:
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	default:
		s.notReady(w)
	}
}

// notReady answers that the app cannot work yet.
func (s *Server) notReady(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	answer(w, http.StatusServiceUnavailable, map[string]string{"error": "the task hub is not reachable yet"})
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
		s.notReady(w)
		return false
	}
}

// answer writes JSON: the host never completes an invocation whose answer is
// empty.
func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v)
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
