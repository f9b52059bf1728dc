package durable

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/durable-go/functions/internal/management"
)

// ManagementAPI is the HTTP management API of the client's task hub for a mux
// of your own, mounted at the path (such as "/manage", or "/" for all of the mux):
// start, status, list, purge, raiseEvent, terminate, suspend, resume, rewind and
// restart, as the official extension has them. It does all that it is asked for and checks no
// key: put your own authentication in front of it. The links in its answers
// lead to the app's signed links, which need none. Requests are answered 503
// while the client is not connected.
func (c *Client) ManagementAPI(path string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		core, err := c.core()
		if err == nil {
			err = core.linked()
		}
		if err != nil {
			management.WriteError(w, http.StatusServiceUnavailable, err.Error())
			return
		}
		core.api(slog.Default()).Operators(path).ServeHTTP(w, r)
	})
}

// api is the management API of the client's hub.
func (c *core) api(log *slog.Logger) *management.API {
	version := c.registry.versions.current
	api := &management.API{Client: c.client, Links: c.links, Log: log, Version: version, Site: c.site, Check: func(name string) error {
		if c.outside {
			return nil
		}
		_, err := c.registry.program(name, version)
		return err
	}}
	if !c.outside {
		api.Replay = c.registry.waits
	}
	return api
}

func parseBaseURL(s *settings, raw json.RawMessage) error {
	if err := parseInto(raw, &s.BaseURL); err != nil {
		return err
	}
	if err := management.CheckBase(s.BaseURL); err != nil {
		// The value may hold a password: it is not repeated.
		return fmt.Errorf("want a URL such as https://api.example.com: %w", err)
	}
	return nil
}

func parseLifetime(s *settings, raw json.RawMessage) error {
	d, err := parseSpan(raw)
	if err == nil && d <= 0 {
		err = errors.New("links must be good for some time")
	}
	s.LinkLifetime = d
	return err
}
