package fake

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Request is a request that may meet a fault.
type Request struct {
	Kind
	Method, Path string
	// N numbers the requests of its kind since [Account.Inject], from 1. A
	// request that the client's pipeline repeats is another request.
	N int
}

// Fault is what happens to a request. The zero Fault is none; the fields may be
// combined.
type Fault struct {
	// Unsent makes the connection fail before the request is applied.
	Unsent bool
	// Lost applies the request and makes the connection fail before its answer.
	Lost bool
	// Status refuses the request, which is not applied, with the code of the
	// service, and, where RetryAfter is not 0, a Retry-After of whole seconds. See
	// [Busy] and [Throttled].
	Status     int
	Code       string
	RetryAfter time.Duration
	// Inside puts the refusal of a transaction into a reply of status 202, as that
	// of its first operation.
	Inside bool
	// Delay passes before the request is applied, Slow after that and before its
	// answer.
	Delay, Slow time.Duration
	// Hold keeps the request from being applied until it is closed, or until the
	// request is cancelled.
	Hold <-chan struct{}
	// EmptyPage answers a query or list with a page without rows that others
	// follow. Page bounds the rows of the page; 0 does not.
	EmptyPage bool
	Page      int
}

// Faults chooses the fault of a request. It is called with the lock of the
// account held: in the order of the requests, never concurrently, and it must not
// use the account.
type Faults func(Request) Fault

// Errors of a connection that failed. The client cannot tell them apart.
var (
	// ErrUnsent is the error of a request that was not applied.
	ErrUnsent = errors.New("connection failed: the request was not sent")
	// ErrLost is the error of a request that was applied.
	ErrLost = errors.New("connection failed: the answer was lost")
)

// faulty chooses faults, and numbers the requests of each kind for that. The lock
// of the account guards it.
type faulty struct {
	faults Faults
	seen   map[Kind]int
}

// Inject has the requests that come from now on through [Account.Do] meet the
// faults, in place of those injected before; nil: none.
func (a *Account) Inject(faults Faults) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faulty = faulty{faults, map[Kind]int{}}
}

// Client is a transport of requests to an account that meet faults of their own:
// one process of several. It may be used concurrently.
type Client struct {
	account *Account
	faulty  faulty
}

// Client makes one. Those of [Account.Inject] do not count for it; nil: none.
func (a *Account) Client(faults Faults) *Client {
	return &Client{account: a, faulty: faulty{faults, map[Kind]int{}}}
}

// Do answers a request, as [Account.Do] does.
func (c *Client) Do(req *http.Request) (*http.Response, error) { return c.account.do(req, &c.faulty) }

// Nth injects the fault into request number n, from 1, of a service and an
// operation (see [Kind]), whatever its target; into each with 0.
func Nth(service, operation string, n int, fault Fault) Faults {
	seen := 0
	return func(r Request) Fault {
		if r.Service != service || r.Operation != operation {
			return Fault{}
		}
		if seen++; n == 0 || seen == n {
			return fault
		}
		return Fault{}
	}
}

// Either injects the fault of the first that has one.
func Either(all ...Faults) Faults {
	return func(r Request) (chosen Fault) {
		// Each counts the requests that it sees.
		for _, faults := range all {
			if f := faults(r); chosen == (Fault{}) {
				chosen = f
			}
		}
		return chosen
	}
}

// Busy is how the service refuses what it has no time for: 503 ServerBusy.
func Busy(retryAfter time.Duration) Fault {
	return Fault{Status: http.StatusServiceUnavailable, Code: "ServerBusy", RetryAfter: retryAfter}
}

// Throttled is how it refuses a client that asks too often: 429.
func Throttled(retryAfter time.Duration) Fault {
	return Fault{Status: http.StatusTooManyRequests, Code: "TooManyRequests", RetryAfter: retryAfter}
}

// faultOf numbers a request and chooses its fault.
func (a *Account) faultOf(from *faulty, r Request) Fault {
	a.mu.Lock()
	defer a.mu.Unlock()
	if from.faults == nil {
		return Fault{}
	}
	from.seen[r.Kind]++
	r.N = from.seen[r.Kind]
	return from.faults(r)
}

// await lets the time before a request is applied pass.
func (f *Fault) await(ctx context.Context, d time.Duration) error {
	if f.Hold != nil {
		select {
		case <-f.Hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if d == 0 {
		return ctx.Err()
	}
	return pause(ctx, d)
}

// pause lets time pass, and fails when the request is cancelled first.
func pause(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reply is the refusal in the form of the service.
func (f *Fault) reply(service string, c *call) *reply {
	text := fmt.Sprintf("The fault that was injected: %s.", f.Code)
	var r *reply
	switch {
	case service != "table":
		r = refuse(f.Status, f.Code)
	case f.Inside && c.path[0] == "$batch":
		r = batchReply(nil, odataError(f.Status, f.Code, "0:"+text))
	default:
		r = odataError(f.Status, f.Code, text)
	}
	if f.RetryAfter > 0 {
		r.set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
	return r
}
