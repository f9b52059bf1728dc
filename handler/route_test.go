package handler

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestRoutes(t *testing.T) {
	no := map[string]string(nil)
	cases := []struct {
		route, path string
		// want are the path values; nil when the path does not match.
		want map[string]string
	}{
		{"api/HttpStart", "/api/httpSTART", map[string]string{}},
		{"api/HttpStart", "/api/HttpStart/", map[string]string{}},
		{"api/HttpStart", "/api", no},
		{"api/HttpStart", "/api/HttpStart/x", no},
		{"api/HttpStart", "/api/HttpStartx", no},
		{"api/HttpStart", "/", no},
		{"api/o/{name}", "/api/o/Hello", map[string]string{"name": "Hello"}},
		{"api/o/{name}", "/api/o", no},
		{"api/o/{name}", "/api/o/", no},
		{"api/o/{name}", "/api/o/a/b", no},
		{"api/o/{name}", "/api/o/a%20b+c", map[string]string{"name": "a b+c"}},
		{"api/o/{name}", "/api/o/a%2Fb", map[string]string{"name": "a/b"}},
		{"api/o/{name}", "/api/o/%C3%A9%25", map[string]string{"name": "é%"}},
		{"api/o/{name}", "/api/O/..", map[string]string{"name": ".."}},
		{"api/{a}/{b}", "/api//x", no},
		{"api/{a}/{b}", "/api/x//", no},
		{"api/o/{name}/{id?}", "/api/o/n", map[string]string{"name": "n", "id": ""}},
		{"api/o/{name}/{id?}", "/api/o/n/i", map[string]string{"name": "n", "id": "i"}},
		{"api/o/{name=Default}", "/api/o", map[string]string{"name": "Default"}},
		{"api/o/{n:int}", "/api/o/-12", map[string]string{"n": "-12"}},
		{"api/o/{n:int}", "/api/o/x", no},
		{"api/o/{n:long?}", "/api/o", map[string]string{"n": ""}},
		{"api/o/{n:int=7}", "/api/o", map[string]string{"n": "7"}},
		{"api/o/{b:bool}", "/api/o/TRUE", map[string]string{"b": "TRUE"}},
		{"api/o/{b:bool}", "/api/o/yes", no},
		{"api/o/{a:alpha}", "/api/o/1", map[string]string{"a": "1"}},
		{"api/durabletask/{*path}", "/api/durabletask/instances/x%20y/z", map[string]string{"path": "instances/x y/z"}},
		{"api/durabletask/{*path}", "/api/durabletask", map[string]string{"path": ""}},
		{"api/durabletask/{**path}", "/API/DurableTask/a", map[string]string{"path": "a"}},
		{"api/durabletask/{*path}", "/api/durabletasks", no},
		{"{*path}", "/", map[string]string{"path": ""}},
		{"{*path}", "/a/b", map[string]string{"path": "a/b"}},
	}
	for _, c := range cases {
		tmpl, err := parseTemplate(c.route)
		if err != nil {
			t.Fatal(err)
		}
		got := matched(t, tmpl, c.path)
		if (got == nil) != (c.want == nil) || !maps.Equal(got, c.want) {
			t.Errorf("%s on %s: %v, want %v", c.path, c.route, got, c.want)
		}
	}
}

// matched returns the path values that a match sets, nil without a match.
func matched(t *testing.T, tmpl *template, path string) map[string]string {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://x"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	ok := tmpl.match(r)
	values := map[string]string{}
	for _, s := range tmpl.segments {
		if s.name == "" {
			continue
		}
		values[s.name] = r.PathValue(s.name)
		if !ok && values[s.name] != "" {
			t.Errorf("%s does not match and has set {%s}", path, s.name)
		}
	}
	if !ok {
		return nil
	}
	return values
}

func TestRouteErrors(t *testing.T) {
	for _, route := range []string{"a/x{b}", "a/{b}x", "a/{b", "a/b}", "a/{}", "a/{*}", "a/{:int}", "a/{b}{c}", "a/{*rest}/b", "a/{b}/{B}"} {
		_, err := parseTemplate(route)
		if err == nil || !strings.Contains(err.Error(), route) {
			t.Errorf("%s: error %v", route, err)
		}
	}
}

// No template and no path make the router panic, and a path that a template
// was filled with matches it with the same values.
func FuzzRoute(f *testing.F) {
	f.Add("api/o/{name}/{id?}", "Hello", "/api/o/x")
	f.Add("{*rest}", "a/b", "//")
	f.Add("a/{b=c}", "%2F", "/a/%zz")
	f.Fuzz(func(t *testing.T, route, value, path string) {
		tmpl, err := parseTemplate(route)
		if err != nil {
			return
		}
		if u, err := url.Parse("http://x/" + strings.TrimLeft(path, "/")); err == nil {
			tmpl.match(&http.Request{URL: u})
		}
		if value == "" {
			return
		}
		filled, want := fill(tmpl, value)
		if filled == nil {
			return
		}
		r := &http.Request{URL: filled}
		if !tmpl.match(r) {
			t.Fatalf("%s does not match %s", filled.EscapedPath(), route)
		}
		for name, text := range want {
			if got := r.PathValue(name); got != text {
				t.Fatalf("{%s} of %s on %s is %q, want %q", name, filled.EscapedPath(), route, got, text)
			}
		}
	})
}

// fill makes a path of a template by giving every parameter the value; nil
// where literals or constraints do not allow it.
func fill(tmpl *template, value string) (*url.URL, map[string]string) {
	u := &url.URL{Scheme: "http", Host: "x"}
	values := map[string]string{}
	var plain, raw strings.Builder
	for _, s := range tmpl.segments {
		text := value
		if s.name == "" {
			text = s.literal
		}
		if text == "" || !s.accepts(text) {
			return nil, nil
		}
		if s.name != "" {
			values[s.name] = text
		}
		plain.WriteString("/" + text)
		raw.WriteString("/" + url.PathEscape(text))
	}
	u.Path, u.RawPath = plain.String(), raw.String()
	return u, values
}
