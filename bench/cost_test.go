package bench

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
	"github.com/durable-go/functions/internal/worker"
)

// BenchmarkChain is what an orchestration costs this process: engine, codecs,
// SDK and the account in memory. Storage takes no time.
func BenchmarkChain(b *testing.B) { cost(b, "chain", 3) }

// BenchmarkFanOut is that of a fan-out of a thousand.
func BenchmarkFanOut(b *testing.B) { cost(b, "fan-out", 1000) }

func cost(b *testing.B, orchestrator string, n int) {
	account := fake.New(0)
	connection, err := storage.Parse(account.ConnectionString())
	must(b, err)
	opened, err := storage.Open(connection, storage.Options{Transport: account})
	must(b, err)
	hub, err := azure.Open(opened, hubName, azure.Options{})
	must(b, err)
	must(b, hub.Create(b.Context(), taskhub.Owner{}))
	r := &rig{o: rigOptions{plain: true}}
	w, err := worker.New(worker.Options{
		Store: hub, Programs: programs, Activities: r.activity, Control: taskhub.ControlQueue(hubName),
		WorkItems: func(string) string { return taskhub.WorkItemQueue(hubName) }, Log: slog.New(slog.DiscardHandler),
	})
	must(b, err)
	defer w.Stop(b.Context())
	c := client.New(hub, client.Options{Queue: taskhub.ControlQueue(hubName), Local: w, Lease: lease})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		id := fmt.Sprint("cost", i)
		changed, _ := w.Watch(id)
		_, err := c.Start(b.Context(), client.Start{Name: orchestrator, InstanceID: id, Input: number(n)})
		must(b, err)
		<-changed
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
