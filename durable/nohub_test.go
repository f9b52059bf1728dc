package durable

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
)

// nowhere is the network for a name that has no address.
type nowhere struct{}

func (nowhere) Do(req *http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: req.URL.Hostname(), IsNotFound: true}}
}

// A client of a hub or an account that is not there says so in one sentence.
func TestNoTaskHub(t *testing.T) {
	account := fake.New(0)
	for name, c := range map[string]struct {
		transport interface {
			Do(*http.Request) (*http.Response, error)
		}
		text string
	}{
		"no hub":     {account, "task hub does not exist"},
		"no account": {nowhere{}, "storage account does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := clientOver(t, account.ConnectionString(), c.transport)
				ctx := t.Context()
				_, startErr := client.StartNew(ctx, "O", nil)
				_, statusErr := client.Status(ctx, "x")
				_, _, listErr := client.ListPage(ctx, Query{}, "")
				_, waitErr := client.WaitForCompletion(ctx, "x")
				_, historyErr := client.History(ctx, "x")
				for what, err := range map[string]error{
					"start": startErr, "status": statusErr, "list": listErr, "wait": waitErr, "history": historyErr,
					"raise": client.RaiseEvent(ctx, "x", "e", 1), "terminate": client.Terminate(ctx, "x", ""), "rewind": client.Rewind(ctx, "x", ""),
				} {
					if !errors.Is(err, ErrNoTaskHub) || errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), c.text) {
						t.Errorf("%s: %v", what, err)
					} else if text := err.Error(); strings.Contains(text, "\n") || len(text) > 250 {
						t.Errorf("%s: %d bytes: %s", what, len(text), text)
					}
				}
			})
		})
	}
}

// clientOver is a client of another program over a transport.
func clientOver(t *testing.T, connection string, transport interface {
	Do(*http.Request) (*http.Response, error)
},
) *Client {
	t.Helper()
	parsed, err := storage.Parse(connection)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := storage.Open(parsed, storage.Options{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	var store taskhub.Store
	if store, err = azure.Open(opened, hubName, azure.Options{}); err != nil {
		t.Fatal(err)
	}
	outside, err := newClientCore(store, ClientOptions{TaskHub: hubName})
	if err != nil {
		t.Fatal(err)
	}
	return &Client{core: func() (*core, error) { return outside, nil }}
}
