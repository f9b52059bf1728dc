package engine_test

import (
	"fmt"
	"testing"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

// BenchmarkSuspendResume parks the code and lets it go on.
func BenchmarkSuspendResume(b *testing.B) {
	i := newInstance(func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
		for b.Loop() {
			rt.Outside(func() {})
		}
		return nil, nil
	})
	defer i.Close()
	if err := i.Load([]*history.Event{start()}); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkTurn is a turn of a long orchestration: one result, one new call.
func BenchmarkTurn(b *testing.B) {
	i := newInstance(loop(b.N + 1))
	defer i.Close()
	_, _ = i.Turn(epoch, []*history.Event{start()})
	b.ReportAllocs()
	n := int32(0)
	for range b.N {
		_, _ = i.Turn(epoch, []*history.Event{completed(n, "1")})
		n++
	}
}

// BenchmarkReplay replays chains of calls: the cost of a step does not grow.
func BenchmarkReplay(b *testing.B) {
	for _, steps := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprint(steps), func(b *testing.B) {
			events := recorded(steps)
			program := loop(steps)
			b.ReportAllocs()
			for b.Loop() {
				i := newInstance(program)
				if err := i.Load(events); err != nil {
					b.Fatal(err)
				}
				i.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(steps), "ns/step")
		})
	}
}

func loop(steps int) engine.Program {
	return func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
		for range steps {
			if _, err := rt.ScheduleActivity("Hello", nil, nil).Await(); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
}

func recorded(steps int) []*history.Event {
	i := newInstance(loop(steps))
	defer i.Close()
	t, _ := i.Turn(epoch, []*history.Event{start()})
	all := t.Events
	for n := range steps - 1 {
		t, _ = i.Turn(epoch, []*history.Event{completed(int32(n), "1")})
		all = append(all, t.Events...)
	}
	return all
}
