package durable

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/activity"
)

// web answers requests in memory and remembers them.
type web struct {
	answers []answer
	seen    []string
}

type answer struct {
	status int
	header string // "Name: value|Name: value"
	body   string
	err    error
}

func (w *web) RoundTrip(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		raw, _ := io.ReadAll(r.Body)
		body = string(raw)
	}
	seen := r.Method + " " + r.URL.String()
	for _, name := range []string{"Authorization", "Cookie", "X-Functions-Key", "X-Mine", "Referer", "Content-Type"} {
		if v := r.Header.Get(name); v != "" {
			seen += " " + name + "=" + v
		}
	}
	w.seen = append(w.seen, strings.TrimSpace(seen+" "+body))
	a := w.answers[min(len(w.seen), len(w.answers))-1]
	if a.err != nil {
		return nil, a.err
	}
	response := &http.Response{StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}
	for line := range strings.SplitSeq(a.header, "|") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			response.Header.Set(name, value)
		}
	}
	return response, nil
}

// TestCallHTTP: what is requested, with which secrets, when, and what comes of
// it.
func TestCallHTTP(t *testing.T) {
	const first = "https://a.example/start"
	secrets := http.Header{"Authorization": {"Basic x"}, "Cookie": {"c=1"}, "X-Functions-Key": {"k"}, "X-Mine": {"m"}}
	all := " Authorization=Basic x Cookie=c=1 X-Functions-Key=k X-Mine=m"
	poll := " Authorization=Basic x Cookie=c=1 X-Mine=m"
	tests := map[string]struct {
		request HTTPRequest
		answers []answer
		seen    []string
		want    string // status and content, or the error
		atLeast time.Duration
	}{
		"plain":   {HTTPRequest{URL: first}, []answer{{status: 200, body: "hi"}}, []string{"GET " + first}, "200 hi", 0},
		"problem": {HTTPRequest{URL: first}, []answer{{status: 500, body: "oh"}}, []string{"GET " + first}, "500 oh", 0},
		"text":    {HTTPRequest{URL: first, Method: "POST", Body: "x"}, []answer{{status: 200}}, []string{"POST " + first + " Content-Type=text/plain x"}, "200 ", 0},
		"json": {HTTPRequest{URL: first, Method: "POST", Body: map[string]int{"n": 1}}, []answer{{status: 200}},
			[]string{"POST " + first + ` Content-Type=application/json {"n":1}`}, "200 ", 0},
		"polls": {HTTPRequest{URL: first, Method: "POST", Body: "x", Header: secrets},
			[]answer{{status: 202, header: "Location: /s|Retry-After: 60"}, {status: 202, header: "Location: /t"}, {status: 200, body: "done"}},
			[]string{"POST " + first + all + " Content-Type=text/plain x", "GET https://a.example/s" + poll, "GET https://a.example/t" + poll}, "200 done", 90 * time.Second},
		"cross origin and back": {HTTPRequest{URL: first, Header: secrets},
			[]answer{{status: 202, header: "Location: https://b.a.example/s"}, {status: 202, header: "Location: https://a.example:443/t"}, {status: 200}},
			[]string{"GET " + first + all, "GET https://b.a.example/s", "GET https://a.example:443/t" + poll}, "200 ", 60 * time.Second},
		"downgrade": {HTTPRequest{URL: first, Token: &ManagedIdentityToken{Resource: "https://r"}},
			[]answer{{status: 202, header: "Location: http://a.example/s"}, {status: 200}},
			[]string{"GET " + first + " Authorization=Bearer https://r/.default", "GET http://a.example/s"}, "200 ", 0},
		"no polling":    {HTTPRequest{URL: first, NoPolling: true}, []answer{{status: 202, header: "Location: /s"}}, []string{"GET " + first}, "202 ", 0},
		"no location":   {HTTPRequest{URL: first}, []answer{{status: 202, body: "?"}}, []string{"GET " + first}, "202 ?", 0},
		"file location": {HTTPRequest{URL: first}, []answer{{status: 202, header: "Location: file:///etc/passwd"}}, []string{"GET " + first}, "202 ", 0},
		"user location": {HTTPRequest{URL: first}, []answer{{status: 202, header: "Location: https://u:p@a.example/"}}, []string{"GET " + first}, "202 ", 0},
		"redirect": {HTTPRequest{URL: first, Header: secrets}, []answer{{status: 302, header: "Location: https://b.a.example/s"}, {status: 200}},
			[]string{"GET " + first + all, "GET https://b.a.example/s"}, "200 ", 0},
		"redirect from a URL with a key": {HTTPRequest{URL: first + "?code=topsecret"}, []answer{{status: 302, header: "Location: https://b.example/s"}, {status: 302, header: "Location: /t"}, {status: 200}},
			[]string{"GET " + first + "?code=topsecret", "GET https://b.example/s", "GET https://b.example/t"}, "200 ", 0},
		"redirect to a bad URL with a key": {HTTPRequest{URL: first}, []answer{{status: 302, header: "Location: https://b.example/%zz?sig=topsecret"}}, []string{"GET " + first}, "sig=REDACTED", 0},
		"redirect to a file":               {HTTPRequest{URL: first}, []answer{{status: 302, header: "Location: file:///etc/passwd"}}, []string{"GET " + first}, "not an absolute http", 0},
		"retry": {HTTPRequest{URL: first, Retry: &RetryPolicy{MaxAttempts: 3, FirstInterval: time.Minute}}, []answer{{status: 503}, {err: errors.New("refused")}, {status: 200, body: "ok"}},
			[]string{"GET " + first, "GET " + first, "GET " + first}, "200 ok", 2 * time.Minute},
		"retry is over": {HTTPRequest{URL: first, Retry: &RetryPolicy{MaxAttempts: 2, FirstInterval: time.Minute}}, []answer{{status: 503}},
			[]string{"GET " + first, "GET " + first}, "HTTPError 503", 0},
		"retry of others": {HTTPRequest{URL: first, Retry: &RetryPolicy{MaxAttempts: 2, FirstInterval: time.Minute}, RetryStatus: []int{429}}, []answer{{status: 503}},
			[]string{"GET " + first}, "503 ", 0},
		"refused":                     {HTTPRequest{URL: first + "?code=secret"}, []answer{{err: errors.New("refused")}}, []string{"GET " + first + "?code=secret"}, "GET https://a.example/start: refused", 0},
		"a secret in a bad URL":       {HTTPRequest{URL: "https://a.example/%zz?code=topsecret"}, nil, nil, `parse "https://a.example/%zz": invalid URL escape`, 0},
		"a secret in a URL of a file": {HTTPRequest{URL: "file://u:topsecret@x/?code=topsecret"}, nil, nil, `"file://x/" is not an absolute http`, 0},
		"too large":                   {HTTPRequest{URL: first}, []answer{{status: 200, body: strings.Repeat("x", 2000)}}, []string{"GET " + first}, "larger than 1000 bytes", 0},
		"token over http":             {HTTPRequest{URL: "http://a.example/", Token: &ManagedIdentityToken{Resource: "https://r"}}, nil, nil, "over https only", 0},
		"no scheme":                   {HTTPRequest{URL: "a.example"}, nil, nil, "not an absolute http", 0},
		"a file":                      {HTTPRequest{URL: "file:///etc/passwd"}, nil, nil, "not an absolute http", 0},
		"no host":                     {HTTPRequest{URL: "http:///x"}, nil, nil, "names no host", 0},
		"bad method":                  {HTTPRequest{URL: first, Method: "G E T"}, nil, nil, "invalid method", 0},
		"bad body":                    {HTTPRequest{URL: first, Body: func() {}}, nil, nil, "the body", 0},
		"multipart":                   {HTTPRequest{URL: first, Header: http.Header{"Content-Type": {"multipart/form-data"}}}, nil, nil, "multipart", 0},
		"negative timeout":            {HTTPRequest{URL: first, Timeout: -1}, nil, nil, "makes no sense", 0},
		"status, no retry":            {HTTPRequest{URL: first, RetryStatus: []int{500}}, nil, nil, "without Retry", 0},
		"token for nothing":           {HTTPRequest{URL: first, Token: &ManagedIdentityToken{}}, nil, nil, "no Resource", 0},
	}
	for name, test := range tests {
		o := NewOrchestrator("O", func(ctx *Context, _ None) (string, error) {
			start := ctx.Now()
			r, err := CallHTTP(ctx, test.request).Await()
			if failed := (*HTTPError)(nil); errors.As(err, &failed) {
				return fmt.Sprint("HTTPError ", failed.StatusCode), nil
			}
			if err != nil {
				return err.Error(), nil
			}
			if d := ctx.Now().Sub(start); d < test.atLeast {
				return fmt.Sprint("after ", d), nil
			}
			return fmt.Sprint(r.StatusCode, " ", r.Content), nil
		})
		t.Run(name, func(t *testing.T) {
			inHub(t, []Registration{o}, func(h *hub) {
				w := &web{answers: test.answers}
				h.registry.http = &http.Client{Transport: w}
				h.registry.tokens = func(_ context.Context, scope string) (string, error) { return scope, nil }
				h.registry.maxPayload = 1000
				got, err := result(h, o, None{}, nil)
				if err != nil || !strings.Contains(got, test.want) {
					h.t.Errorf("got %q %v, want %q", got, err, test.want)
				}
				if strings.Join(w.seen, "\n") != strings.Join(test.seen, "\n") {
					h.t.Errorf("requests:\n%s\nwant\n%s", strings.Join(w.seen, "\n"), strings.Join(test.seen, "\n"))
				}
			})
		})
	}
}

