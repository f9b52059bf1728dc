package storage_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
)

// cut is a transport some of whose services do not answer.
type cut struct {
	next interface {
		Do(*http.Request) (*http.Response, error)
	}
	away map[string]bool
}

func (c *cut) Do(r *http.Request) (*http.Response, error) {
	for service := range c.away {
		if c.away[service] && r.URL.Host == service {
			return nil, errors.New("connection refused")
		}
	}
	return c.next.Do(r)
}

// Each service is told of once when it goes away and once when it is back, whatever the
// other services answer meanwhile.
func TestEachServiceIsToldOfOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := fake.NewStrict(0)
		connection, err := storage.Parse(backend.ConnectionString())
		if err != nil {
			t.Fatal(err)
		}
		host := func(address string) string {
			r, err := http.NewRequest(http.MethodGet, address, nil)
			if err != nil {
				t.Fatal(err)
			}
			return r.URL.Host
		}
		var told []string
		transport := &cut{next: backend, away: map[string]bool{}}
		account, err := storage.Open(connection, storage.Options{Transport: transport, MaxRetries: -1, Changed: func(s storage.Service, err error, away time.Duration) {
			told = append(told, fmt.Sprint(s, " ", err != nil, " ", away))
		}})
		if err != nil {
			t.Fatal(err)
		}
		traffic := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); <-time.After(100 * time.Millisecond) {
				_, _ = account.Queues.NewQueueClient("queue").Create(t.Context(), nil)
				_, _ = account.Tables.NewClient("Table").CreateTable(t.Context(), nil)
				_, _ = account.Blobs.CreateContainer(t.Context(), "container", nil)
			}
		}
		traffic(time.Second)
		transport.away[host(connection.Queue)] = true
		traffic(10 * time.Second)
		transport.away[host(connection.Table)] = true
		traffic(10 * time.Second)
		clear(transport.away)
		traffic(10 * time.Second)
		want := []string{"queue true 0s", "table true 0s"}
		if len(told) != 4 || !slices.Equal(told[:2], want) {
			t.Errorf("told %q", told)
		}
	})
}

// What means that a service is away is told from what it refuses.
func TestUnreachable(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{errors.New("damaged"), false},
		{&storage.BatchError{Status: 503}, true},
		{&storage.BatchError{Status: 412}, false},
		{fmt.Errorf("reading: %w", &timeout{}), true},
	} {
		if got := storage.Unreachable(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}

type timeout struct{}

func (*timeout) Error() string   { return "i/o timeout" }
func (*timeout) Timeout() bool   { return true }
func (*timeout) Temporary() bool { return true }
