package durable

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

// BenchmarkParked is the memory of the chain of three while it waits for its
// second activity: all that the engine and the code keep, the open action and
// the descriptor of the coroutine's goroutine included, and the stack. Not in it
// are the events that were given to the engine, which are the history of who gave
// them, and what the worker knows of messages and leases. The first round tells
// the most (-benchtime 1x): later ones find the descriptors of the round before.
func BenchmarkParked(b *testing.B) {
	const many = 5000
	for b.Loop() {
		heap, stack := parkedMemory(b, many)
		b.ReportMetric(heap, "heap-B/instance")
		b.ReportMetric(stack, "stack-B/instance")
		b.ReportMetric(heap+stack, "B/instance")
	}
}

// parkedMemory parks many chains and returns the bytes that one needs.
func parkedMemory(b testing.TB, many int) (heap, stack float64) {
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
	start := &history.Event{Type: history.ExecutionStarted, ID: history.NoID, Name: "Chain"}
	result := &history.Event{Type: history.TaskCompleted, ID: history.NoID, Result: history.Payload(`"Hello"`)}
	parked := make([]*engine.Instance, many)
	heapBefore, stacksBefore := inUse()
	for n := range parked {
		parked[n] = engine.New(engine.Options{InstanceID: "i", Program: r.program})
		for _, e := range []*history.Event{start, result} {
			if _, err := parked[n].Turn(time.Time{}, []*history.Event{e}); err != nil {
				b.Fatal(err)
			}
		}
	}
	heapNow, stacksNow := inUse()
	for _, i := range parked {
		i.Close()
	}
	return float64(heapNow-heapBefore) / float64(many), float64(stacksNow-stacksBefore) / float64(many)
}

// inUse is the memory of heap and stacks after a collection.
func inUse() (heap, stacks int64) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), int64(m.StackInuse)
}

// BenchmarkReplay replays chains of calls through the typed API. With values,
// each step encodes an input and decodes a result as JSON; without, it is what
// the package itself costs.
func BenchmarkReplay(b *testing.B) {
	replays(b, "values", "Tokyo", history.Payload(`"Hello Tokyo!"`))
	replays(b, "none", None{}, nil)
}

func replays[T any](b *testing.B, name string, in T, result history.Payload) {
	hello := NewActivity("Hello", func(_ context.Context, in T) (T, error) { return in, nil })
	for _, steps := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprintf("%s/%d", name, steps), func(b *testing.B) {
			chain := NewOrchestrator("Chain", func(ctx *Context, _ None) (last T, err error) {
				for range steps {
					if last, err = hello.Call(ctx, in).Await(); err != nil {
						return last, err
					}
				}
				return last, nil
			})
			r := newRegistry()
			if err := chain.register(r); err != nil {
				b.Fatal(err)
			}
			options := engine.Options{InstanceID: "i", Program: r.program}
			recorded := record(b, options, steps, result)
			b.ReportAllocs()
			for b.Loop() {
				i := engine.New(options)
				if err := i.Load(recorded); err != nil {
					b.Fatal(err)
				}
				i.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(steps), "ns/step")
		})
	}
}

// record makes the history of a chain that waits for its last call.
func record(b *testing.B, options engine.Options, steps int, result history.Payload) []*history.Event {
	i := engine.New(options)
	defer i.Close()
	var all []*history.Event
	next := &history.Event{Type: history.ExecutionStarted, ID: history.NoID, Name: "Chain"}
	for n := range steps {
		t, err := i.Turn(time.Time{}, []*history.Event{next})
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, t.Events...)
		next = &history.Event{Type: history.TaskCompleted, ID: history.NoID, TaskID: int32(n), Result: result}
	}
	return all
}
