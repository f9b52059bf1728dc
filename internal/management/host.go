package management

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/durable-go/functions/internal/hostname"
)

// CheckBase says why management URLs cannot begin with the base, which must be
// a scheme, a host and perhaps a path; nil when they can.
func CheckBase(base string) error {
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return err
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("it must begin with https:// or http://")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(base, "#") || !hostname.Valid(u.Host):
		return errors.New("it must be a scheme, a host and perhaps a path, without user, query and fragment")
	case !paths.MatchString(u.EscapedPath()):
		return errors.New("its path may have letters, digits and the characters . _ ~ - only")
	}
	return nil
}

var paths = regexp.MustCompile(`^[A-Za-z0-9._~/-]*$`)

// Front says how callers reach the app, for the URLs that it gives them. What a
// caller says of its host gets into a URL only where it is this machine, or
// where Trusted says so: a URL carries a signature, and must not lead it to a
// stranger.
type Front struct {
	// Base is scheme and host of the URLs, and perhaps a path; empty: see Site.
	Base string
	// Site is the host of the app (WEBSITE_HOSTNAME); empty: the host of the
	// request, where it is this machine.
	Site string
	// Host means that a Functions host is in front, which names its own caller's
	// host in X-Forwarded-Host.
	Host bool
	// Trusted means that X-Forwarded-Host and X-Forwarded-Proto are those of a
	// proxy that sets them.
	Trusted bool
}

// base is what the URLs in an answer begin with.
func (f Front) base(r *http.Request) string {
	forwarded := first(r.Header.Get("X-Forwarded-Host"))
	switch {
	case f.Base != "":
		return strings.TrimSuffix(f.Base, "/")
	case f.Trusted && hostname.Valid(forwarded):
		return f.trustedScheme(r) + "://" + forwarded
	case f.Site != "" && hostname.Loopback(f.Site):
		return "http://" + f.Site
	case f.Site != "":
		return "https://" + f.Site
	}
	host := r.Host
	if f.Host {
		host = forwarded
	}
	if !hostname.Valid(host) || !hostname.Loopback(host) {
		host = f.own(r)
	}
	return f.scheme(r) + "://" + host
}

// own is the address that the request has reached; behind a Functions host that
// is not where callers are.
func (f Front) own(r *http.Request) string {
	if at, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && !f.Host && hostname.Valid(at.String()) {
		return at.String()
	}
	return "localhost"
}

func (f Front) scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

func (f Front) trustedScheme(r *http.Request) string {
	if scheme := strings.ToLower(first(r.Header.Get("X-Forwarded-Proto"))); scheme == "https" || scheme == "http" {
		return scheme
	}
	return f.scheme(r)
}

// first is the first entry of a list header: that of the outermost proxy.
func first(header string) string {
	value, _, _ := strings.Cut(header, ",")
	return strings.TrimSpace(value)
}
