package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
)

// reach says how a command gets to a hub: through its storage account, or
// through a deployed app.
type reach struct{ dir, hub, url, key string }

// register adds the flags that all commands have for it.
func (r *reach) register(flags *pflag.FlagSet) {
	flags.StringVar(&r.dir, "dir", ".", "`folder` of the app")
	registerHub(flags, &r.hub)
	flags.StringVar(&r.url, "url", "", "`address` of a deployed app, such as https://myapp.azurewebsites.net, in place of its storage")
	flags.StringVar(&r.key, "key", "", "function `key` of the deployed app (default: the variable DURABLE_KEY)")
}

func (r *reach) check() (err error) {
	if r.url != "" && r.hub != "" {
		return usageError{errors.New("--hub is for storage: the app of --url knows its hub")}
	}
	if r.dir, err = filepath.Abs(r.dir); err != nil {
		return err
	}
	if r.key == "" {
		env, _ := appEnvironment(options{dir: r.dir}) // what needs the settings tells of an error in them
		r.key = env.get("DURABLE_KEY")
	}
	return nil
}

// caller sends requests to the management API of a hub.
type caller struct {
	client *http.Client
	base   string
	key    string
}

// connect checks the flags and connects.
func (r *reach) connect(ctx context.Context) (*caller, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return r.caller(ctx)
}

// caller connects. Without a URL the API runs in this process.
func (r *reach) caller(ctx context.Context) (*caller, error) {
	if r.url != "" {
		return &caller{client: http.DefaultClient, base: strings.TrimSuffix(r.url, "/") + dashboardAPI + "/", key: r.key}, nil
	}
	o := dashboardOptions{reach: *r}
	api, _, err := o.api(ctx)
	if err != nil {
		return nil, err
	}
	return &caller{client: &http.Client{Transport: inProcess{api}}, base: "http://localhost" + dashboardAPI + "/"}, nil
}

// inProcess hands requests to a handler.
type inProcess struct{ handler http.Handler }

// RoundTrip returns the handler's answer when it is whole.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &answer{header: http.Header{}}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	p.handler.ServeHTTP(w, r)
	code := cmp.Or(w.code, http.StatusOK)
	return &http.Response{
		StatusCode: code, Status: fmt.Sprintf("%d %s", code, http.StatusText(code)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

// answer keeps what a handler answers.
type answer struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(code int)        { a.code = cmp.Or(a.code, code) }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// request is one request to the API.
type request struct {
	method, path string
	query        url.Values
	body         string
	prefer       string
	token        string // of the page that is asked for; empty: the first
}

// tokenHeader carries the token of a page, in a request and in the answer before.
const tokenHeader = "X-Ms-Continuation-Token"

// reply is an answer that is a success.
type reply struct {
	code int
	body []byte
	// next is the token of the next page, empty behind the last.
	next string
}

// send returns the body of a success. Any other answer is an error that says
// what the API said.
func (c *caller) send(ctx context.Context, r request) ([]byte, error) {
	got, err := c.do(ctx, r)
	return got.body, err
}

// do is send with what else the answer says.
func (c *caller) do(ctx context.Context, r request) (got reply, err error) {
	address := c.base + r.path
	if query := r.query.Encode(); query != "" {
		address += "?" + query
	}
	out, err := http.NewRequestWithContext(ctx, r.method, address, strings.NewReader(r.body))
	if err != nil {
		return got, err
	}
	for name, value := range map[string]string{"Prefer": r.prefer, tokenHeader: r.token, "X-Functions-Key": c.key} {
		if value != "" {
			out.Header.Set(name, value)
		}
	}
	if r.method == http.MethodPost {
		out.Header.Set("Content-Type", "application/json")
	}
	in, err := c.client.Do(out)
	if err != nil {
		return got, fmt.Errorf("%s: %w", r.path, err)
	}
	defer func() { _ = in.Body.Close() }()
	got = reply{code: in.StatusCode, next: in.Header.Get(tokenHeader)}
	if got.body, err = io.ReadAll(in.Body); err != nil {
		return got, fmt.Errorf("%s: %w", r.path, err)
	}
	if in.StatusCode >= 300 {
		return reply{}, apiError(r, in.StatusCode, got.body)
	}
	return got, nil
}

// absentError means that what a command is about is not there.
type absentError string

func (e absentError) Error() string { return string(e) }

const (
	errNoInstance = absentError("there is no such instance")
	errNoEntity   = absentError("there is no such entity")
)

// errNoAPI means that the app answers and does not serve the management API.
var errNoAPI = errors.New("the app serves no " + dashboardAPI + ": it needs the folder DurableTask (see the HTTP API in the documentation), and --url its address alone")

// apiError is what an answer that is no success says.
func apiError(r request, code int, body []byte) error {
	var said struct{ Message string }
	if json.Unmarshal(body, &said) == nil && said.Message != "" {
		return errors.New(said.Message)
	}
	switch code {
	case http.StatusUnauthorized:
		return errors.New("the function key is missing or wrong: --key, or the variable DURABLE_KEY")
	case http.StatusNotFound:
		switch {
		case strings.HasPrefix(r.path, "instances/"):
			return errNoInstance
		case strings.HasPrefix(r.path, "entities/") && strings.Count(r.path, "/") > 1:
			return errNoEntity
		}
		return errNoAPI
	case http.StatusGone:
		return errors.New("the instance has finished")
	}
	return fmt.Errorf("the app answered %d %s", code, http.StatusText(code))
}

// registerHub adds the flag that names a task hub to a command.
func registerHub(flags *pflag.FlagSet, hub *string) {
	flags.StringVar(hub, "hub", "", "`name` of the task hub (default: hubName in host.json)")
}
