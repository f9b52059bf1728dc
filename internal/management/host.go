package management

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// hosts is the syntax of a host with or without a port: a name, an IPv4
// address, or an IPv6 address in brackets.
var hosts = regexp.MustCompile(`^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$`)

// maxHost is the longest name of a host with its port.
const maxHost = 253 + len(":65535")

func isHost(name string) bool { return len(name) <= maxHost && hosts.MatchString(name) }

// CheckBase tells whether management URLs can begin with the base: a scheme, a
// host and perhaps a path.
func CheckBase(base string) error {
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return err
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("it must begin with https:// or http://")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(base, "#") || !isHost(u.Host):
		return errors.New("it must be a scheme, a host and perhaps a path, without user, query and fragment")
	case !paths.MatchString(u.EscapedPath()):
		return errors.New("its path may have letters, digits and the characters . _ ~ - only")
	}
	return nil
}

var paths = regexp.MustCompile(`^[A-Za-z0-9._~/-]*$`)

// base is scheme and host of the caller's request. The host passes on what its
// own caller sent, in X-Forwarded-Host and X-Forwarded-Proto. What cannot be a
// host is not repeated.
func (l *Links) base(r *http.Request) string {
	if l.Base != "" {
		return strings.TrimSuffix(l.Base, "/")
	}
	host, scheme := "localhost", "http"
	if r.TLS != nil {
		scheme = "https"
	}
	for _, name := range []string{first(r.Header.Get("X-Forwarded-Host")), r.Host} {
		if isHost(name) {
			host = name
			break
		}
	}
	if forwarded := strings.ToLower(first(r.Header.Get("X-Forwarded-Proto"))); forwarded == "https" || forwarded == "http" {
		scheme = forwarded
	}
	return scheme + "://" + host
}

// first is the first entry of a list header: that of the outermost proxy.
func first(header string) string {
	value, _, _ := strings.Cut(header, ",")
	return strings.TrimSpace(value)
}
