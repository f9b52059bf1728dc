package fake_test

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub/azure"
	"github.com/durable-go/functions/internal/taskhub/taskhubtest"
)

func TestMain(m *testing.M) { os.Exit(azuritetest.Run(m)) }

// forgetful is a transport that can lose the answer of the next transaction.
type forgetful struct {
	account *fake.Account
	next    atomic.Bool
}

func (f *forgetful) Do(req *http.Request) (*http.Response, error) {
	resp, err := f.account.Do(req)
	if err == nil && strings.HasSuffix(req.URL.Path, "$batch") && f.next.CompareAndSwap(true, false) {
		return nil, errors.New("the answer was lost")
	}
	return resp, err
}

// TestTaskHub runs the conformance suite of task hubs: what works on Azurite
// works here.
func TestTaskHub(t *testing.T) {
	taskhubtest.Run(t, func(t *testing.T) taskhubtest.Harness {
		account := fake.New(0)
		transport := &forgetful{account: account}
		connection, err := storage.Parse(account.ConnectionString())
		if err != nil {
			t.Fatal(err)
		}
		opened, err := storage.Open(connection, storage.Options{Transport: transport})
		if err != nil {
			t.Fatal(err)
		}
		hub, err := azure.Open(opened, "Fake", azure.Options{Queues: []string{taskhubtest.ControlQueue}})
		if err != nil {
			t.Fatal(err)
		}
		wait := func(d time.Duration) { <-time.After(d) }
		return taskhubtest.Harness{Store: hub, Wait: wait, LoseAnswer: func() { transport.next.Store(true) }}
	})
}
