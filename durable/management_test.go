package durable

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/management"
)

// The management API may be all that a mux has, or come behind a prefix that the mux
// takes away.
func TestManagementAPIAtTheTop(t *testing.T) {
	o := NewOrchestrator("O", func(*Context, None) (string, error) { return "done", nil })
	inHub(t, []Registration{o}, func(h *hub) {
		h.core.links = &management.Links{Keys: management.NewKeys(h.store, hubName, time.Now), Path: "/links"}
		top, below := http.NewServeMux(), http.NewServeMux()
		top.Handle("/", h.client().ManagementAPI("/"))
		below.Handle("/manage/", http.StripPrefix("/manage", h.client().ManagementAPI("/")))
		for path, mux := range map[string]http.Handler{"/": top, "/manage/": below} {
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequestWithContext(h.t.Context(), http.MethodPost, path+"orchestrators/O?timeout=30", nil))
			if got := strings.TrimSpace(w.Body.String()); w.Code != http.StatusOK || got != `"done"` {
				h.t.Errorf("%s: %d %s", path, w.Code, got)
			}
		}
	})
}
