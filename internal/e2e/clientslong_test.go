//go:build linux && long

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/e2e/host"
)

// times is how often official clients make all of their checks.
const times = 5

// warm makes the queues of a client with four partitions known: what it sends first waits
// for the next look at other queues, longer than the monitor's checks do.
func (c *clients) warm(t *testing.T) {
	t.Helper()
	all(t, []checks{c.ofLibrary("4", "^(start|input_.*|version_and_tags|event|terminate|failed)$")})
}

// All checks of official clients pass, several times one after the other.
func TestOfficialClientsAgainAndAgain(t *testing.T) {
	for _, k := range []struct {
		name  string
		start func(*testing.T, *clients) checks
	}{
		{"library, 1 partition", func(_ *testing.T, c *clients) checks { return c.ofLibrary("1", ".") }},
		{"library, 4 partitions", func(_ *testing.T, c *clients) checks { return c.ofLibrary("4", ".") }},
		{"monitor, 1 partition", func(t *testing.T, c *clients) checks {
			m := c.monitor(t, "1")
			m.ready(t)
			return c.ofMonitor("1 partition", m, ".")
		}},
		{"monitor, 4 partitions", func(t *testing.T, c *clients) checks {
			m := c.monitor(t, "")
			m.ready(t)
			c.warm(t)
			return c.ofMonitor("4 partitions", m, ".")
		}},
	} {
		t.Run(k.name, func(t *testing.T) {
			c := newClients(t, host.Options{})
			each := []checks{k.start(t, c)}
			for range times {
				all(t, each)
			}
			rowsAreTrue(t, c.h)
		})
	}
}

// killing kills the host again and again, ten seconds after it answers, until stop.
type killing struct {
	h     *host.Host
	ends  chan struct{}
	group sync.WaitGroup
	kills int
	err   error
}

func startKilling(h *host.Host) *killing {
	k := &killing{h: h, ends: make(chan struct{})}
	k.group.Go(func() {
		for k.err == nil {
			select {
			case <-time.After(10 * time.Second):
			case <-k.ends:
				return
			}
			if k.err = k.h.Kill(); k.err == nil {
				k.kills++
				k.err = k.h.Start()
			}
		}
	})
	return k
}

func (k *killing) stop(t *testing.T) {
	t.Helper()
	close(k.ends)
	k.group.Wait()
	t.Logf("the host was killed %d times", k.kills)
	if k.err != nil || k.kills < 2 {
		t.Errorf("%d kills, %v", k.kills, k.err)
	}
}

// While the host is killed again and again nothing is lost that the official library asks
// for. A message that the host had fetched and not handed over is hidden for ten minutes.
// Not made are checks of the order, which a message that comes again does not keep, and
// those that give an entity 15 seconds.
func TestOfficialLibraryWhileTheHostIsKilled(t *testing.T) {
	for _, partitions := range []string{"1", "4"} {
		t.Run(partitions+" partitions", func(t *testing.T) {
			c := newClients(t, host.Options{Settings: shortLease})
			c.wait = "700"
			killing := startKilling(c.h)
			all(t, []checks{c.ofLibrary(partitions, but("event_order", "entity_"))})
			killing.stop(t)
		})
	}
}

// While the host is killed again and again each event that a person raises in the
// monitor comes once.
func TestEventsOfOfficialClientsWhileTheHostIsKilled(t *testing.T) {
	const instances, events = 10, 20
	for _, partitions := range []string{"1", ""} {
		t.Run("partitions "+partitions, func(t *testing.T) {
			c := newClients(t, host.Options{Settings: shortLease})
			m := c.monitor(t, partitions)
			m.ready(t)
			p := &person{t, &host.Host{URL: m.url}, c.h.Options.Hub}
			// The last wait is for an event that came twice.
			const program = `{"steps":[{"do":"repeat","n":%d,"steps":[{"do":"wait","event":"E"}]},{"do":"wait","event":"E","timeoutMs":20000}]}`
			for n := range instances {
				p.start("Program", fmt.Sprint("i", n), fmt.Sprintf(program, events))
			}
			killing := startKilling(c.h)
			for e := range events {
				for n := range instances {
					p.raise(fmt.Sprint("i", n), "E", fmt.Sprint(e))
				}
				time.Sleep(2 * time.Second)
			}
			killing.stop(t)
			for n := range instances {
				cameOnce(t, c.h, fmt.Sprint("i", n), events)
			}
		})
	}
}

