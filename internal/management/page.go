package management

import (
	"errors"
	"net/http"
	"strings"

	"github.com/durable-go/functions/internal/dashboard"
)

// pageHeader is sent by the dashboard with each request.
const pageHeader = "X-Durable-Dashboard"

// errNoActions refuses what the dashboard asks for where it may only look.
var errNoActions = errors.New("the dashboard of this app only shows: set dashboardActions to true in host.json (extensions.durableTask) to let it act")

// isPage reports whether the dashboard's page is asked for. It has nothing of
// the app in it, so that it needs no signature.
func (d *door) isPage(r *http.Request) bool {
	if r.Method != http.MethodGet || d.signed && d.Site.Doors.Operators == "" {
		return false
	}
	parts, ok := segments(r.URL, d.path)
	return ok && len(parts) == 1 && strings.EqualFold(parts[0], "dashboard")
}

// page serves the dashboard. Its addresses are relative, so that they are right
// behind a gateway that puts something in front of the path. Where the app has
// the door of signed links, which needs no key, the page goes on at that
// address: it can be loaded again there when the key has left the address.
func (d *door) page(w http.ResponseWriter, r *http.Request) {
	up := "./"
	if strings.HasSuffix(r.URL.Path, "/") {
		up = "../"
	}
	place := dashboard.Place{API: up}
	if doors := d.Site.Doors; doors.Operators != "" {
		toTop := up + strings.Repeat("../", strings.Count(d.path, "/"))
		place.API = toTop + strings.TrimPrefix(mountPoint(doors.Operators)+"/", "/")
		place.Keyless = toTop + strings.TrimPrefix(mountPoint(doors.Links)+"/dashboard", "/")
	}
	dashboard.Serve(w, place)
}
