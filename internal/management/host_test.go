package management

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/history"
)

// What a caller says of its host does not get into a link, but where it is this
// machine or a setting trusts it.
func TestHostsOfLinks(t *testing.T) {
	local := &net.TCPAddr{IP: net.IPv4(192, 168, 1, 5), Port: 7071}
	cases := []struct {
		front                        Front
		host, forwarded, proto, want string
	}{
		{Front{}, "localhost:7071", "", "", "http://localhost:7071"},
		{Front{}, "127.0.0.1:7071", "evil.example", "https", "http://127.0.0.1:7071"},
		{Front{}, "[::1]:7071", "", "", "http://[::1]:7071"},
		{Front{}, "evil.example", "", "", "http://192.168.1.5:7071"},
		{Front{}, "192.168.1.5:7071", "", "", "http://192.168.1.5:7071"},
		{Front{}, "evil.example", "localhost:7071", "", "http://192.168.1.5:7071"},
		{Front{}, "localhost.evil.example", "", "", "http://192.168.1.5:7071"},
		{Front{Host: true}, "127.0.0.1:40000", "localhost:7071", "http", "http://localhost:7071"},
		{Front{Host: true}, "127.0.0.1:40000", "evil.example", "https", "http://localhost"},
		{Front{Host: true}, "127.0.0.1:40000", "", "", "http://localhost"},
		{Front{Host: true, Site: "app.azurewebsites.net"}, "127.0.0.1:40000", "evil.example", "http", "https://app.azurewebsites.net"},
		{Front{Host: true, Site: "app.azurewebsites.net"}, "127.0.0.1:40000", "localhost", "http", "https://app.azurewebsites.net"},
		{Front{Host: true, Site: "localhost:7071"}, "127.0.0.1:40000", "127.0.0.1:7071", "https", "http://localhost:7071"},
		{Front{Base: "https://gateway/app/", Site: "app.azurewebsites.net", Trusted: true}, "x", "evil.example", "http", "https://gateway/app"},
		{Front{Trusted: true, Site: "app.azurewebsites.net"}, "x", "outer.example, inner", "HTTPS, http", "https://outer.example"},
		{Front{Trusted: true}, "localhost:1", "[2001:db8::1]:443", "gopher", "http://[2001:db8::1]:443"},
		{Front{Trusted: true}, "localhost:1", "user@evil.example", "https", "http://localhost:1"},
		{Front{Trusted: true}, "localhost:1", "evil.example/path", "", "http://localhost:1"},
		{Front{Trusted: true}, "localhost:1", "evil.example\r\nX-Injected: 1", "", "http://localhost:1"},
		{Front{Trusted: true}, "localhost:1", `"><script>`, "", "http://localhost:1"},
		{Front{Trusted: true}, "localhost:1", "-evil", "", "http://localhost:1"},
		{Front{Trusted: true}, "localhost:1", strings.Repeat("a", 300), "", "http://localhost:1"},
	}
	for _, c := range cases {
		s := newSite(t)
		s.Links.Front = c.front
		s.put(t, "i", history.Running)
		r := httptest.NewRequest(http.MethodGet, operators+"/instances/i", nil)
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, local))
		r.Host = c.host
		r.Header["X-Forwarded-Host"] = []string{c.forwarded}
		r.Header["X-Forwarded-Proto"] = []string{c.proto}
		w := httptest.NewRecorder()
		s.Operators(operators).ServeHTTP(w, r)
		if got, want := w.Header().Get("Location"), c.want+links+"/instances/i?"; !strings.HasPrefix(got, want) {
			t.Errorf("%+v, host %q, forwarded %q %q: Location %q, want %q", c.front, c.host, c.forwarded, c.proto, got, want)
		}
		raw, err := s.Links.Payload(t.Context(), r, "i")
		if err != nil || strings.Count(string(raw), `"`+c.want+links+"/instances/i") != len(members) {
			t.Errorf("%+v, host %q, forwarded %q %q: payload %s %v", c.front, c.host, c.forwarded, c.proto, raw, err)
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