// cameOnce waits for an instance that took events, longer than a message may be hidden.
func cameOnce(t *testing.T, h *host.Host, id string, events int) {
	t.Helper()
	var status *host.Status
	for deadline := time.Now().Add(11 * time.Minute); ; time.Sleep(time.Second) {
		reply, err := h.Do(bounded(t), http.MethodGet, "/api/durabletask/instances/"+id, nil)
		if err == nil && reply.Code == http.StatusOK {
			s := decode[host.Status](t, reply.Body)
			status = &s
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s has not ended: %v %v", id, reply, err)
		}
	}
	got := strings.Fields(strings.NewReplacer("[", " ", "]", " ", ",", " ").Replace(string(status.Output)))
	slices.Sort(got)
	want := []string{`"timeout"`}
	for e := range events {
		want = append(want, fmt.Sprint(e))
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s is %s and took %s, want each of %d events once", id, status.RuntimeStatus, status.Output, events)
	}
}

// What happens when an app of the official extension takes the hub for its own while this
// app works on it: this one says so, and what its clients start and tell completes. Of
// what other clients start the official app fails what it gets: it does not have that.
func TestOfficialAppTakesTheHub(t *testing.T) {
	h, _ := runConformance(t, host.Options{})
	starts(t, h, "WaitGo", "before", "null")
	waitUntil(t, h, "before", "Running")
	other := officialOn(t, h)
	eventually(t, "the app on the hub is reported", func() bool {
		return strings.Contains(h.Log(), "an app of the official Durable Functions extension runs on this task hub")
	})
	reply, err := h.Do(bounded(t), http.MethodPost, "/api/durabletask/instances/before/raiseEvent/Go", []byte("1"))
	if err != nil || reply.Code != http.StatusAccepted {
		t.Fatal(reply, err)
	}
	completes(t, h, "before", "1")
	for n := range 10 {
		completes(t, h, starts(t, h, "EchoInput", "", fmt.Sprint(n)), fmt.Sprint(n))
	}
	stranger := &host.Host{URL: other.url}
	const path = "/runtime/webhooks/durabletask/orchestrators/EchoInput/"
	ended := map[string]int{}
	for n := range 10 {
		id := fmt.Sprint("strange-", n)
		if reply, err := stranger.Do(bounded(t), http.MethodPost, path+id, []byte("1")); err != nil || reply.Code != http.StatusAccepted {
			t.Fatal(reply, err)
		}
		status, err := h.Wait(bounded(t), id)
		if err != nil {
			t.Fatal(err)
		}
		if ended[status.RuntimeStatus]++; status.RuntimeStatus != "Completed" && !strings.Contains(string(status.Output), "doesn't exist") {
			t.Errorf("%s: %s %s", id, status.RuntimeStatus, status.Output)
		}
	}
	t.Logf("of what another client started: %v", ended)
	if n := strings.Count(h.Log(), "runs on this task hub"); n != 1 {
		t.Errorf("it was reported %d times, want once", n)
	}
}

// person works with the monitor.
type person struct {
	t   *testing.T
	h   *host.Host
	hub string
}

func (p *person) start(name, id, data string) {
	p.t.Helper()
	p.post("", map[string]any{"name": name, "id": id, "data": json.RawMessage(data)})
}

func (p *person) raise(id, name, data string) {
	p.t.Helper()
	p.post("('"+url.PathEscape(id)+"')/raise-event", map[string]any{"name": name, "data": json.RawMessage(data)})
}

func (p *person) post(path string, body any) {
	p.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(bounded(p.t), http.MethodPost, p.h.URL+"/durable-functions-monitor/a/p/i/--"+p.hub+"/orchestrations"+path, strings.NewReader(string(raw)))
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("x-dfm-nonce", "i_sure_know_what_i_am_doing")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil || response.StatusCode >= 300 {
		p.t.Fatalf("%s: %s %v", path, response.Status, err)
	}
}
