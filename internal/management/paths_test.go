package management

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

func TestPaths(t *testing.T) {
	s := newSite(t)
	for _, id := range []string{"i", "a b", "@counter@a", "x:0", "a+b", "100%", "..x", "é", "<script>"} {
		s.put(t, id, history.Completed)
	}
	long := strings.Repeat("x", maxKey)
	cases := []struct {
		method, path string
		want         int
		// id of the answer, where there is one.
		id string
	}{
		{"GET", "/instances/i", 200, "i"},
		{"GET", "/INSTANCES/i", 200, "i"},
		{"GET", "/instances/i/", 200, "i"},
		{"GET", "/instances/I", 404, ""},
		{"GET", "/instances/a%20b", 200, "a b"},
		{"GET", "/instances/a+b", 200, "a+b"},
		{"GET", "/instances/a%2Bb", 200, "a+b"},
		{"GET", "/instances/@counter@a", 200, "@counter@a"},
		{"GET", "/instances/%40counter%40a", 200, "@counter@a"},
		{"GET", "/instances/x:0", 200, "x:0"},
		{"GET", "/instances/100%25", 200, "100%"},
		{"GET", "/instances/100%2525", 404, ""},
		{"GET", "/instances/..x", 200, "..x"},
		{"GET", "/instances/%C3%A9", 200, "é"},
		{"GET", "/instances/%3Cscript%3E", 200, "<script>"},
		{"HEAD", "/instances/i", 404, ""},
		{"GET", "/instances/nobody", 404, ""},
		{"GET", "/instances", 200, "i"},
		{"GET", "/instances/", 200, "i"},
		{"GET", "/instances//i", 404, ""},
		{"GET", "/instances/i//", 404, ""},
		{"GET", "//instances/i", 404, ""},
		{"GET", "/instances/./i", 404, ""},
		{"GET", "/instances/../instances/i", 404, ""},
		{"GET", "/instances/%2e%2e/i", 404, ""},
		{"GET", "/instances/x%2F..%2Fi", 404, ""},
		{"GET", "/instances/i%2F", 404, ""},
		{"GET", "/instances/%5Ci", 404, ""},
		{"GET", "/instances/i%00", 404, ""},
		{"GET", "/instances/%FF", 404, ""},
		{"GET", "/instances/" + long, 404, ""},
		{"GET", "/instances/" + long + "x", 404, ""},
		{"GET", "/instances/i/raiseEvent", 404, ""},
		{"GET", "", 404, ""},
		{"GET", "/", 404, ""},
		{"GET", "x/instances/i", 404, ""},
		{"POST", "/instances/i", 404, ""},
		{"PUT", "/instances/i", 404, ""},
		{"OPTIONS", "/instances/i", 404, ""},
		{"GET", "/orchestrators/Orchestrator", 404, ""},
		{"POST", "/orchestrators", 404, ""},
		{"POST", "/orchestrators/Orchestrator/a/b", 404, ""},
		{"POST", "/orchestrators/Orchestrator/a%2Fb", 404, ""},
		{"POST", "/Orchestrators/orchestrator", 202, ""},
		{"POST", "/orchestrators/Orchestrator/new/", 202, ""},
		{"POST", "/orchestrators/Nobody/%2e", 404, ""},
	}
	for _, c := range cases {
		w := s.do(c.method, operators+c.path, "")
		if w.Code != c.want || c.id != "" && !strings.Contains(w.Body.String(), `"instanceId":"`+c.id+`"`) {
			t.Errorf("%s %.60s: %d %s, want %d", c.method, c.path, w.Code, w.Body, c.want)
		}
		if c.want == http.StatusNotFound && w.Body.Len() != 0 {
			t.Errorf("%s %.60s: body %s", c.method, c.path, w.Body)
		}
	}
	if s.logs.Len() != 0 {
		t.Errorf("logged: %s", s.logs)
	}
}

func TestBadStarts(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	big := func(n int) string { return `"` + strings.Repeat("x", n-2) + `"` }
	cases := []struct {
		name, id, body string
		want           int
		text           string
	}{
		{"open brace", "", `{`, 400, "Invalid JSON content"},
		{"bare word", "", `hello`, 400, "Invalid JSON content"},
		{"two values", "", `1 2`, 400, "after top-level value"},
		{"trailing comma", "", `[1,]`, 400, "Invalid JSON content"},
		{"comment", "", `1 // one`, 400, "Invalid JSON content"},
		{"single quotes", "", `'x'`, 400, "Invalid JSON content"},
		{"NaN", "", `NaN`, 400, "Invalid JSON content"},
		{"raw newline in a string", "", "\"a\nb\"", 400, "Invalid JSON content"},
		{"byte order mark", "", "\xef\xbb\xbf1", 400, "Invalid JSON content"},
		{"not UTF-8", "", "\"\xff\"", 400, "UTF-8"},
		{"too deep", "", deep(maxDepth + 1), 400, "deeper"},
		{"far too deep", "", deep(20000), 400, "Invalid JSON content"},
		{"too large", "", big(taskhub.MaxPayload + 1), 413, "10485760"},
		{"too large, of spaces", "", strings.Repeat(" ", taskhub.MaxPayload+1), 413, "10485760"},
		{"entity", "@a@b", `1`, 400, "@"},
		{"backslash", `a%5Cb`, `1`, 400, "backslashes"},
		{"hash", `a%23b`, `1`, 400, "a#b"},
		{"question mark", `a%3Fb`, `1`, 400, "a?b"},
		{"control character", `a%0Ab`, `1`, 400, "control"},
		{"not UTF-8 id", `%FF`, `1`, 400, "UTF-8"},
		{"too long", strings.Repeat("x", 257), `1`, 400, "256"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			target := operators + "/orchestrators/Orchestrator"
			if c.id != "" {
				target += "/" + c.id
			}
			w := s.do(http.MethodPost, target, c.body)
			if w.Code != c.want || !strings.Contains(w.Body.String(), c.text) || !strings.HasPrefix(w.Body.String(), `{"Message":"`) {
				t.Errorf("%d %s, want %d with %q", w.Code, w.Body, c.want, c.text)
			}
			if s.hub.Pending(control) != 0 || s.logs.Len() != 0 {
				t.Errorf("%d messages; logged: %s", s.hub.Pending(control), s.logs)
			}
		})
	}
}

