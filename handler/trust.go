package handler

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/durable-go/functions/internal/hostname"
)

// Headers of the host. It sets them in every request that it passes on, in place
// of those that the caller sent.
const (
	invocationHeader = "X-Azure-Functions-InvocationId"
	forwardedHost    = "X-Forwarded-Host"
)

// believes reports whether a request can have come from the host: it asks this
// machine by address, for its readiness or with an invocation id. A web page
// cannot make such a request to a local port: it may not set the header for another
// origin, and one whose name was turned to this machine asks by that name. A host
// that forwards in the old way passes on the name that its caller asked by, so there
// the name says nothing.
func (s *Server) believes(r *http.Request) bool {
	if !s.App.Forwards && r.Host != "" && !hostname.Loopback(r.Host) {
		return false
	}
	return r.Header.Get(invocationHeader) != "" || r.Method == http.MethodGet && r.URL.Path == "/"
}

// passedOn reports whether a request is one of a caller that the host proxies.
func passedOn(r *http.Request) bool { return r.Header.Get(forwardedHost) != "" }

// withoutHost removes what only a host may say from the request of a caller.
func withoutHost(h http.Header) {
	for name := range h {
		if strings.HasPrefix(strings.ToLower(name), "x-azure-functions-") || strings.EqualFold(name, "X-Ms-Invocation-Id") {
			delete(h, name)
		}
	}
}

// opens reports whether a caller may run a function where there is no host that
// has asked for its key.
func (s *Server) opens(r *http.Request, f *Function) bool {
	if s.Key == "" || f.Level == "anonymous" {
		return true
	}
	shown := r.Header.Get("X-Functions-Key")
	if shown == "" {
		for name, values := range r.URL.Query() {
			if strings.EqualFold(name, "code") && len(values) > 0 {
				shown = values[0]
			}
		}
	}
	// Hashes have one length, whatever was shown.
	a, b := sha256.Sum256([]byte(shown)), sha256.Sum256([]byte(s.Key))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
