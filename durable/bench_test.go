package durable

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

// BenchmarkParked is the memory of the chain of three while it waits for its
// second activity.
func BenchmarkParked(b *testing.B) {
	r := newRegistry()
	hello := NewActivity("Hello", func(_ context.Context, city string) (string, error) { return city, nil })
	chain := NewOrchestrator("Chain", func(ctx *Context, _ None) ([]string, error) {
		var greetings []string
		for _, city := range []string{"Tokyo", "Seattle", "London"} {
			greeting, err := hello.Call(ctx, city).Await()
			if err != nil {
				return nil, err
			}
			greetings = append(greetings, greeting)
		}
		return greetings, nil
	})
	if err := chain.register(r); err != nil {
		b.Fatal(err)
	}
	const many = 5000
	for b.Loop() {
		heap, stacks := inUse()
		parked := make([]*engine.Instance, many)
		for n := range parked {
			parked[n] = engine.New(engine.Options{InstanceID: "i", Program: r.program})
			for _, e := range []*history.Event{
				{Type: history.ExecutionStarted, ID: history.NoID, Name: "Chain"},
				{Type: history.TaskCompleted, ID: history.NoID, Result: history.Payload(`"Hello"`)},
			} {
				if _, err := parked[n].Turn(time.Time{}, []*history.Event{e}); err != nil {
					b.Fatal(err)
				}
			}
		}
		heapNow, stacksNow := inUse()
		b.ReportMetric(float64(heapNow-heap)/many, "heap-B/instance")
		b.ReportMetric(float64(stacksNow-stacks)/many, "stack-B/instance")
		for _, i := range parked {
			i.Close()
		}
	}
}

// inUse is the memory of heap and stacks after a collection.
func inUse() (heap, stacks int64) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), int64(m.StackInuse)
}
