package durable

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
	"github.com/durable-go/functions/internal/worker"
)

// mortal is the transport of a process that ends at its at-th request: before
// it is sent, or when it was answered. at 0 is never.
type mortal struct {
	at    int
	after bool
	dead  chan struct{}

	mu       sync.Mutex // guards requests
	requests []string
}

var errDead = errors.New("the process is dead")

func (m *mortal) Do(req *http.Request) (*http.Response, error) {
	m.mu.Lock()
	m.requests = append(m.requests, req.Method+" "+req.URL.Path)
	n := len(m.requests)
	m.mu.Unlock()
	if m.at > 0 && (n > m.at || n == m.at && !m.after) {
		if n == m.at {
			close(m.dead)
		}
		return nil, errDead
	}
	sent, err := copyOf(req)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(sent)
	if n == m.at {
		if err == nil {
			_ = resp.Body.Close()
		}
		close(m.dead)
		return nil, errDead
	}
	return resp, err
}

// copyOf is a request with a body of its own: the transport may still read it
// when its answer is lost and the caller tries again.
func copyOf(req *http.Request) (*http.Request, error) {
	if req.Body == nil {
		return req, nil
	}
	raw, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	sent := req.Clone(req.Context())
	sent.Body = io.NopCloser(bytes.NewReader(raw))
	return sent, nil
}

func (m *mortal) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.requests)
}

// TestCrashAtEveryRequest is TestCrashAtEveryCall one level lower, on the
// storage emulator: the process ends at every HTTP request of a chain and of a
// fan-out, and another one goes on.
func TestCrashAtEveryRequest(t *testing.T) {
	server := azuritetest.Server(t)
	for _, result := range []string{"chained", "joined"} {
		t.Run(result, func(t *testing.T) {
			all := crashOnAzurite(t, server.ConnectionString(), result, &mortal{})
			// The start message, the row, one commit where all results come together,
			// the outcome, and the removal of the message.
			if all < 5 {
				t.Fatalf("an orchestration makes %d requests, which cannot be", all)
			}
			for at := 1; at <= all; at++ {
				for _, after := range []bool{false, true} {
					t.Run(fmt.Sprintf("%d of %d, answered %v", at, all, after), func(t *testing.T) {
						t.Parallel()
						crashOnAzurite(t, server.ConnectionString(), result, &mortal{at: at, after: after, dead: make(chan struct{})})
					})
				}
			}
		})
	}
}

// crashOnAzurite runs an orchestration over the transport, and a second process
// when that has died. It returns how many requests the first one made.
func crashOnAzurite(t *testing.T, connection, result string, transport *mortal) int {
	p := &processes{t: t, connection: connection, hub: azuritetest.HubName()}
	var functions []Registration
	p.ran, functions, p.all = counting()
	p.registry = newRegistry()
	for _, f := range functions {
		if err := f.register(p.registry); err != nil {
			t.Fatal(err)
		}
	}
	healthy := p.open(http.DefaultClient)
	if err := healthy.store.Create(t.Context(), taskhub.Owner{}); err != nil {
		t.Fatal(err)
	}
	first := p.open(transport)
	_, startErr := first.start(result)
	if transport.at == 0 {
		p.finished(healthy, result)
		first.worker.Stop(t.Context())
		return transport.count()
	}
	p.await(func() bool {
		select {
		case <-transport.dead:
			return true
		default:
		}
		// Results that come together share a commit: there may be fewer requests
		// than were counted, and then nobody dies.
		row, err := healthy.store.Instance(t.Context(), "x")
		return err == nil && row.Status.Finished()
	})
	first.worker.Kill()
	committed := p.committed(healthy)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	healthy.worker.Poll(ctx, taskhub.ControlQueue(p.hub))
	healthy.worker.PollActivities(ctx, taskhub.WorkItemQueue(p.hub))
	if startErr != nil {
		if _, err := healthy.start(result); err != nil {
			t.Fatalf("the repeated start: %v", err)
		}
	}
	p.finished(healthy, result)
	healthy.worker.Kill()
	for city, n := range committed {
		if p.ran.n[city] != n {
			t.Errorf("%s ran again although its result was committed", city)
		}
	}
	return transport.count()
}

// processes are those of one hub, one after the other.
type processes struct {
	t               *testing.T
	connection, hub string
	registry        *registry
	ran             *runs
	all             map[string]*Orchestrator[None, string]
}

type process struct {
	p      *processes
	store  *azure.Hub
	worker *worker.Worker
	client *client.Client
}

func (p *processes) open(transport interface {
	Do(*http.Request) (*http.Response, error)
}) *process {
	p.t.Helper()
	connection, err := storage.Parse(p.connection)
	if err != nil {
		p.t.Fatal(err)
	}
	account, err := storage.Open(connection, storage.Options{Transport: transport})
	if err != nil {
		p.t.Fatal(err)
	}
	out := &process{p: p}
	if out.store, err = azure.Open(account, p.hub, azure.Options{}); err != nil {
		p.t.Fatal(err)
	}
	out.worker, err = worker.New(worker.Options{
		Store: out.store, Programs: p.registry.program, Activities: p.registry.activity, Lease: time.Second,
		Control: taskhub.ControlQueue(p.hub), WorkItems: func(string) string { return taskhub.WorkItemQueue(p.hub) },
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		p.t.Fatal(err)
	}
	out.client = client.New(out.store, client.Options{Queue: taskhub.ControlQueue(p.hub), Local: out.worker, Lease: time.Second})
	return out
}

// start starts the orchestration. Repeated, it is the same start.
func (p *process) start(result string) (*taskhub.Instance, error) {
	return p.client.Start(p.p.t.Context(), client.Start{Name: p.p.all[result].Name(), InstanceID: "x", ExecutionID: "x1"})
}

// finished waits until the instance has completed.
func (p *processes) finished(with *process, result string) {
	p.t.Helper()
	p.await(func() bool {
		row, err := with.store.Instance(p.t.Context(), "x")
		if err != nil || !row.Status.Finished() {
			return false
		}
		if row.Status != history.Completed || string(row.Output) != `"`+result+`"` {
			p.t.Errorf("%v %s", row.Status, row.Output)
		}
		return true
	})
}

// committed is how often each activity had run whose result was in the history
// when the process died.
func (p *processes) committed(with *process) map[string]int {
	p.t.Helper()
	loaded, err := with.store.Load(p.t.Context(), "x", 0)
	if err != nil {
		p.t.Fatal(err)
	}
	out := map[string]int{}
	p.ran.mu.Lock()
	defer p.ran.mu.Unlock()
	for _, e := range loaded.Events {
		if e.Type == history.TaskCompleted {
			city := strings.TrimSuffix(strings.TrimPrefix(string(e.Result), `"Hello `), `"`)
			out[city] = p.ran.n[city]
		}
	}
	return out
}

// await polls with a deadline that only ends a test that hangs.
func (p *processes) await(f func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !f(); <-time.After(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatal("it does not come to pass")
		}
	}
}
