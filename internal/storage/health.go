package storage

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Service is one of the services of an account.
type Service string

// The services.
const (
	Table Service = "table"
	Queue Service = "queue"
	Blob  Service = "blob"
)

// Unreachable reports whether an error means that a service did not answer, or that it
// cannot do its work for the moment.
func Unreachable(err error) bool {
	var answered *azcore.ResponseError
	if errors.As(err, &answered) {
		return down(answered.StatusCode)
	}
	var batch *BatchError
	if errors.As(err, &batch) {
		return down(batch.Status)
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded)
}

func down(status int) bool { return status >= 500 || status == http.StatusTooManyRequests }

// settleFor is how long a service must have had no failure before a success means that
// it is back: some requests pass while it is overloaded.
const settleFor = time.Second

// health notices when services stop to answer and when they answer again, by the
// requests that are made anyway.
type health struct {
	changed func(s Service, err error, away time.Duration)

	mu    sync.Mutex // guards the rest
	state map[Service]*outage
}

// outage is a service that does not answer.
type outage struct{ since, failed time.Time }

// watch is the policy of a service. It sees each request once, after its last try.
type watch struct {
	service Service
	health  *health
}

func (w watch) Do(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	switch {
	case req.Raw().Context().Err() != nil:
		// The caller has given up.
	case err != nil:
		w.health.fail(w.service, err)
	case down(resp.StatusCode):
		w.health.fail(w.service, errors.New(resp.Status))
	default:
		w.health.succeed(w.service)
	}
	return resp, err
}

func (h *health) fail(s Service, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if o := h.state[s]; o != nil {
		o.failed = now
		return
	}
	h.state[s] = &outage{since: now, failed: now}
	h.changed(s, err, 0)
}

func (h *health) succeed(s Service) {
	h.mu.Lock()
	defer h.mu.Unlock()
	o, now := h.state[s], time.Now()
	if o == nil || now.Sub(o.failed) < settleFor {
		return
	}
	delete(h.state, s)
	h.changed(s, nil, now.Sub(o.since))
}
