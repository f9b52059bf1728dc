package management

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/history"
)

// What callers say of their host is believed where it can be one.
func TestForwardedHosts(t *testing.T) {
	const own = "http://app:8080"
	cases := []struct{ host, forwarded, proto, want string }{
		{"app:8080", "", "", own},
		{"app:8080", "public.example.com", "https", "https://public.example.com"},
		{"app:8080", "public.example.com:8443", "HTTPS", "https://public.example.com:8443"},
		{"app:8080", "outer.example.com, inner", "https, http", "https://outer.example.com"},
		{"app:8080", "[2001:db8::1]:443", "", "http://[2001:db8::1]:443"},
		{"app:8080", "192.0.2.1", "", "http://192.0.2.1"},
		{"app:8080", "my_service.local.", "", "http://my_service.local."},
		{"app:8080", "user@evil.example", "", own},
		{"app:8080", "user:pw@evil.example", "", own},
		{"app:8080", "evil.example/path", "", own},
		{"app:8080", "evil.example?x=", "", own},
		{"app:8080", "evil.example#", "", own},
		{"app:8080", `evil.example\`, "", own},
		{"app:8080", "two words", "", own},
		{"app:8080", "evil.example\r\nX-Injected: 1", "", own},
		{"app:8080", `"><script>`, "", own},
		{"app:8080", "bücher.example", "", own},
		{"app:8080", "evil:port", "", own},
		{"app:8080", "evil:123456", "", own},
		{"app:8080", "-evil", "", own},
		{"app:8080", "[::1", "", own},
		{"app:8080", strings.Repeat("a", 300), "", own},
		{"app:8080", "", "javascript", own},
		{"app:8080", "", "gopher", own},
		{"bad host", "", "", "http://localhost"},
		{"", "", "", "http://localhost"},
		{"user@evil.example", "x@y", "", "http://localhost"},
	}
	for _, c := range cases {
		s := newSite(t)
		s.put(t, "i", history.Running)
		r := httptest.NewRequest(http.MethodGet, operators+"/instances/i", nil)
		r.Host = c.host
		r.Header["X-Forwarded-Host"] = []string{c.forwarded}
		r.Header["X-Forwarded-Proto"] = []string{c.proto}
		w := httptest.NewRecorder()
		s.Operators(operators).ServeHTTP(w, r)
		if got, want := w.Header().Get("Location"), c.want+operators+"/instances/i"; got != want {
			t.Errorf("host %q, forwarded %q %q: Location %q, want %q", c.host, c.forwarded, c.proto, got, want)
		}
		raw, err := s.Links.Payload(t.Context(), r, "i")
		if err != nil || strings.Count(string(raw), `"`+c.want+links+"/instances/i") != len(members) {
			t.Errorf("host %q, forwarded %q %q: payload %s %v", c.host, c.forwarded, c.proto, raw, err)
		}
	}
}

func TestCheckBase(t *testing.T) {
	for _, good := range []string{"https://api.example.com", "http://localhost:7071", "https://gateway/app-1", "https://gateway/app-1/", "https://[::1]:80"} {
		if err := CheckBase(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "api.example.com", "//api.example.com", "/api", "ftp://x", "javascript:alert(1)", "https://", "https:///x", "https://u:p@x",
		"https://x?", "https://x?a=b", "https://x#", "https://x#y", "https://a b", "https://x/a b", "https://x/%2e", "https://x/\n", `https://x/"`, "https://x:y",
	} {
		if CheckBase(bad) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
