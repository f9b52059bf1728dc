package durable

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/redact"
)

// HTTPRequest is a request that an orchestrator makes with CallHTTP. All of it
// but the token is part of the message that asks for the call, so give secrets
// by Token where that is possible.
type HTTPRequest struct {
	// Method; "" is GET.
	Method string
	// URL is an absolute http or https URL.
	URL    string
	Header http.Header
	// Body is sent as it is when it is a string or a []byte, with the content
	// type text/plain, and as JSON otherwise, unless Header says another content
	// type. nil: none.
	Body any
	// Token adds a bearer token to the request, in place of an Authorization
	// header. nil: none.
	Token *ManagedIdentityToken
	// NoPolling returns a 202 as it is.
	NoPolling bool
	// Timeout bounds each request, not the polling. 0: 100 seconds.
	Timeout time.Duration
	// Retry repeats requests that fail, or whose status is in RetryStatus. nil:
	// never.
	Retry *RetryPolicy
	// RetryStatus are the statuses that are failures, an *HTTPError, where there
	// is a Retry; empty: all of 400 and above.
	RetryStatus []int
}

// ManagedIdentityToken says for what a token of the app's identity is made.
type ManagedIdentityToken struct {
	// Resource is the URI of the service, such as https://management.azure.com.
	Resource string `json:"resource"`
}

// HTTPResponse is the answer to a CallHTTP. As JSON it has the official form.
type HTTPResponse struct {
	StatusCode int `json:"statusCode"`
	// Headers have canonical names; several values of one are joined with commas.
	// Those that describe the content (Content-Type, ...) are not among them.
	Headers map[string]string `json:"headers"`
	// Content is the body, as text.
	Content string `json:"content"`
	// ContentType is that of the body.
	ContentType string `json:"-"`
}

// HTTPError is the failure of a CallHTTP whose status was one to retry, when no
// attempt is left. errors.As finds it.
type HTTPError struct {
	StatusCode int
	// Content is the beginning of the body.
	Content string
}

func (e *HTTPError) Error() string {
	return fmt.Sprintf("the HTTP status is %d %s", e.StatusCode, http.StatusText(e.StatusCode))
}

func init() { RegisterError[*HTTPError]() }

// httpActivity has the official name.
const httpActivity = "BuiltIn::HttpActivity"

const defaultHTTPTimeout = 100 * time.Second

// CallHTTP makes an HTTP request as an activity, at least once. Statuses of 400
// and above are answers, not errors (see HTTPRequest.Retry); a request without
// an answer is a *TaskError.
//
// A 202 with a Location is polled, in durable time: after Retry-After (seconds
// or a date, at least one second, at most a day), or else after
// httpSettings.defaultAsyncRequestSleepTimeMilliseconds (30 seconds), the
// Location is requested with GET and the same headers, without x-functions-key,
// until the status is another one. What is of another origin than URL gets no
// token and of the headers those alone that tell nobody a secret (Accept,
// Accept-Charset, Accept-Encoding, Accept-Language, Content-Encoding,
// Content-Language, Content-Type, User-Agent), in polls as in redirects. A 202
// whose Location is missing or unusable is the answer.
func CallHTTP(ctx *Context, request HTTPRequest) *Task[HTTPResponse] {
	call := source{activityCall, httpActivity}
	wire, err := request.wire()
	if err != nil {
		return failedTask[HTTPResponse](ctx, call, fmt.Errorf("CallHTTP: %w", err))
	}
	o := &callOptions{retry: request.Retry, once: true, timeout: request.Timeout, timed: true}
	if o.timeout == 0 {
		o.timeout = defaultHTTPTimeout
	}
	ask := func(w httpWire) *Task[httpResult] { return callActivity[httpWire, httpResult](ctx, httpActivity, w, o) }
	first := ask(wire)
	return Go(ctx, func(ctx *Context) (HTTPResponse, error) {
		result, err := first.Await()
		for at := wire; err == nil && at.pollable(result); {
			next, ok := at.next(wire, result.Headers["Location"])
			if !ok {
				break
			}
			if err = ctx.Sleep(pollWait(result.Headers["Retry-After"], ctx.Now(), ctx.registry.httpSleep)); err != nil {
				break
			}
			at = next
			result, err = ask(at).Await()
		}
		return result.response(), err
	})
}

// httpWire is the input of the activity, in the official form.
type httpWire struct {
	Method      string                `json:"method"`
	URI         string                `json:"uri"`
	Headers     map[string][]string   `json:"headers"`
	Content     *string               `json:"content"`
	Token       *ManagedIdentityToken `json:"tokenSource"`
	Polling     bool                  `json:"asynchronousPatternEnabled"`
	Retry       bool                  `json:"goRetry,omitempty"`
	RetryStatus []int                 `json:"goRetryStatus,omitempty"`
}

