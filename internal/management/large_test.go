package management_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/management"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
)

// counter is an answer of which only the length is kept, and how much memory is
// in use while it is written.
type counter struct {
	header http.Header
	bytes  int
	peak   *uint64
}

func (c *counter) Header() http.Header { return c.header }
func (c *counter) WriteHeader(int)     {}
func (c *counter) Write(p []byte) (int, error) {
	c.bytes += len(p)
	*c.peak = max(*c.peak, inUse())
	return len(p), nil
}

// inUse is the memory of the heap, with what is not collected yet.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Instances with large payloads are listed in little memory: each of 10 MiB in and
// 10 MiB out. How many there are makes no difference; LARGE_INSTANCES=100 lists 2
// GiB.
func TestListOfLargeInstances(t *testing.T) {
	const size = 10 << 20
	instances := 10
	if n, err := strconv.Atoi(os.Getenv("LARGE_INSTANCES")); err == nil {
		instances = n
	}
	account := fake.New(0)
	connection, err := storage.Parse(account.ConnectionString())
	if err != nil {
		t.Fatal(err)
	}
	opened, err := storage.Open(connection, storage.Options{Transport: account})
	if err != nil {
		t.Fatal(err)
	}
	hub, err := azure.Open(opened, "Fake", azure.Options{MaxLarge: 2 * size})
	if err != nil {
		t.Fatal(err)
	}
	if err := hub.Create(t.Context(), taskhub.Owner{}); err != nil {
		t.Fatal(err)
	}
	text := history.Payload(`"` + strings.Repeat("x", size-2) + `"`)
	for n := range instances {
		row := &taskhub.Instance{ID: fmt.Sprintf("i%d", n), ExecutionID: "x", Name: "O", Status: history.Completed, Input: text, Output: text}
		if err := hub.Insert(t.Context(), row); err != nil {
			t.Fatal(err)
		}
	}
	api := &management.API{
		Client: client.New(hub, client.Options{Queue: "q"}), Log: slog.New(slog.DiscardHandler),
		Links: &management.Links{Keys: management.NewKeys(hub, "Fake", time.Now), Path: "/links"},
	}
	for _, query := range []string{"", "?showInput=false"} {
		runtime.GC()
		before := inUse()
		peak, got, pages, token := before, 0, 0, ""
		for {
			r := httptest.NewRequest(http.MethodGet, "http://localhost/api/instances"+query, nil)
			r.Header.Set("X-Ms-Continuation-Token", token)
			w := &counter{header: http.Header{}, peak: &peak}
			api.Operators("/api").ServeHTTP(w, r)
			got += w.bytes
			pages++
			if token = w.header.Get("X-Ms-Continuation-Token"); token == "" {
				break
			}
		}
		want := 2 * instances * size
		if query != "" {
			want = instances * size
		}
		more := (peak - before) >> 20
		t.Logf("%q: %d MiB in %d pages, %d MiB more memory", query, got>>20, pages, more)
		if got < want || more >= 64 {
			t.Errorf("%q: %d bytes in %d pages, want %d; %d MiB more memory, want less than 64", query, got, pages, want, more)
		}
	}
}
