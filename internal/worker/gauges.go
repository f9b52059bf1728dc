package worker

import (
	"context"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/orchestration"
	"github.com/durable-go/functions/internal/taskhub"
)

// observed lets the observer read the worker until it ends.
func (w *Worker) observed() {
	if w.Observer == nil {
		return
	}
	w.env.Parkings = &orchestration.Parkings{}
	g := observe.Gauges{Process: w.gauges}
	if gauge, ok := w.Store.(taskhub.Gauge); ok && w.Gauge == nil {
		w.Gauge = gauge
	}
	if w.Gauge != nil && len(w.Queues) > 0 {
		g.Queues = w.queues
	}
	w.unobserved = w.Observer.Watch(g)
}

// counted tells the observer that something happened.
func (w *Worker) counted(q observe.Quantity, name string) {
	if w.Observer != nil {
		w.Observer.Measure(observe.Measurement{Quantity: q, Name: name, Value: 1})
	}
}

// kindOf is what an instance id is of.
func kindOf(id string) string {
	if history.IsEntity(id) {
		return "entity"
	}
	return "orchestration"
}

// gauges are what the process has.
func (w *Worker) gauges() []observe.Measurement {
	running, waiting := w.pool.Load()
	out := append(w.turns.read("orchestrator"), w.batches.read("entity")...)
	out = append(out, slotsOf("activity", running, w.ActivitySlots)...)
	out = append(out, observe.Measurement{Quantity: observe.Waiting, Value: float64(waiting)})
	orchestrations, entities := w.cached()
	out = append(out,
		observe.Measurement{Quantity: observe.CacheSize, Name: "orchestration", Value: float64(orchestrations)},
		observe.Measurement{Quantity: observe.CacheSize, Name: "entity", Value: float64(entities)})
	return append(out, w.env.Parkings.Read(w.exec.Clock.Now())...)
}

// cached counts what is in memory.
func (w *Worker) cached() (orchestrations, entities int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range w.residents {
		if history.IsEntity(id) {
			entities++
		} else {
			orchestrations++
		}
	}
	return orchestrations, entities
}

func (s *slots) read(name string) []observe.Measurement {
	return slotsOf(name, cap(s.free)-len(s.free), cap(s.free))
}

func slotsOf(name string, used, all int) []observe.Measurement {
	return []observe.Measurement{
		{Quantity: observe.Slots, Name: name, Detail: "used", Value: float64(used)},
		{Quantity: observe.Slots, Name: name, Detail: "free", Value: float64(max(all-used, 0))},
	}
}

// queues reads the queues of the task hub.
func (w *Worker) queues(ctx context.Context) (out []observe.Measurement) {
	for _, name := range w.Queues {
		facts, err := w.Gauge.Queue(ctx, name)
		if err != nil || facts.Missing {
			continue
		}
		age := 0.0
		if !facts.Oldest.IsZero() {
			age = max(w.exec.Clock.Now().Sub(facts.Oldest).Seconds(), 0)
		}
		out = append(out,
			observe.Measurement{Quantity: observe.QueueDepth, Name: name, Value: float64(facts.Messages)},
			observe.Measurement{Quantity: observe.QueueAge, Name: name, Value: age})
	}
	return out
}
