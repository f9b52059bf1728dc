package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// renewBefore is how long before its end a token is asked for anew. The clients ask
// for another from then on, too.
const renewBefore = 5 * time.Minute

// oneToken gives the clients of all services the same token: those that need one at
// the same time wait for a single request. It may be used concurrently.
type oneToken struct {
	credential azcore.TokenCredential

	// turn has room for the caller that may read and write what follows.
	turn    chan struct{}
	token   azcore.AccessToken
	options string
}

func shareToken(c azcore.TokenCredential) *oneToken {
	return &oneToken{credential: c, turn: make(chan struct{}, 1)}
}

// GetToken returns the token that it has for these options while it is good, and asks
// for one else, or when the service has claims against the one that it had.
func (o *oneToken) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	select {
	case o.turn <- struct{}{}:
	case <-ctx.Done():
		return azcore.AccessToken{}, fmt.Errorf("waiting for a token: %w", context.Cause(ctx))
	}
	defer func() { <-o.turn }()
	key := fmt.Sprint(options.Scopes, options.TenantID, options.EnableCAE)
	if options.Claims == "" && key == o.options && good(o.token, time.Now()) {
		return o.token, nil
	}
	token, err := o.credential.GetToken(ctx, options)
	if err == nil {
		o.token, o.options = token, key
	}
	return token, err
}

// good reports whether a token need not be asked for anew.
func good(t azcore.AccessToken, now time.Time) bool {
	return now.Add(renewBefore).Before(t.ExpiresOn) && (t.RefreshOn.IsZero() || now.Before(t.RefreshOn))
}
