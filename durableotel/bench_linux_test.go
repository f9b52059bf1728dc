package durableotel_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durableotel"
	"github.com/durable-go/functions/durabletest"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// nowhere takes spans and forgets them.
type nowhere struct{}

func (nowhere) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (nowhere) Shutdown(context.Context) error                             { return nil }

// BenchmarkChain is the lab's chain of three activities on a hub in memory, without
// telemetry and with all of it: every chain is traced, and spans go to a batcher. The
// clock is virtual, so the time is that of the processor.
func BenchmarkChain(b *testing.B) {
	for _, observed := range []bool{false, true} {
		name := map[bool]string{false: "without", true: "with"}[observed]
		b.Run(name, func(b *testing.B) {
			app := durable.NewApp()
			if observed {
				tracer := sdktrace.NewTracerProvider(sdktrace.WithIDGenerator(durableotel.IDGenerator()), sdktrace.WithBatcher(nowhere{}))
				meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
				app.Observe(durableotel.New(durableotel.WithTracerProvider(tracer), durableotel.WithMeterProvider(meters)))
				b.Cleanup(func() { _ = tracer.Shutdown(context.Background()) })
			}
			b.ReportAllocs()
			durabletest.Options{App: app, Cached: true}.Example(func(env *durabletest.Env) {
				b.ResetTimer()
				before := processorTime(b)
				for range b.N {
					if _, err := durabletest.Start(env, chain, durable.None{}).Result(); err != nil {
						b.Fatal(err)
					}
				}
				b.StopTimer()
				b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-us/op")
				b.ReportMetric(0, "ns/op")
			}, functions...)
		})
	}
}

// processorTime is what the process has used so far.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
