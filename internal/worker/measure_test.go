package worker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub/memory"
)

// meter sums up what is measured.
type meter struct {
	mu     sync.Mutex // guards sums
	sums   map[string]float64
	gauges observe.Gauges
	ended  bool
}

func (m *meter) Begin(ctx context.Context, _ *observe.Span) (context.Context, func()) {
	return ctx, func() {}
}
func (m *meter) Ended([]*observe.Span)                         {}
func (m *meter) Root(*observe.Span) observe.Trace              { return observe.Trace{} }
func (m *meter) Handler(_ string, h http.Handler) http.Handler { return h }
func (m *meter) Request(_, _ string, _ int, _ time.Duration)   {}
func (m *meter) Flush(context.Context) error                   { return nil }

func (m *meter) Measure(x observe.Measurement) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sums == nil {
		m.sums = map[string]float64{}
	}
	m.sums[textOf(x)] += x.Value
}

func (m *meter) Watch(g observe.Gauges) (stop func()) {
	m.gauges = g
	return func() { m.ended = true }
}

func textOf(x observe.Measurement) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", x.Quantity, x.Name, x.Detail))
}

// sum is what was measured, summed up.
func (m *meter) sum(q observe.Quantity, name, detail string) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sums[textOf(observe.Measurement{Quantity: q, Name: name, Detail: detail})]
}

// read is the value of a gauge, -1 where there is none.
func (m *meter) read(q observe.Quantity, name, detail string) float64 {
	all := m.gauges.Process()
	if m.gauges.Queues != nil {
		all = append(all, m.gauges.Queues(context.Background())...)
	}
	for _, x := range all {
		if x.Quantity == q && x.Name == name && x.Detail == detail {
			return x.Value
		}
	}
	return -1
}

func equal(t *testing.T, what string, got, want float64) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// What becomes of messages is counted, and the queues can be read.
func TestMeasuresMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, m := memory.New(memory.Options{}), &meter{}
		w := newWorker(t, hub, each(1), func(o *Options) {
			o.Observer, o.Queues = m, []string{controlQueue}
			o.Poison = func(context.Context, string, string) error { return nil }
		})
		defer w.Kill()
		hub.Put(controlQueue, "garbage", 0)
		<-time.After(3 * time.Second)
		equal(t, "depth", m.read(observe.QueueDepth, controlQueue, ""), 1)
		equal(t, "age", m.read(observe.QueueAge, controlQueue, ""), 3)
		w.Poll(t.Context(), controlQueue)
		<-time.After(10 * time.Minute)
		equal(t, "put off", m.sum(observe.Deferred, "unreadable", ""), 4)
		equal(t, "poisoned", m.sum(observe.Poisoned, controlQueue, ""), 1)
		equal(t, "depth", m.read(observe.QueueDepth, controlQueue, ""), 0)
		equal(t, "age", m.read(observe.QueueAge, controlQueue, ""), 0)
		early, row := startMessage("early")
		_ = hub.Insert(t.Context(), row)
		early.Event.ScheduledStart = time.Now().Add(time.Hour)
		send(t, hub, controlQueue, early)
		<-time.After(time.Minute)
		equal(t, "before its time", m.sum(observe.Deferred, "orchestration", ""), 1)
	})
}

// waits is an orchestrator that waits for an event.
func waits(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
	return rt.WaitEvent("Go").Await()
}

// What is in memory, and what had to leave it, is counted; what is in use is read.
func TestMeasuresProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, m := memory.New(memory.Options{}), &meter{}
		w := polling(t, hub, waits, func(o *Options) { o.Observer, o.Cache, o.ActivitySlots = m, 2, 3 })
		for i := range 5 {
			start(t, hub, w, fmt.Sprint("waits", i))
			<-time.After(time.Minute) // the first of them is the oldest
		}
		equal(t, "in memory", m.read(observe.CacheSize, "orchestration", ""), 2)
		equal(t, "entities in memory", m.read(observe.CacheSize, "entity", ""), 0)
		equal(t, "evicted", m.sum(observe.CacheEvictions, "orchestration", ""), 3)
		send(t, hub, controlQueue, raised("e", "waits0", "Other", "1"))
		<-time.After(time.Minute)
		equal(t, "misses", m.sum(observe.CacheLookups, "orchestration", "miss"), 1)
		equal(t, "replayed", m.sum(observe.ReplayedEvents, "O", ""), 3)
		equal(t, "free", m.read(observe.Slots, "activity", "free"), 3)
		equal(t, "orchestrators", m.read(observe.Slots, "orchestrator", "used"), 0)
	})
}

// Activities that run, and that wait, are read.
func TestMeasuresSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, m := memory.New(memory.Options{}), &meter{}
		hold := make(chan struct{})
		w := newWorker(t, hub, each(5), func(o *Options) {
			o.Observer, o.ActivitySlots, o.Patience = m, 3, time.Hour
			o.Activities = only(func(context.Context) { <-hold })
		})
		start(t, hub, w, "five")
		<-time.After(time.Second)
		equal(t, "used", m.read(observe.Slots, "activity", "used"), 3)
		equal(t, "free", m.read(observe.Slots, "activity", "free"), 0)
		equal(t, "waiting", m.read(observe.Waiting, "", ""), 2)
		close(hold)
		finished(t, hub, "five", time.Minute)
		equal(t, "used", m.read(observe.Slots, "activity", "used"), 0)
		w.Stop(t.Context())
		if !m.ended {
			t.Error("a worker that has stopped is still read")
		}
	})
}

// Instances that cannot go on are read, until they do, or have not come again.
func TestMeasuresParked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, m := memory.New(memory.Options{}), &meter{}
		var gone atomic.Bool
		w := polling(t, hub, waits, func(o *Options) {
			o.Observer, o.Cache = m, -1
			o.Programs = func(string, string) (engine.Program, error) {
				if gone.Load() {
					return nil, errors.New("there is no orchestrator O")
				}
				return waits, nil
			}
		})
		start(t, hub, w, "gone")
		<-time.After(time.Minute)
		gone.Store(true)
		send(t, hub, controlQueue, raised("e", "gone", "Other", "1"))
		<-time.After(3 * time.Minute)
		equal(t, "parked", m.read(observe.Parked, "O", "unknown"), 1)
		gone.Store(false)
		<-time.After(2 * time.Minute)
		equal(t, "parked", m.read(observe.Parked, "O", "unknown"), -1)
	})
}
