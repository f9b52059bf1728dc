package azure_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/taskhub/azure"
	"github.com/durable-go/functions/internal/taskhub/taskhubtest"
)

func TestMain(m *testing.M) { os.Exit(azuritetest.Run(m)) }

// forgetful is a transport that can lose the answer of the next transaction.
type forgetful struct{ next atomic.Bool }

func (f *forgetful) Do(req *http.Request) (*http.Response, error) {
	resp, err := http.DefaultClient.Do(req)
	if err == nil && strings.HasSuffix(req.URL.Path, "$batch") && f.next.CompareAndSwap(true, false) {
		_ = resp.Body.Close()
		return nil, errors.New("the answer was lost")
	}
	return resp, err
}

func TestConformance(t *testing.T) {
	server := azuritetest.Server(t)
	taskhubtest.Run(t, func(t *testing.T) taskhubtest.Harness {
		transport := &forgetful{}
		connection, err := storage.Parse(server.ConnectionString())
		if err != nil {
			t.Fatal(err)
		}
		account, err := storage.Open(connection, storage.Options{Transport: transport})
		if err != nil {
			t.Fatal(err)
		}
		queue := taskhubtest.ControlQueue
		hub, err := azure.Open(account, azuritetest.HubName(), azure.Options{Queues: []string{queue}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = account.Queues.DeleteQueue(context.Background(), queue, nil) })
		return taskhubtest.Harness{Store: hub, Wait: wait, LoseAnswer: func() { transport.next.Store(true) }}
	})
}

// wait lets real time pass: the emulator has its own clock.
func wait(d time.Duration) { <-time.After(d) }
