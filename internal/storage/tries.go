package storage

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Tries are those of a request that the pipeline repeats by itself. A repeated
// request may be refused because of its own first try: an update of a message
// changes the receipt that the next try sends. It may be used concurrently.
type Tries struct{ unanswered atomic.Bool }

// Unanswered reports whether a try failed so that it may have been applied: its
// answer was lost, or means that the service gave up on it.
func (t *Tries) Unanswered() bool { return t.unanswered.Load() }

type triesKey struct{}

// WithTries returns a context whose requests are noted in the result.
func WithTries(ctx context.Context) (context.Context, *Tries) {
	t := &Tries{}
	return context.WithValue(ctx, triesKey{}, t), t
}

// noteTries is the policy that does so. It sees each try.
type noteTries struct{}

func (noteTries) Do(req *policy.Request) (*http.Response, error) {
	resp, err := req.Next()
	if t, ok := req.Raw().Context().Value(triesKey{}).(*Tries); ok && (err != nil || uncertain(resp.StatusCode)) {
		t.unanswered.Store(true)
	}
	return resp, err
}

// uncertain reports whether a status leaves open what became of the request. 503
// and 429 do not: the service had no time for it.
func uncertain(status int) bool {
	return status >= 500 && status != http.StatusServiceUnavailable || status == http.StatusRequestTimeout
}
