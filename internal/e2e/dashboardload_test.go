//go:build linux

package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/e2e/host"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/management"
	"github.com/durable-go/functions/internal/reconcile"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

// countingTransport counts the requests to storage for a request of the page.
type countingTransport struct{ *fake.Account }

// countKey names the *atomic.Int64 of a request of the page in its context.
type countKey struct{}

func (c countingTransport) Do(r *http.Request) (*http.Response, error) {
	if n, ok := r.Context().Value(countKey{}).(*atomic.Int64); ok {
		n.Add(1)
	}
	return c.Account.Do(r)
}

// countedWriter tells the page how many requests to storage an answer took.
type countedWriter struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (w *countedWriter) WriteHeader(code int) {
	w.Header().Set("X-Storage-Requests", strconv.FormatInt(w.n.Load(), 10))
	w.ResponseWriter.WriteHeader(code)
}

func (w *countedWriter) Write(p []byte) (int, error) {
	if w.Header().Get("X-Storage-Requests") == "" {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// loadLatency is what each request to storage takes, beside its work: about that
// of a storage account in the same region.
const loadLatency = 5 * time.Millisecond

// How a large hub is made: DURABLE_LOAD instances (such as 100000), created over
// a month, and one of them with a long history.
const (
	longHistory  = 10_000
	loadSpan     = 30 * 24 * time.Hour
	loadAtOnce   = 24
	loadPatience = 15 * time.Minute
)

// The dashboard of a large hub in a storage account in memory: what each view
// costs, printed. It is long, so that it runs only where DURABLE_LOAD says how many instances there shall be.
func TestDashboardLoad(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("DURABLE_LOAD"))
	if err != nil {
		t.Skip("DURABLE_LOAD is not set: 100000 makes a hub of as many instances")
	}
	browser := chromium(t)
	count := countingTransport{Account: fake.NewStrict(loadLatency)}
	const name = "LoadHub"
	hub := hubtest.Open(t, count.ConnectionString(), name, count)
	ctx, cancel := context.WithTimeout(t.Context(), loadPatience)
	defer cancel()
	if err := hub.Create(ctx, taskhub.Owner{}); err != nil {
		t.Fatal(err)
	}
	fillHub(t, ctx, hub, n)
	fillHistory(t, ctx, hub)
	fillEntities(t, ctx, hub)
	api := &management.API{
		Client: client.New(hub, client.Options{Queue: taskhub.ControlQueue(name)}), Log: slog.Default(),
		Links: &management.Links{Keys: management.NewKeys(hub, name, time.Now), Path: "/api/durabletask-links"},
		Site: management.Site{
			Gauge: hub, Queues: []string{taskhub.ControlQueue(name), taskhub.WorkItemQueue(name)},
			Processes: func(ctx context.Context) ([]reconcile.Process, error) { return reconcile.ReadProcesses(ctx, hub) },
		},
	}
	operators := api.Operators("/api/durabletask")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun, n := time.Now(), &atomic.Int64{}
		w = &countedWriter{ResponseWriter: w, n: n}
		operators.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), countKey{}, n)))
		t.Logf("%s %.110s: %d requests to storage, %v", r.Method, r.URL.RequestURI(), n.Load(), time.Since(begun).Round(time.Millisecond))
	}))
	defer server.Close()
	root, err := host.Root()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, "node", "test/browser/load.mjs")
	cmd.Dir = filepath.Join(root, "internal", "dashboard", "web")
	cmd.Env = append(os.Environ(), "DASHBOARD="+server.URL+"/api/durabletask/dashboard", "CHROMIUM="+browser)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

// fillHub makes instances in all states, most of them completed.
func fillHub(t *testing.T, ctx context.Context, hub *azure.Hub, n int) {
	begun := time.Now()
	now := begun.UTC()
	var wg sync.WaitGroup
	next := make(chan int)
	failed := atomic.Pointer[error]{}
	for range loadAtOnce {
		wg.Go(func() {
			for i := range next {
				root := int32(0)
				status := []history.Status{history.Completed, history.Completed, history.Completed, history.Completed, history.Failed, history.Running}[i%6]
				created := now.Add(-time.Duration(rand.Int64N(int64(loadSpan))))
				row := &taskhub.Instance{
					ID: fmt.Sprintf("%016x", rand.Uint64()), ExecutionID: "x", Name: []string{"ProcessOrder", "Report", "Shipment"}[i%3], Status: status,
					Created: created, Updated: created.Add(time.Minute), Completed: created.Add(time.Minute), Generation: &root,
					Tags: map[string]string{"region": []string{"eu", "us"}[i%2]}, Input: history.Payload(`{"order":1}`), Output: history.Payload(`"done"`),
				}
				if err := hub.Insert(ctx, row); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	if err := failed.Load(); err != nil {
		t.Fatal(*err)
	}
	t.Logf("%d instances made in %v", n, time.Since(begun).Round(time.Second))
}

// fillHistory makes an instance with a long history.
func fillHistory(t *testing.T, ctx context.Context, hub *azure.Hub) {
	root := int32(0)
	now := time.Now().UTC()
	row := &taskhub.Instance{ID: "long", ExecutionID: "x", Name: "Report", Status: history.Completed, Created: now, Updated: now, Completed: now, Generation: &root}
	if err := hub.Insert(ctx, row); err != nil {
		t.Fatal(err)
	}
	events := []*history.Event{
		{Type: history.OrchestratorStarted, ID: history.NoID, Timestamp: now},
		{Type: history.ExecutionStarted, ID: history.NoID, Timestamp: now, Name: "Report", Instance: history.InstanceRef{InstanceID: "long", ExecutionID: "x"}},
	}
	for i := range int32((longHistory - len(events)) / 2) {
		at := now.Add(time.Duration(i) * time.Millisecond)
		events = append(events, &history.Event{Type: history.TaskScheduled, ID: i, Name: fmt.Sprintf("Step%d", i%2000), Timestamp: at})
		events = append(events, &history.Event{Type: history.TaskCompleted, ID: history.NoID, TaskID: i, Timestamp: at.Add(50 * time.Millisecond), Result: history.Payload(`"ok"`)})
	}
	if _, err := hub.Commit(ctx, &taskhub.Commit{InstanceID: "long", ExecutionID: "x", Nonce: "n", Time: now, Events: events}); err != nil {
		t.Fatal(err)
	}
}

// fillEntities makes entities, one of them with a backlog.
func fillEntities(t *testing.T, ctx context.Context, hub *azure.Hub) {
	now := time.Now().UTC()
	for i := range 1000 {
		id := history.NewEntityID("counter", fmt.Sprintf("%04d", i)).String()
		row := &taskhub.Instance{
			ID: id, ExecutionID: "x", Name: id, Status: history.Running, Created: now, Updated: now,
			Input: history.EntityState{State: history.Payload(`{"value":1}`)}.Encode(), CustomStatus: history.EntityStatus{Exists: true}.Encode(),
		}
		if err := hub.Insert(ctx, row); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		var tellings []*taskhub.Telling
		for range taskhub.MaxTold {
			request := history.EntityRequest{Operation: "add", Signal: true, ID: taskhub.NewGUID(), Input: history.Payload(`1`)}
			event := &history.Event{Type: history.EventRaised, ID: history.NoID, Timestamp: now, Name: history.EntityOperation, Input: request.Encode()}
			tellings = append(tellings, &taskhub.Telling{ID: request.ID, Sent: now, Event: event})
		}
		if err := hub.Tell(ctx, "@counter@0000", tellings...); err != nil {
			t.Fatal(err)
		}
	}
}
