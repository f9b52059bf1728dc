package management

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// API serves the management API. Its exported fields are set before it serves and not
// changed afterwards.
type API struct {
	Client *client.Client
	Links  *Links
	// Check says why no orchestrator of that name can be started; nil when one
	// can.
	Check func(name string) error
	// Version is that of orchestrations whose start names none.
	Version string
	Log     *slog.Logger
	// Replay finds what the code of an instance waits for, by running it over its
	// history; nothing where it cannot be run. nil: the code is not here.
	Replay func(ctx context.Context, id string, events []*history.Event) []Wait
	// Site is what the app tells of itself.
	Site Site

	// checking is true while the hub is checked.
	checking atomic.Bool
}

// door is the API at one mount point.
type door struct {
	*API
	path   string
	signed bool
}

// Operators serves the API at the path for callers whom the host has let in. The path
// may end in a slash, and may be that alone.
func (a *API) Operators(path string) http.Handler { return &door{API: a, path: mountPoint(path)} }

// Signed serves the API at the path for whoever has a signed link.
func (a *API) Signed(path string) http.Handler {
	return &door{API: a, path: mountPoint(path), signed: true}
}

// mountPoint is a path without a slash at its end: that of "/" is empty.
func mountPoint(path string) string {
	if path = strings.Trim(path, "/"); path != "" {
		path = "/" + path
	}
	return path
}

// maxKey is the longest key of a table, in characters (1 KiB of UTF-16): nothing
// longer can be there.
const maxKey = 512

// crossSite finds what pages of other sites have browsers send: requests that
// change something, with another Origin than the Host, or Sec-Fetch-Site:
// cross-site.
var crossSite = http.NewCrossOriginProtection()

// foreign reports whether a request is to be refused because a page of another
// site may have made it. A link is a secret that no such page has, and a header
// with a key is one that it cannot send without being allowed to. A key in the
// URL proves nothing: on a developer's machine the host does not check it.
func (d *door) foreign(r *http.Request) bool {
	if d.signed || r.Header.Get("X-Functions-Key") != "" {
		return false
	}
	seen := r.Clone(r.Context())
	if host := r.Header.Get("X-Forwarded-Host"); d.Links.Host && host != "" {
		seen.Host = host
	}
	return crossSite.Check(seen) != nil
}

// ServeHTTP answers unknown paths and verbs with 404 and nothing else, as the
// official extension does.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	boundBody(w, r)
	w.Header().Set("Cache-Control", "no-store")
	// Payloads are what others have sent: no browser shall find HTML in them.
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if d.foreign(r) {
		WriteError(w, http.StatusForbidden, "a page of another site may not change anything here: send the key in the header x-functions-key")
		return
	}
	if d.isPage(r) {
		d.page(w, r)
		return
	}
	c := d.route(r)
	if c == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if d.signed {
		if err := d.allows(r, c); err != nil {
			d.refuse(w, r, err)
			return
		}
	}
	if r.Method != http.MethodGet && r.Header.Get(pageHeader) != "" && !d.Site.Actions {
		WriteError(w, http.StatusForbidden, errNoActions.Error())
		return
	}
	if code, err := d.elsewhere(c.query); err != nil {
		WriteError(w, code, err.Error())
		return
	}
	if (c.op != "" || r.Method == http.MethodGet) && (!utf8.ValidString(c.id) || utf8.RuneCountInString(c.id) > maxKey) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	c.serve(c, w, r)
}

// allows checks the signature of a link.
func (d *door) allows(r *http.Request, c *call) error {
	return d.Links.Keys.Check(r.Context(), c.subject(), c.op, r.URL.Query())
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

// elsewhere refuses a request that is meant for another task hub. The official
// API names the hub in every URL; here the hub is the app's.
func (d *door) elsewhere(q query) (int, error) {
	hub := d.Links.Keys.hub
	if value := q.get("taskHub"); value != "" && !strings.EqualFold(value, hub) {
		return http.StatusNotFound, &parameterError{"taskHub", value, "the task hub of this app, which is " + hub}
	}
	if value := q.get("connection"); value != "" && !strings.EqualFold(value, "Storage") && !strings.EqualFold(value, "AzureWebJobsStorage") {
		return http.StatusBadRequest, &parameterError{"connection", value, "AzureWebJobsStorage, where the task hub of this app is"}
	}
	return 0, nil
}

// fail answers an error that is not the caller's, unless the caller is gone.
func (d *door) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return
	}
	WriteFault(w, d.Log, "management request failed", err)
}

// WriteFault answers an error that is not the caller's: 503 when storage does not
// answer, else 500. It logs it under the text; that storage does not answer is told
// once by who notices it, and here at level DEBUG for each request.
func WriteFault(w http.ResponseWriter, log *slog.Logger, text string, err error) {
	if unreachable := net.Error(nil); errors.As(err, &unreachable) || errors.Is(err, taskhub.ErrUnavailable) {
		log.Debug(text, "error", err)
		w.Header().Set("Retry-After", "5")
		WriteError(w, http.StatusServiceUnavailable, "the task hub is not reachable now")
		return
	}
	log.Error(text, "error", err)
	WriteError(w, http.StatusInternalServerError, "Something went wrong while processing your request")
}

// writeFailure answers the error of an operation on an instance. What the
// official API answers without a body has none.
func (d *door) writeFailure(w http.ResponseWriter, r *http.Request, err error) {
	parameter := new(parameterError)
	switch {
	case errors.Is(err, taskhub.ErrNotFound), errors.Is(err, errNoPayload):
		w.WriteHeader(http.StatusNotFound)
	case errors.Is(err, client.ErrFinished):
		w.WriteHeader(http.StatusGone)
	case errors.Is(err, client.ErrNotFinished), errors.Is(err, client.ErrNotFailed):
		WriteError(w, http.StatusPreconditionFailed, err.Error())
	case errors.Is(err, client.ErrSuspended), errors.Is(err, client.ErrNotSuspended), errors.Is(err, taskhub.ErrChanged):
		WriteError(w, http.StatusConflict, err.Error())
	case errors.Is(err, taskhub.ErrBacklog):
		w.Header().Set("Retry-After", "5")
		WriteError(w, http.StatusTooManyRequests, err.Error())
	case errors.Is(err, errReach):
		WriteError(w, http.StatusForbidden, err.Error())
	case errors.As(err, &parameter), errors.Is(err, errCreatedFrom), errors.Is(err, client.ErrInvalidEventName), errors.Is(err, taskhub.ErrToken):
		WriteError(w, http.StatusBadRequest, err.Error())
	default:
		if !WriteStartError(w, err) {
			d.fail(w, r, err)
		}
	}
}
