//go:build long && unix

package bench

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
	"github.com/durable-go/functions/internal/worker"
)

func TestMain(m *testing.M) { os.Exit(azuritetest.Run(m)) }

// counting counts the requests on their way to storage.
type counting struct {
	inner interface {
		Do(*http.Request) (*http.Response, error)
	}
	n atomic.Int64
}

func (c *counting) Do(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.inner.Do(r)
}

// plant is a worker on an account, with the requests counted.
type plant struct {
	t        *testing.T
	requests *counting
	name     string
	hub      *azure.Hub
	worker   *worker.Worker
	client   *client.Client
	started  int
}

func newPlant(t *testing.T, connection string, transport *counting) *plant {
	t.Helper()
	parsed, err := storage.Parse(connection)
	must(t, err)
	opened, err := storage.Open(parsed, storage.Options{Transport: transport})
	must(t, err)
	name := azuritetest.HubName()
	hub, err := azure.Open(opened, name, azure.Options{})
	must(t, err)
	must(t, hub.Create(t.Context(), taskhub.Owner{}))
	w, err := worker.New(worker.Options{
		Store: hub, Programs: programs, Activities: (&rig{o: rigOptions{plain: true}}).activity, Entities: sums, Control: taskhub.ControlQueue(name),
		WorkItems: func(string) string { return taskhub.WorkItemQueue(name) }, Log: slog.New(slog.DiscardHandler),
		// What waits for a slot stays here: this is about one process.
		Patience: time.Hour,
	})
	must(t, err)
	t.Cleanup(func() { w.Stop(t.Context()) })
	c := client.New(hub, client.Options{Queue: taskhub.ControlQueue(name), Local: w, Lease: lease})
	return &plant{t: t, name: name, requests: transport, hub: hub, worker: w, client: c}
}

// figures are what a run cost this process.
type figures struct {
	requests int64
	cpu      time.Duration
	took     time.Duration
}

func (p *plant) run(orchestrator string, n int) figures {
	p.t.Helper()
	p.started++
	id := fmt.Sprint("long", p.started)
	changed, stop := p.worker.Watch(id)
	defer func() { stop() }()
	began, cpu, requests := time.Now(), cpuTime(), p.requests.n.Load()
	_, err := p.client.Start(p.t.Context(), client.Start{Name: orchestrator, InstanceID: id, Input: number(n)})
	must(p.t, err)
	for {
		<-changed
		changed, stop = p.worker.Watch(id)
		row, err := p.hub.Instance(p.t.Context(), id)
		must(p.t, err)
		if row.Status.Finished() {
			if row.Status != history.Completed || string(row.Output) != fmt.Sprint(n) {
				p.t.Fatalf("%s of %d: %v %s", orchestrator, n, row.Status, row.Output)
			}
			break
		}
	}
	f := figures{requests: p.requests.n.Load() - requests, cpu: cpuTime() - cpu, took: time.Since(began)}
	p.t.Logf("%-8s %6d steps: %6d requests, %v CPU of this process, %v; a step: %v CPU",
		orchestrator, n, f.requests, f.cpu.Round(time.Millisecond), f.took.Round(time.Millisecond), f.cpu/time.Duration(n))
	return f
}

// cpuTime is the CPU time of this process so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestLongOnAzurite runs the longest and the widest orchestration on the
// emulator.
func TestLongOnAzurite(t *testing.T) {
	server := azuritetest.Server(t)
	p := newPlant(t, server.ConnectionString(), &counting{inner: http.DefaultClient})
	p.run("fan-out", 1000)
	p.run("fan-out", 10_000)
	p.run("chain", 10_000)
}

// TestStepsCostTheSame compares long orchestrations with short ones of the same
// run: a step of a long one costs no more. Storage takes no time here, so what
// is compared is the work of this process.
func TestStepsCostTheSame(t *testing.T) {
	for _, c := range []struct {
		orchestrator string
		short, long  int
	}{{"chain", 250, 2000}, {"fan-out", 1000, 10_000}} {
		account := fake.New(0)
		p := newPlant(t, account.ConnectionString(), &counting{inner: account})
		p.run(c.orchestrator, c.long)
		var short, long []float64
		for range 5 {
			var f figures
			for range c.long / c.short {
				one := p.run(c.orchestrator, c.short)
				f.cpu += one.cpu
				f.requests += one.requests
			}
			l := p.run(c.orchestrator, c.long)
			short, long = append(short, float64(f.cpu)), append(long, float64(l.cpu))
			if l.requests > f.requests {
				t.Errorf("%s: %d requests for %d steps in one, %d in several", c.orchestrator, l.requests, c.long, f.requests)
			}
		}
		ratio := slices.Min(long) / slices.Min(short)
		t.Logf("%s: a step of %d costs %.2f times the CPU of one of %d", c.orchestrator, c.long, ratio, c.short)
		if ratio > 1.1 {
			t.Errorf("%s: the cost of a step grows", c.orchestrator)
		}
	}
}
