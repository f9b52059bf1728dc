//go:build linux

package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/e2e/host"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

// proxy stands between the app and a storage service: an outage loses nothing that the
// service has.
type proxy struct {
	listener net.Listener
	to       string

	mu    sync.Mutex // guards the rest
	away  bool
	conns map[net.Conn]bool
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, to: to, conns: map[net.Conn]bool{}}
	t.Cleanup(func() {
		_ = l.Close()
		p.set(true)
	})
	go p.serve()
	return p
}

// set lets the service be away, or back.
func (p *proxy) set(away bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away = away; away {
		for c := range p.conns {
			_ = c.Close()
		}
		clear(p.conns)
	}
}

// keep notes connections that end with an outage, and reports whether there is none.
func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away {
		return false
	}
	for _, c := range conns {
		p.conns[c] = true
	}
	return true
}

func (p *proxy) serve() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		s, err := net.Dial("tcp", p.to)
		if err != nil || !p.keep(c, s) {
			_ = c.Close()
			if err == nil {
				_ = s.Close()
			}
			continue
		}
		pipe := func(a, b net.Conn) {
			_, _ = io.Copy(a, b)
			_, _ = a.Close(), b.Close()
		}
		go pipe(c, s)
		go pipe(s, c)
	}
}

// throughProxies is a connection string whose services are behind proxies, by name.
func throughProxies(t *testing.T, connection string) (string, map[string]*proxy) {
	t.Helper()
	proxies := map[string]*proxy{}
	for _, part := range strings.Split(connection, ";") {
		name, address, ok := strings.Cut(part, "Endpoint=")
		if !ok {
			continue
		}
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		p := newProxy(t, u.Host)
		proxies[strings.ToLower(name)] = p
		connection = strings.Replace(connection, u.Host, p.listener.Addr().String(), 1)
	}
	return connection, proxies
}

// While a service of storage is away a start is accepted or refused with 503 and
// Retry-After; it happens once, at the latest when its caller repeats it, and each
// change of a service is one line of the log.
func TestStorageIsAway(t *testing.T) {
	host.NeedFunc(t)
	connection, proxies := throughProxies(t, azuritetest.Server(t).ConnectionString())
	traces := t.TempDir()
	h := host.Run(t, host.Options{
		Settings: map[string]any{"storageProvider": map[string]any{"partitionCount": 1, "controlQueueVisibilityTimeout": "00:00:05"}},
		Main:     "./internal/e2e/testapp", Folders: []string{"internal/e2e/testapp"},
		Storage: connection, Hub: azuritetest.HubName(), Env: []string{"E2E_TRACES=" + traces},
	})
	for _, away := range [][]string{{"queue"}, {"table"}, {"blob", "queue", "table"}} {
		t.Run(strings.Join(away, " and "), func(t *testing.T) {
			completes(t, h, starts(t, h, "Orchestrator", "", "null"), labOutput)
			for _, name := range away {
				proxies[name].set(true)
			}
			ids, refused := startWhileAway(t, h, strings.Join(away, "-"))
			for _, name := range away {
				proxies[name].set(false)
			}
			back := time.Now()
			completes(t, h, starts(t, h, "Orchestrator", "", "null"), labOutput)
			t.Logf("%d of %d starts were refused; a new chain completed %v after the service was back", refused, len(ids), time.Since(back).Round(time.Millisecond))
			for _, id := range ids {
				starts(t, h, "Orchestrator", id, "null")
				completes(t, h, id, labOutput)
				if runs := lines(t, traces, id); len(runs) != 3 {
					t.Errorf("%s: the activities ran for %q", id, runs)
				}
			}
		})
	}
	// Each is away once by itself, and once with all others, where it may be that nothing
	// has asked for it.
	for _, name := range []string{"queue", "table"} {
		if n := strings.Count(h.Log(), `msg="storage service does not answer; requests are repeated until it does" service=`+name); n < 1 || n > 2 {
			t.Errorf("the log tells %d times that the %s service is away, want once or twice", n, name)
		}
	}
}

// startWhileAway starts instances for some seconds.
func startWhileAway(t *testing.T, h *host.Host, prefix string) (ids []string, refused int) {
	t.Helper()
	for n := range 5 {
		id := fmt.Sprint(prefix, "-", n)
		reply, err := h.Do(bounded(t), http.MethodPost, "/api/orchestrators/Orchestrator?id="+id, []byte("null"))
		switch {
		case err != nil:
			t.Error(err)
		case reply.Code == http.StatusServiceUnavailable && reply.Header.Get("Retry-After") != "":
			refused++
			ids = append(ids, id)
		default:
			t.Errorf("%s: %d %s, Retry-After %q, want 503", id, reply.Code, reply.Body, reply.Header.Get("Retry-After"))
		}
	}
	return ids, refused
}

// An instance whose start message is hidden, as by a machine that ended with it, is
// found by the next process.
func TestHiddenStartIsFound(t *testing.T) {
	h, traces := runTestApp(t)
	completes(t, h, starts(t, h, "Orchestrator", "", "null"), labOutput)
	if err := h.Kill(); err != nil {
		t.Fatal(err)
	}
	hide(t, h, "hidden", "Orchestrator")
	began := time.Now()
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	completes(t, h, "hidden", labOutput)
	t.Logf("completed %v after the restart began", time.Since(began).Round(time.Millisecond))
	if runs := lines(t, traces, "hidden"); len(runs) != 3 {
		t.Errorf("the activities ran for %q", runs)
	}
}

// hide makes an instance whose start message no process can receive for an hour.
func hide(t *testing.T, h *host.Host, id, orchestrator string) {
	t.Helper()
	hub := hubtest.Open(t, h.Options.Storage, h.Options.Hub, nil)
	now := time.Now().UTC()
	row := &taskhub.Instance{ID: id, ExecutionID: taskhub.NewID(), Name: orchestrator, Input: []byte("null"), Status: history.Pending, Created: now, Updated: now}
	if err := hub.Insert(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	if _, err := hub.Send(t.Context(), taskhub.ControlQueue(h.Options.Hub), taskhub.Started(row), time.Hour); err != nil {
		t.Fatal(err)
	}
}
