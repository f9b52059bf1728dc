package durabletest_test

import (
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// every sleeps so often in one execution.
var every = durable.NewOrchestrator("Every", func(ctx *durable.Context, s schedule) (string, error) {
	for range s.Times {
		if err := ctx.Sleep(s.Interval); err != nil {
			return "", err
		}
	}
	return ctx.Now().Format(time.DateTime), nil
})

type schedule struct {
	Times    int
	Interval time.Duration
}

// monitor sleeps once in each execution.
var monitor = durable.NewOrchestrator("Monitor", func(ctx *durable.Context, s schedule) (string, error) {
	if s.Times == 0 {
		return ctx.Now().Format(time.DateTime), nil
	}
	if err := ctx.Sleep(s.Interval); err != nil {
		return "", err
	}
	return "", ctx.ContinueAsNew(schedule{s.Times - 1, s.Interval})
})

// BenchmarkAYear is how long a year of timers takes.
func BenchmarkAYear(b *testing.B) {
	hourly, daily := schedule{365 * 24, time.Hour}, schedule{365, 24 * time.Hour}
	for _, bench := range []struct {
		name string
		o    *durable.Orchestrator[schedule, string]
		in   schedule
	}{{"hourly", every, hourly}, {"daily", every, daily}, {"monitor-hourly", monitor, hourly}, {"monitor-daily", monitor, daily}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				durabletest.Example(func(env *durabletest.Env) {
					if got, err := durabletest.Start(env, bench.o, bench.in).Result(); err != nil || got != "2000-12-31 00:00:00" {
						b.Fatal(got, err)
					}
				}, bench.o)
			}
		})
	}
}