// httpResult is the result of the activity.
type httpResult struct {
	HTTPResponse
	Type string `json:"goContentType,omitempty"`
}

func (r httpResult) response() HTTPResponse {
	r.ContentType = r.Type
	return r.HTTPResponse
}

// wire checks a request.
func (r *HTTPRequest) wire() (w httpWire, err error) {
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	if _, err := http.NewRequest(method, r.URL, nil); err != nil {
		return w, redact.Error(err)
	}
	if err := webURL(r.URL); err != nil {
		return w, err
	}
	w = httpWire{Method: method, URI: r.URL, Headers: r.Header.Clone(), Token: r.Token, Polling: !r.NoPolling, Retry: r.Retry != nil, RetryStatus: r.RetryStatus}
	switch {
	case r.Timeout < 0:
		return w, fmt.Errorf("a timeout of %v makes no sense", r.Timeout)
	case len(r.RetryStatus) > 0 && r.Retry == nil:
		return w, errors.New("RetryStatus means nothing without Retry")
	case r.Token != nil && r.Token.Resource == "":
		return w, errors.New("the Token names no Resource")
	case strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "multipart/"):
		return w, errors.New("multipart content is not supported")
	}
	return w, w.setBody(r.Body)
}

func (w *httpWire) setBody(body any) error {
	kind, text := "text/plain", ""
	switch b := body.(type) {
	case nil:
		return nil
	case string:
		text = b
	case []byte:
		text = string(b)
	default:
		raw, err := marshalJSON(body)
		if err != nil {
			return fmt.Errorf("the body: %w", err)
		}
		kind, text = "application/json", string(raw)
	}
	w.Content = &text
	if http.Header(w.Headers).Get("Content-Type") == "" {
		if w.Headers == nil {
			w.Headers = map[string][]string{}
		}
		w.Headers["Content-Type"] = []string{kind}
	}
	return nil
}

// webURL checks that a URL is one to request.
func webURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return redact.Error(err)
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%q is not an absolute http or https URL", redact.URL(text))
	case u.Hostname() == "":
		return fmt.Errorf("%q names no host", redact.URL(text))
	}
	return nil
}

func (w *httpWire) pollable(r httpResult) bool {
	return w.Polling && r.StatusCode == http.StatusAccepted
}

// next is the request that polls a Location; ok is false when that is of no use.
// first is the request with which the call began: its origin may have what
// others must not get.
func (w *httpWire) next(first httpWire, location string) (next httpWire, ok bool) {
	base, err := url.Parse(w.URI)
	if err != nil || location == "" {
		return next, false
	}
	at, err := base.Parse(location)
	if err != nil || at.User != nil || webURL(at.String()) != nil {
		return next, false
	}
	at.Fragment = ""
	next = first
	next.Method, next.URI, next.Content = http.MethodGet, at.String(), nil
	header := http.Header(first.Headers).Clone()
	header.Del("X-Functions-Key")
	header.Del("Content-Type")
	header.Del("Content-Length")
	start, err := url.Parse(first.URI)
	if err != nil || !sameOrigin(start, at) {
		withoutSecrets(header)
		next.Token = nil
	}
	next.Headers = header
	return next, true
}

// safeHeaders are those that another origin may see. Whatever else a caller sets
// may be a secret: there are more names for keys than can be listed.
var safeHeaders = map[string]bool{
	"Accept": true, "Accept-Charset": true, "Accept-Encoding": true, "Accept-Language": true,
	"Content-Encoding": true, "Content-Language": true, "Content-Length": true, "Content-Type": true, "User-Agent": true,
}

// withoutSecrets removes what is for one origin only.
func withoutSecrets(h http.Header) {
	for name := range h {
		if !safeHeaders[http.CanonicalHeaderKey(name)] {
			delete(h, name)
		}
	}
}

// sameOrigin compares scheme, host and port.
func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
}

// pollWait is how long to wait before a poll.
func pollWait(retryAfter string, now time.Time, standard time.Duration) time.Duration {
	wait := standard
	if seconds, err := json.Number(strings.TrimSpace(retryAfter)).Int64(); err == nil && seconds >= 0 {
		wait = time.Duration(min(seconds, 24*60*60)) * time.Second
	} else if at, err := http.ParseTime(retryAfter); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, time.Second), 24*time.Hour)
}
