package management

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/hostname"
)

// No request makes the API panic, answer that it failed, or answer something
// that is no answer. A link opens to its signature, so that there is something
// behind the door.
func FuzzRequest(f *testing.F) {
	for _, r := range routes {
		path := "/" + strings.NewReplacer("{id}", "i", "{name}", "Orchestrator").Replace(r.path)
		f.Add(r.method, path, "createdTimeFrom=2020-01-01&reason=x&top=2&runtimeStatus=Running,Failed", `{"a":[1e999,"x"]}`, "application/json", "wait=1", "app:80")
	}
	f.Add("GET", "/instances/c", "showHistory=true&showInput=false&showHistoryOutput=true", "", "", "wait=9999999999", "x@y")
	f.Add("POST", "/orchestrators/Orchestrator/%00", "timeout=1e9&pollingInterval=0.5&version=%ff", "\xff", "text/plain", "", "")
	f.Add("POST", "/instances/s/restart", "restartWithNewInstanceId=maybe&TIMEOUT=NaN", "[[[[", "application/json; charset=\"", "a,b;c", "[::1]")
	f.Add("DELETE", "/instances", "createdTimeFrom=0001-01-01&createdTimeTo=9999-12-31T23:59:59.9999999Z&recursive=true", "", "", "", "a b")
	f.Add("POST", "/entities/Counter/$", "op=add&op=%00&OP=x", `{"a":1e999}`, "application/json", "", "")
	f.Add("GET", "/entities/c@d/%40e%5c", "fetchState=maybe&top=-1&lastOperationTimeTo=9999-12-31T24:00", "", "", "@", "")
	f.Add("DELETE", "/entities/%ff/%00", "op=", "\xff", "text/plain", "", "")
	f.Fuzz(func(t *testing.T, method, path, query, body, contentType, extra, host string) {
		u, err := url.Parse("http://x" + operators + path)
		if err != nil || u.Fragment != "" {
			return
		}
		u.RawQuery = query
		if _, err := url.ParseRequestURI(u.RequestURI()); err != nil {
			// The server does not let it through.
			return
		}
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t)
			s.Client = client.New(s.store, client.Options{Queue: control, MaxPayload: 1000})
			s.lived(t, "i", history.Running)
			s.lived(t, "c", history.Completed)
			s.lived(t, "s", history.Suspended)
			header := http.Header{"Content-Type": {contentType}, "Prefer": {extra}, "X-Ms-Continuation-Token": {extra}, "If-None-Match": {extra}, "X-Forwarded-Host": {host}}
			checkAnswer(t, s, s.Operators(operators), &http.Request{Method: method, URL: u, Host: host, Header: header}, body)
			for _, signed := range []string{"", s.signFor(t, method, u)} {
				link := *u
				link.Path = strings.Replace(u.Path, operators, links, 1)
				link.RawPath = strings.Replace(u.RawPath, operators, links, 1)
				link.RawQuery += "&" + signed
				before := s.everything(t)
				code := checkAnswer(t, s, s.Signed(links), &http.Request{Method: method, URL: &link, Host: host, Header: header}, body)
				if signed == "" && (code < 400 || s.everything(t) != before) {
					t.Fatalf("%s %s?%s got in without a signature: %d", method, path, query, code)
				}
			}
		})
	})
}

// signFor is the signature that a request needs, if it has a route.
func (s *site) signFor(t *testing.T, method string, u *url.URL) string {
	d := s.Operators(operators).(*door)
	c := d.route(&http.Request{Method: method, URL: u})
	if c == nil {
		return ""
	}
	return s.sign(t, c.subject(), c.op)
}

// checkAnswer makes a request and says what is wrong with its answer.
func checkAnswer(t *testing.T, s *site, door http.Handler, r *http.Request, body string) int {
	r.Body = http.NoBody
	if body != "" {
		r = r.WithContext(t.Context())
		r.Body = httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)).Body
	}
	w := httptest.NewRecorder()
	from := time.Now()
	door.ServeHTTP(w, r)
	switch {
	case w.Code < 200 || w.Code >= 500:
		t.Fatalf("%s %s: %d %s; logged: %s", r.Method, r.URL, w.Code, w.Body, s.logs)
	case w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()):
		t.Fatalf("%s %s: %d %s", r.Method, r.URL, w.Code, w.Body)
	case w.Code >= 400 && w.Body.Len() > 0 && !strings.HasPrefix(w.Body.String(), `{"Message":"`):
		t.Fatalf("%s %s: %d %s", r.Method, r.URL, w.Code, w.Body)
	case time.Since(from) > maxWait+time.Minute:
		t.Fatalf("%s %s: answered after %v", r.Method, r.URL, time.Since(from))
	}
	for name, values := range w.Header() {
		for _, value := range values {
			if strings.ContainsAny(value, "\r\n\x00") {
				t.Fatalf("%s %s: header %s: %q", r.Method, r.URL, name, value)
			}
		}
	}
	if location := w.Header().Get("Location"); location != "" {
		at, err := url.Parse(location)
		if err != nil || at.User != nil || !hostname.Valid(at.Host) {
			t.Fatalf("%s %s: Location %q, %v", r.Method, r.URL, location, err)
		}
	}
	return w.Code
}
