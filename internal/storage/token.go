package storage

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// renewBefore is how long before its end a token is asked for anew. The clients ask
// for another from then on, too.
const renewBefore = 5 * time.Minute

// askFor is how long a request for a token may take.
const askFor = time.Minute

// oneToken gives the clients of all services the same token: those that need one at
// the same time wait for a single request, which goes on when some of them give up. It
// may be used concurrently.
type oneToken struct {
	credential azcore.TokenCredential

	mu      sync.Mutex // guards what follows
	token   azcore.AccessToken
	options string
	// asked is the request on its way; nil: there is none.
	asked *askedToken
}

// askedToken is a request for a token. token and err are set when done is closed.
type askedToken struct {
	options string
	done    chan struct{}
	token   azcore.AccessToken
	err     error
}

func shareToken(c azcore.TokenCredential) *oneToken { return &oneToken{credential: c} }

// GetToken returns the token that it has for these options while it is good, and asks
// for one else, or when the service has claims against the one that it had.
func (o *oneToken) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	o.mu.Lock()
	key := tokenKey(options)
	if options.Claims == "" && key == o.options && good(o.token, time.Now()) {
		defer o.mu.Unlock()
		return o.token, nil
	}
	asked := o.asked
	if asked == nil || asked.options != key {
		asked = &askedToken{options: key, done: make(chan struct{})}
		o.asked = asked
		go o.ask(context.WithoutCancel(ctx), asked, options) // those that wait own it; it ends after askFor
	}
	o.mu.Unlock()
	select {
	case <-asked.done:
		return asked.token, asked.err
	case <-ctx.Done():
		return azcore.AccessToken{}, fmt.Errorf("waiting for a token: %w", context.Cause(ctx))
	}
}

func (o *oneToken) ask(ctx context.Context, asked *askedToken, options policy.TokenRequestOptions) {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	asked.token, asked.err = o.credential.GetToken(ctx, options)
	o.mu.Lock()
	defer o.mu.Unlock()
	if asked.err == nil {
		// A token that answers claims is as good as another one afterwards.
		options.Claims = ""
		o.token, o.options = asked.token, tokenKey(options)
	}
	if o.asked == asked {
		o.asked = nil
	}
	close(asked.done)
}

func tokenKey(options policy.TokenRequestOptions) string {
	return fmt.Sprint(options.Scopes, options.TenantID, options.EnableCAE, options.Claims)
}

// good reports whether a token need not be asked for anew.
func good(t azcore.AccessToken, now time.Time) bool {
	return now.Add(renewBefore).Before(t.ExpiresOn) && (t.RefreshOn.IsZero() || now.Before(t.RefreshOn))
}