func TestInputs(t *testing.T) {
	cases := []struct{ body, want string }{
		{``, ""}, {" \n", ""}, {`null`, ""}, {" null ", ""},
		{`"null"`, `"null"`}, {`""`, `""`}, {`1.0`, `1.0`}, {`12345678901234567890`, `12345678901234567890`},
		{`1e400`, `1e400`}, {"{ \"a\" : [ 1 ,\n2 ] }", `{"a":[1,2]}`}, {`" a { [ "`, `" a { [ "`}, {`"\"{"`, `"\"{"`},
		{`{"a":1,"a":2}`, `{"a":1,"a":2}`}, {`"é\u2028<&>"`, `"é\u2028<&>"`}, {strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth), strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)},
	}
	for _, c := range cases {
		s := newSite(t)
		// A form's content type is what curl sends unless it is told otherwise.
		w := s.do(http.MethodPost, operators+"/orchestrators/Orchestrator/i", c.body, "Content-Type", "application/x-www-form-urlencoded")
		if w.Code != http.StatusAccepted {
			t.Errorf("%q: %d %s", c.body, w.Code, w.Body)
			continue
		}
		row, err := s.hub.Instance(t.Context(), "i")
		if err != nil {
			t.Fatal(err)
		}
		if string(row.Input) != c.want || (row.Input == nil) != (c.want == "") {
			t.Errorf("%q is stored as %q, want %q", c.body, row.Input, c.want)
		}
	}
}

func TestVersionOfAStart(t *testing.T) {
	s := newSite(t)
	s.Version = "2.0"
	for id, want := range map[string]string{"i?version=2.1": "2.1", "j": "2.0", "k?version=": "2.0"} {
		s.do(http.MethodPost, operators+"/orchestrators/orchestrator/"+id, "")
		row, err := s.hub.Instance(t.Context(), id[:1])
		if err != nil || row.Version != want || row.Name != "orchestrator" {
			t.Errorf("%s: %+v, %v", id, row, err)
		}
	}
}

// Whatever is asked, nobody who has no key and no signature learns or changes
// anything.
func FuzzLinksDoor(f *testing.F) {
	f.Add("GET", "/instances/i", "op=status&sig=new00000.x")
	f.Add("POST", "/orchestrators/Orchestrator/j", "sig=x")
	f.Add("DELETE", "/instances/%69", "")
	s := newSite(f)
	s.put(f, "i", history.Completed)
	f.Fuzz(func(t *testing.T, method, path, query string) {
		r, err := http.NewRequest(method, "http://x/", nil)
		if err != nil {
			return
		}
		u, err := url.Parse("http://x" + links + path)
		if err != nil {
			return
		}
		u.RawQuery = query
		r.URL = u
		rec := httptest.NewRecorder()
		s.Signed(links).ServeHTTP(rec, r)
		if rec.Code != http.StatusNotFound && rec.Code != http.StatusUnauthorized && rec.Code != http.StatusForbidden {
			t.Fatalf("%s %s?%s: %d %s", method, path, query, rec.Code, rec.Body)
		}
		if s.hub.Pending(control) != 0 {
			t.Fatal("something was started")
		}
	})
}

// A path is cut as it was put together.
func FuzzSegments(f *testing.F) {
	f.Add("i", "Go")
	f.Add("a b", "é")
	f.Add("a/b", "..")
	f.Fuzz(func(t *testing.T, id, event string) {
		u, err := url.Parse("http://x" + links + "/instances/" + url.PathEscape(id) + "/raiseEvent/" + url.PathEscape(event))
		if err != nil {
			t.Fatal(err)
		}
		if event == "" {
			// A slash at the end means nothing.
			return
		}
		parts, ok := segments(u, links)
		plain := func(s string) bool { return s != "" && s != "." && s != ".." && !strings.Contains(s, "/") }
		if ok != (plain(id) && plain(event)) {
			t.Fatalf("%s: %v", u.EscapedPath(), ok)
		}
		if ok && (len(parts) != 4 || parts[1] != id || parts[3] != event) {
			t.Fatalf("%s is %q", u.EscapedPath(), parts)
		}
	})
}
