package storage

import (
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
	"github.com/durable-go/functions/internal/redact"
)

// Account is a storage account with its clients. It may be used concurrently.
type Account struct {
	Tables *aztables.ServiceClient
	Queues *azqueue.ServiceClient
	Blobs  *azblob.Client

	tableURL string
	sas      string
	batches  runtime.Pipeline
	health   *health
	metered  Requested
}

// of are the options of the clients of a service.
func (a *Account) of(s Service, base azcore.ClientOptions) azcore.ClientOptions {
	if a.health != nil {
		base.PerCallPolicies = append(slices.Clone(base.PerCallPolicies), watch{s, a.health})
	}
	if a.metered != nil {
		base.PerRetryPolicies = append(slices.Clone(base.PerRetryPolicies), meter{s, a.metered})
	}
	return base
}

// Options change how an account is reached.
type Options struct {
	// Transport sends the requests; default a shared http.Client.
	Transport policy.Transporter
	// TryTimeout bounds one try of a request. Default 10 s.
	TryTimeout time.Duration
	// MaxRetries repeats a request that failed in transport or with 408, 429 or
	// 5xx. Default 3; negative: none.
	MaxRetries int32
	// Changed is told, one call at a time, when a service does not answer any more
	// (with the error), and when it answers again (nil, and how long it was away). It
	// must not make requests. nil: nothing is.
	Changed func(s Service, err error, away time.Duration)
	// Requested is told of each try of a request. nil: nothing is.
	Requested Requested
}

// How long a connection is kept without a request. The service leaves it open for
// minutes, and a new one costs a TLS handshake; the emulator (Node.js) closes it
// after five seconds, and a request that meets that end fails, so it is given up
// before.
const (
	idleAtService  = 90 * time.Second
	idleAtEmulator = 4 * time.Second
)

// The transports of all accounts.
var service, emulated = newTransport(idleAtService), newTransport(idleAtEmulator)

// newTransport keeps as many idle connections as the engine uses at the same time:
// Go's default of two a host, and the SDK's of ten, would connect again and
// again. There is no overall timeout: every try has its own.
func newTransport(idle time.Duration) *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConns:          256,
		MaxIdleConnsPerHost:   128,
		IdleConnTimeout:       idle,
		TLSHandshakeTimeout:   5 * time.Second,
		ExpectContinueTimeout: time.Second,
		ForceAttemptHTTP2:     true,
	}}
}

// transport is the one for an account: the real service is recognised by the
// domains of its endpoints in all clouds.
func (c *Connection) transport() *http.Client {
	for _, address := range []string{c.Table, c.Queue, c.Blob} {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "https" || !strings.Contains(u.Hostname(), ".core.") {
			return emulated
		}
	}
	return service
}

func (o Options) client(c *Connection) azcore.ClientOptions {
	if o.Transport == nil {
		o.Transport = c.transport()
	}
	if o.TryTimeout == 0 {
		o.TryTimeout = 10 * time.Second
	}
	if o.MaxRetries == 0 {
		o.MaxRetries = 3
	}
	return azcore.ClientOptions{
		Transport:        discreet{o.Transport},
		Telemetry:        policy.TelemetryOptions{Disabled: true},
		PerRetryPolicies: []policy.Policy{noteTries{}},
		// The first retry is fast: what fails is mostly a connection that the
		// service has just closed. Retry-After of 429 and 503 is honoured up to
		// MaxRetryDelay, beyond which the error goes to the caller at once.
		Retry: policy.RetryOptions{MaxRetries: o.MaxRetries, TryTimeout: o.TryTimeout, RetryDelay: 20 * time.Millisecond, MaxRetryDelay: 5 * time.Second},
	}
}

// discreet keeps the signatures in URLs out of the errors of a transport.
type discreet struct{ policy.Transporter }

func (d discreet) Do(req *http.Request) (*http.Response, error) {
	resp, err := d.Transporter.Do(req)
	return resp, redact.Error(err)
}

// Open makes the clients of an account. It sends no request. Errors, those of
// the clients as well, never contain a secret.
func Open(c *Connection, o Options) (*Account, error) {
	base := o.client(c)
	a := &Account{tableURL: c.Table, sas: c.SAS, metered: o.Requested}
	if o.Changed != nil {
		a.health = &health{changed: o.Changed, state: map[Service]*outage{}}
	}
	open := a.openKey
	switch {
	case c.Identity != nil:
		open = a.openIdentity
	case c.SAS != "":
		open = a.openSAS
	}
	return a, redact.Error(open(c, base))
}

func (a *Account) openKey(c *Connection, base azcore.ClientOptions) (err error) {
	table, err := aztables.NewSharedKeyCredential(c.Account, c.Key)
	if err != nil {
		return err
	}
	if a.Tables, err = aztables.NewServiceClientWithSharedKey(c.Table, table, &aztables.ClientOptions{ClientOptions: a.of(Table, base)}); err != nil {
		return err
	}
	queue, err := azqueue.NewSharedKeyCredential(c.Account, c.Key)
	if err != nil {
		return err
	}
	if a.Queues, err = azqueue.NewServiceClientWithSharedKeyCredential(c.Queue, queue, &azqueue.ClientOptions{ClientOptions: a.of(Queue, base)}); err != nil {
		return err
	}
	blob, err := azblob.NewSharedKeyCredential(c.Account, c.Key)
	if err != nil {
		return err
	}
	if a.Blobs, err = azblob.NewClientWithSharedKeyCredential(c.Blob, blob, &azblob.ClientOptions{ClientOptions: a.of(Blob, base)}); err != nil {
		return err
	}
	key, err := decodeKey(c.Key)
	if err != nil {
		return err
	}
	a.batches = pipeline(a.of(Table, base), &signer{account: c.Account, key: key})
	return nil
}

func (a *Account) openSAS(c *Connection, base azcore.ClientOptions) (err error) {
	if a.Tables, err = aztables.NewServiceClientWithNoCredential(c.Table+"/?"+c.SAS, &aztables.ClientOptions{ClientOptions: a.of(Table, base)}); err != nil {
		return err
	}
	if a.Queues, err = azqueue.NewServiceClientWithNoCredential(c.Queue+"/?"+c.SAS, &azqueue.ClientOptions{ClientOptions: a.of(Queue, base)}); err != nil {
		return err
	}
	if a.Blobs, err = azblob.NewClientWithNoCredential(c.Blob+"/?"+c.SAS, &azblob.ClientOptions{ClientOptions: a.of(Blob, base)}); err != nil {
		return err
	}
	a.batches = pipeline(a.of(Table, base), nil)
	return nil
}

// pipeline is the SDK's, with the given way to authenticate each try.
func pipeline(base azcore.ClientOptions, auth policy.Policy) runtime.Pipeline {
	options := runtime.PipelineOptions{}
	if auth != nil {
		options.PerRetry = []policy.Policy{auth}
	}
	return runtime.NewPipeline("durable", "v1", options, &base)
}

func decodeKey(key string) ([]byte, error) { return base64.StdEncoding.DecodeString(key) }

// Address is where the account's tables are, without anything secret.
func (a *Account) Address() string {
	u, err := url.Parse(a.tableURL)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host + strings.TrimSuffix(u.Path, "/")
}
