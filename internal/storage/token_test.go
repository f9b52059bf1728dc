package storage

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// tokens gives a token after a second, and counts them.
type tokens struct {
	asked   int
	refresh time.Duration
	err     error
}

func (c *tokens) GetToken(ctx context.Context, _ policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.asked++
	select {
	case <-ctx.Done():
		return azcore.AccessToken{}, ctx.Err()
	case <-time.After(time.Second):
	}
	token := azcore.AccessToken{Token: "t", ExpiresOn: time.Now().Add(time.Hour)}
	if c.refresh > 0 {
		token.RefreshOn = time.Now().Add(c.refresh)
	}
	return token, c.err
}

var storageToken = policy.TokenRequestOptions{Scopes: []string{scope}}

// Clients that need a token at the same time cause one request.
func TestOneTokenForAllServices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &tokens{}
		shared := shareToken(source)
		var clients sync.WaitGroup
		for range 4 {
			clients.Go(func() {
				if token, err := shared.GetToken(t.Context(), storageToken); err != nil || token.Token != "t" {
					t.Errorf("%v %v", token, err)
				}
			})
		}
		clients.Wait()
		if source.asked != 1 {
			t.Errorf("the token was asked for %d times, want 1", source.asked)
		}
	})
}

func TestTokenIsAskedForAnew(t *testing.T) {
	for _, c := range []struct {
		name    string
		source  tokens
		later   time.Duration
		options policy.TokenRequestOptions
		want    int
	}{
		{"while it is good", tokens{}, 54 * time.Minute, storageToken, 1},
		{"before its end", tokens{}, 56 * time.Minute, storageToken, 2},
		{"when it should be refreshed", tokens{refresh: 10 * time.Minute}, 11 * time.Minute, storageToken, 2},
		{"before it should be refreshed", tokens{refresh: 10 * time.Minute}, 9 * time.Minute, storageToken, 1},
		{"for another audience", tokens{}, 0, policy.TokenRequestOptions{Scopes: []string{"other"}}, 2},
		{"with claims", tokens{}, 0, policy.TokenRequestOptions{Scopes: []string{scope}, Claims: "c"}, 2},
		{"after a failure", tokens{err: errors.New("no")}, 0, storageToken, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shared := shareToken(&c.source)
				_, first := shared.GetToken(t.Context(), storageToken)
				<-time.After(c.later)
				_, second := shared.GetToken(t.Context(), c.options)
				if !errors.Is(first, c.source.err) || !errors.Is(second, c.source.err) || c.source.asked != c.want {
					t.Errorf("asked %d times, %v, %v; want %d", c.source.asked, first, second, c.want)
				}
			})
		})
	}
}

// A client that gives up neither waits for the others nor fails them.
func TestWaitForATokenEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := shareToken(&tokens{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		var first sync.WaitGroup
		first.Go(func() {
			if _, err := shared.GetToken(t.Context(), storageToken); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		if _, err := shared.GetToken(ctx, storageToken); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want that of its context", err)
		}
		first.Wait()
	})
}

// A client that gives up does not take the request with it: on a slow machine the others
// would ask again.
func TestTokenIsAskedForOnceAlthoughAClientGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &tokens{}
		shared := shareToken(source)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := shared.GetToken(ctx, storageToken); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want that of its context", err)
		}
		if token, err := shared.GetToken(t.Context(), storageToken); err != nil || token.Token != "t" || source.asked != 1 {
			t.Errorf("%v %v, the token was asked for %d times, want 1", token, err, source.asked)
		}
	})
}
