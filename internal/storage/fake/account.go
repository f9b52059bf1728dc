// Package fake is a storage account in memory, for tests and benchmarks: the
// parts of the REST interfaces of Table, Queue and Blob Storage that a task hub
// uses, behind the transport of the Azure SDK. It has true ETags, conditions,
// transactions, pages, pop receipts and visibility, it counts requests, and it
// has no goroutines and no clock but time.Now, so that it works inside a
// testing/synctest bubble. Credentials are not checked.
//
// Behaviour follows learn.microsoft.com/rest/api/storageservices, and where
// that is silent Azurite 3.35.0. An account of [NewStrict] also has what the real
// service does and Azurite does not, and [Account.Inject] makes requests fail:
//
//	account := fake.NewStrict(0)
//	account.Inject(fake.BadDay(1, 20*time.Second))
//	opened, err := storage.Open(connection, storage.Options{Transport: account})
package fake

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Account is a storage account. It may be used concurrently.
type Account struct {
	latency time.Duration
	strict  bool

	mu         sync.Mutex // guards the rest
	stamp      time.Time  // of the last write; stamps only grow
	serial     int64      // numbers messages and pop receipts
	tables     map[string]*table
	queues     map[string]*queue
	containers map[string]*container
	counts     map[Kind]*Count
	// leaving are the tables, queues and containers that are being deleted, as
	// service and name, with the time at which they are gone. Strict accounts
	// only.
	leaving map[string]time.Time
	faulty  faulty
}

// New makes an empty account that behaves like Azurite. Every request takes
// latency before it is applied; in a synctest bubble that is virtual time.
func New(latency time.Duration) *Account {
	return &Account{
		latency: latency, tables: map[string]*table{}, queues: map[string]*queue{},
		containers: map[string]*container{}, counts: map[Kind]*Count{}, leaving: map[string]time.Time{},
	}
}

// ConnectionString is for clients that send their requests through Do.
func (a *Account) ConnectionString() string {
	return "DefaultEndpointsProtocol=http;AccountName=fake;AccountKey=ZmFrZQ==;TableEndpoint=http://table.fake;QueueEndpoint=http://queue.fake;BlobEndpoint=http://blob.fake"
}

// call is one request.
type call struct {
	// strict asks for the answers of the real service.
	strict bool
	// page bounds the rows of a page, empty makes it one without rows.
	page  int
	empty bool

	method string
	path   []string // without the slash at the start
	query  url.Values
	header http.Header
	body   []byte
}

// reply is the answer to a call.
type reply struct {
	status int
	header map[string]string
	body   []byte
	// rows are how many were read or written, for the counts.
	rows int
	// failed marks a transaction that failed: its status does not say so.
	failed bool
}

// Do answers a request. Its error is that of the request's context, when that
// ends before the request is applied.
func (a *Account) Do(req *http.Request) (*http.Response, error) { return a.do(req, &a.faulty) }

func (a *Account) do(req *http.Request, faulty *faulty) (*http.Response, error) {
	c := &call{method: req.Method, query: req.URL.Query(), header: http.Header{}}
	for name, values := range req.Header {
		// The SDK writes some names as the service documents them, in small
		// letters, past the canonical form.
		c.header[http.CanonicalHeaderKey(name)] = values
	}
	c.path = strings.SplitN(strings.TrimPrefix(req.URL.Path, "/"), "/", 2)
	if req.Body != nil {
		var err error
		if c.body, err = io.ReadAll(req.Body); err != nil {
			return nil, fmt.Errorf("reading the body of a request: %w", err)
		}
		_ = req.Body.Close()
	}
	service, _, _ := strings.Cut(req.URL.Host, ".")
	return a.handle(req, service, c, faulty)
}

// handle lets the request meet its fault, if it has one, and answers it.
func (a *Account) handle(req *http.Request, service string, c *call, faulty *faulty) (*http.Response, error) {
	c.strict = a.strict
	f := a.faultOf(faulty, Request{Kind: kindOf(service, c), Method: c.method, Path: req.URL.Path})
	if err := f.await(req.Context(), a.latency+f.Delay); err != nil {
		return nil, err
	}
	switch {
	case f.Unsent:
		return nil, ErrUnsent
	case f.Status != 0:
		return a.refused(service, c, f).response(req), nil
	}
	c.page, c.empty = f.Page, f.EmptyPage
	r := a.serve(service, c)
	if err := pause(req.Context(), f.Slow); err != nil {
		return nil, err
	}
	if f.Lost {
		return nil, ErrLost
	}
	return r.response(req), nil
}

func (a *Account) serve(service string, c *call) *reply {
	a.mu.Lock()
	defer a.mu.Unlock()
	var r *reply
	switch service {
	case "table":
		r = a.serveTable(c)
		if c.strict {
			delete(r.header, "x-ms-error-code")
		}
	case "queue":
		r = a.serveQueue(c)
	case "blob":
		r = a.serveBlob(c)
	default:
		r = &reply{status: http.StatusBadGateway, body: []byte("the host of the request is none of table.fake, queue.fake and blob.fake")}
	}
	a.count(kindOf(service, c), c, r)
	return r
}

// refused answers a request that is not applied.
func (a *Account) refused(service string, c *call, f Fault) *reply {
	r := f.reply(service, c)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count(kindOf(service, c), c, r)
	return r
}

// now is a time for a write: different from that of every other write, in the
// service's resolution of 100 ns.
func (a *Account) now() time.Time {
	now := time.Now().UTC().Truncate(100 * time.Nanosecond)
	if !now.After(a.stamp) {
		now = a.stamp.Add(100 * time.Nanosecond)
	}
	a.stamp = now
	return now
}

func (r *reply) response(req *http.Request) *http.Response {
	header := http.Header{}
	for name, value := range r.header {
		header.Set(name, value)
	}
	header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	return &http.Response{
		Status: fmt.Sprintf("%d %s", r.status, http.StatusText(r.status)), StatusCode: r.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, Request: req,
		Body: io.NopCloser(bytes.NewReader(r.body)), ContentLength: int64(len(r.body)),
	}
}

func (r *reply) set(name, value string) *reply {
	if r.header == nil {
		r.header = map[string]string{}
	}
	r.header[name] = value
	return r
}

// refuse is an error answer of the queue and blob services.
func refuse(status int, code string) *reply {
	body := fmt.Sprintf(`<?xml version="1.0" encoding="utf-8"?><Error><Code>%s</Code><Message>%s</Message></Error>`, code, code)
	return (&reply{status: status, body: []byte(body)}).set("x-ms-error-code", code).set("Content-Type", "application/xml")
}