func TestPollWait(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for in, want := range map[string]time.Duration{
		"": 30 * time.Second, "soon": 30 * time.Second, "-5": 30 * time.Second, "1.5": 30 * time.Second,
		"0": time.Second, "7": 7 * time.Second, " 7 ": 7 * time.Second, "99999999999": 24 * time.Hour,
		"99999999999999999999999":       30 * time.Second,
		"Thu, 01 Jan 2026 00:01:00 GMT": time.Minute, "Wed, 31 Dec 2025 00:00:00 GMT": time.Second, "Fri, 01 Jan 2027 00:00:00 GMT": 24 * time.Hour,
	} {
		if got := pollWait(in, now, 30*time.Second); got != want {
			t.Errorf("Retry-After %q: %v, want %v", in, got, want)
		}
	}
}

// TestHTTPResponseForm: the official form, with the content type beside it.
func TestHTTPResponseForm(t *testing.T) {
	r := newRegistry()
	r.http = &http.Client{Transport: &web{answers: []answer{{status: 200, header: "X-Custom: v|Content-Type: text/plain|Content-Length: 2", body: "hi"}}}}
	run, err := r.activity("BuiltIn::HttpActivity")
	if err != nil {
		t.Fatal(err)
	}
	result, failure := run(t.Context(), &activity.Call{Input: []byte(`{"method":"GET","uri":"http://a/"}`)})
	const want = `{"statusCode":200,"headers":{"X-Custom":"v"},"content":"hi","goContentType":"text/plain"}`
	if failure != nil || string(result) != want {
		t.Errorf("%s %+v, want %s", result, failure, want)
	}
	decoded, err := decode[httpResult](r, result)
	if err != nil || decoded.response().ContentType != "text/plain" {
		t.Errorf("%+v %v", decoded, err)
	}
	if _, err := r.activity("Unknown"); err == nil || strings.Contains(err.Error(), "BuiltIn") {
		t.Errorf("the known activities: %v", err)
	}
}
