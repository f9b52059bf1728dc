package management

import (
	"net/http"
	"net/url"
	"strings"
)

// call is one request that has a route, with what its path named.
type call struct {
	*door
	// op is what a link must allow; empty: not through links.
	op string
	// id of the instance, or key of the entity; empty where the route has none.
	id string
	// name of the orchestrator, of the event, or of the entity.
	name  string
	query query
	serve func(*call, http.ResponseWriter, *http.Request)
}

// route is one operation of the API. In its path, {id} and {name} take a
// segment, and all else is compared without case.
type route struct {
	method, path, op string
	serve            func(*call, http.ResponseWriter, *http.Request)
}

// routes are the operations. Those without op exist on the operators' door
// alone.
var routes = []route{
	{http.MethodGet, "instances", "", (*call).list},
	{http.MethodDelete, "instances", "", (*call).purgeMany},
	{http.MethodGet, "instances/{id}", opStatus, (*call).status},
	{http.MethodDelete, "instances/{id}", opPurge, (*call).purge},
	{http.MethodPost, "instances/{id}/raiseEvent/{name}", opRaise, (*call).raise},
	{http.MethodPost, "instances/{id}/terminate", opTerminate, (*call).terminate},
	{http.MethodPost, "instances/{id}/suspend", opSuspend, (*call).suspend},
	{http.MethodPost, "instances/{id}/resume", opResume, (*call).resume},
	{http.MethodPost, "instances/{id}/rewind", opRewind, (*call).rewind},
	{http.MethodPost, "instances/{id}/restart", opRestart, (*call).restart},
	{http.MethodPost, "orchestrators/{name}", "", (*call).start},
	{http.MethodPost, "orchestrators/{name}/{id}", "", (*call).start},
	{http.MethodGet, "entities", "", (*call).listEntities},
	{http.MethodGet, "entities/{name}", "", (*call).listEntities},
	{http.MethodGet, "entities/{name}/{id}", opEntity, (*call).readEntity},
	{http.MethodPost, "entities/{name}/{id}", "", (*call).signalEntity},
	{http.MethodDelete, "entities/{name}/{id}", "", (*call).deleteEntity},
	{http.MethodPost, "entities/clean", "", (*call).cleanEntities},
	{http.MethodGet, "entities/{name}/{id}/details", "", (*call).entityDetails},
	{http.MethodPost, "entities/{name}/{id}/call", "", (*call).callEntity},
	{http.MethodGet, "instances/{id}/details", "", (*call).details},
	{http.MethodGet, "instances/{id}/events", "", (*call).events},
	{http.MethodGet, "instances/{id}/rows", "", (*call).rows},
	{http.MethodPost, "instances/{id}/import", "", (*call).importOne},
	{http.MethodGet, "instances/{id}/payload", "", (*call).payload},
	{http.MethodGet, "instances/{id}/children", "", (*call).children},
	{http.MethodGet, "search", "", (*call).search},
	{http.MethodGet, "count", "", (*call).countAll},
	{http.MethodGet, "orchestrators", "", (*call).orchestrators},
	{http.MethodGet, "hub", "", (*call).hub},
	{http.MethodGet, "hub/check", "", (*call).checkHub},
	{http.MethodPost, "batch/{name}", "", (*call).batch},
	{http.MethodPost, "makeprimary", "", (*call).makePrimary},
}

// route finds the operation of a request, nil when there is none.
func (d *door) route(r *http.Request) *call {
	parts, ok := segments(r.URL, d.path)
	if !ok {
		return nil
	}
	for _, route := range routes {
		if route.method != r.Method || d.signed && route.op == "" {
			continue
		}
		c := &call{door: d, op: route.op, serve: route.serve}
		if c.matches(route.path, parts) {
			c.query = parameters(r)
			return c
		}
	}
	return nil
}

func (c *call) matches(path string, parts []string) bool {
	for i := 0; ; i++ {
		want, rest, more := strings.Cut(path, "/")
		switch {
		case i >= len(parts):
			return false
		case want == "{id}":
			c.id = parts[i]
		case want == "{name}":
			c.name = parts[i]
		case !strings.EqualFold(want, parts[i]):
			return false
		}
		if !more {
			return len(parts) == i+1
		}
		path = rest
	}
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
