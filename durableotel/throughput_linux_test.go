package durableotel_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durableotel"
	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/opening"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
	"github.com/durable-go/functions/internal/worker"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// BenchmarkThroughput runs the lab's chain of three, 32 in flight, through the storage
// client on an account in memory, without telemetry and with all of it: every chain is
// traced, spans go to a batcher, storage requests are measured. Both are alive at the same
// time and take turns, a hundred chains each; what is printed are the medians of the
// ratios of neighbours, so that what else the machine does cancels out.
func BenchmarkThroughput(b *testing.B) {
	plain, observed := newRunner(b, false), newRunner(b, true)
	plain.chains(b)
	observed.chains(b)
	b.ResetTimer()
	var byClock, byProcessor []float64
	var without time.Duration
	for i := range b.N {
		order := []*runner{plain, observed}
		if i%2 == 1 {
			slices.Reverse(order)
		}
		for _, r := range order {
			r.chains(b)
		}
		byClock = append(byClock, float64(plain.took)/float64(observed.took))
		byProcessor = append(byProcessor, float64(plain.used)/float64(observed.used))
		without += plain.used
	}
	b.ReportMetric(median(byClock), "throughput-with/without")
	b.ReportMetric(median(byProcessor), "throughput-with/without-by-cpu")
	b.ReportMetric(float64(without.Microseconds())/float64(b.N*atATime), "cpu-us/chain-without")
	b.ReportMetric(0, "ns/op")
}

const (
	atATime  = 100
	inFlight = 32
)

// runner is an app on an account of its own.
type runner struct {
	client *durable.Client
	// took and used are the time, and that of the processor, of the last chains.
	took, used time.Duration
}

func newRunner(b *testing.B, observed bool) *runner {
	b.Helper()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	app, account := durable.NewApp(), fake.New(0)
	requested := func(storage.Service, string, int, time.Duration) {}
	if observed {
		tracer := sdktrace.NewTracerProvider(sdktrace.WithIDGenerator(durableotel.IDGenerator()), sdktrace.WithBatcher(nowhere{}))
		meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
		o := durableotel.New(durableotel.WithTracerProvider(tracer), durableotel.WithMeterProvider(meters))
		requested = func(s storage.Service, operation string, status int, took time.Duration) {
			o.Request(string(s), operation, status, took)
		}
		app.Observe(o)
		b.Cleanup(func() { _ = tracer.Shutdown(context.Background()) })
	}
	request := opening.Request{App: app}
	for _, f := range functions {
		request.Functions = append(request.Functions, f)
	}
	opened, err := opening.Open(request)
	must(err)
	connection, err := storage.Parse(account.ConnectionString())
	must(err)
	wire, err := storage.Open(connection, storage.Options{Transport: account, Requested: requested})
	must(err)
	hub, err := azure.Open(wire, opened.Hub, azure.Options{})
	must(err)
	must(hub.Create(b.Context(), taskhub.Owner{}))
	o := opened.Worker
	o.Store, o.Log = hub, slog.New(slog.DiscardHandler)
	w, err := worker.New(o)
	must(err)
	b.Cleanup(func() {
		w.Kill()
		opened.Release()
	})
	return &runner{client: opened.Connect(hub, client.Options{Local: w, Lease: 30 * time.Second}).(*durable.Client)}
}

// chains runs some orchestrations to their ends.
func (r *runner) chains(b *testing.B) {
	b.Helper()
	began, before := time.Now(), processorTime(b)
	next := make(chan struct{}, atATime)
	for range atATime {
		next <- struct{}{}
	}
	close(next)
	var all sync.WaitGroup
	for range inFlight {
		all.Go(func() {
			for range next {
				run, err := chain.Start(b.Context(), r.client, durable.None{})
				if err == nil {
					_, err = run.Result(b.Context())
				}
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	r.took, r.used = time.Since(began), processorTime(b)-before
}

func median(all []float64) float64 {
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2]
}
