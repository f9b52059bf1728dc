package management

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/taskhub"
)

// API serves the management API. Its fields are set before it serves and not
// changed afterwards.
type API struct {
	Client *client.Client
	Links  *Links
	// Check says why no orchestrator of that name can be started; nil when one
	// can.
	Check func(name string) error
	Log   *slog.Logger
}

// door is the API at one mount point.
type door struct {
	*API
	path   string
	signed bool
}

// Operators serves the API at the path for callers whom the host has let in.
func (a *API) Operators(path string) http.Handler { return &door{API: a, path: path} }

// Signed serves the API at the path for whoever has a signed link.
func (a *API) Signed(path string) http.Handler { return &door{API: a, path: path, signed: true} }

// operation is one call: what it is, and on which instance.
type operation struct {
	// op is what a link must allow; empty: not through links.
	op       string
	instance string
	serve    func(http.ResponseWriter, *http.Request)
}

// ServeHTTP answers unknown paths and verbs with 404 and nothing else, as the
// official extension does.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o := d.route(r)
	if o == nil || d.signed && o.op == "" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if d.signed {
		if err := d.Links.Keys.Check(r.Context(), o.instance, o.op, r.URL.Query()); err != nil {
			d.refuse(w, r, err)
			return
		}
	}
	o.serve(w, r)
}

func (d *door) refuse(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, errNoSignature):
		WriteError(w, http.StatusUnauthorized, err.Error())
	case errors.Is(err, errSignature):
		WriteError(w, http.StatusForbidden, err.Error())
	default:
		d.fail(w, r, err)
	}
}

// route finds the operation of a request, nil when there is none.
func (d *door) route(r *http.Request) *operation {
	parts, ok := segments(r.URL, d.path)
	if !ok {
		return nil
	}
	switch {
	case len(parts) == 2 && strings.EqualFold(parts[0], "instances") && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		return &operation{op: opStatus, instance: parts[1], serve: func(w http.ResponseWriter, r *http.Request) { d.status(w, r, parts[1]) }}
	case (len(parts) == 2 || len(parts) == 3) && strings.EqualFold(parts[0], "orchestrators") && r.Method == http.MethodPost:
		id := ""
		if len(parts) == 3 {
			id = parts[2]
		}
		return &operation{serve: func(w http.ResponseWriter, r *http.Request) { d.start(w, r, parts[1], id) }}
	}
	return nil
}

// segments decodes the path below the mount point, once. A segment that is
// empty, or that would be several when it is decoded, matches nothing.
func segments(u *url.URL, mount string) ([]string, bool) {
	path := u.EscapedPath()
	if len(path) < len(mount) || !strings.EqualFold(path[:len(mount)], mount) {
		return nil, false
	}
	path = strings.TrimSuffix(path[len(mount):], "/")
	if !strings.HasPrefix(path, "/") {
		return nil, false
	}
	parts := strings.Split(path[1:], "/")
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil || plain == "" || plain == "." || plain == ".." || strings.Contains(plain, "/") {
			return nil, false
		}
		parts[i] = plain
	}
	return parts, true
}

// fail answers an error that is not the caller's, unless the caller is gone.
func (d *door) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return
	}
	d.Log.Error("management request failed", "error", err)
	WriteError(w, http.StatusInternalServerError, "Something went wrong while processing your request")
}

// notFound answers for an instance that is not there.
func notFound(w http.ResponseWriter, err error) bool {
	if !errors.Is(err, taskhub.ErrNotFound) {
		return false
	}
	w.WriteHeader(http.StatusNotFound)
	return true
}
