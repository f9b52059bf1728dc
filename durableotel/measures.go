package durableotel

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/durable-go/functions/durable/observe"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Attributes of metrics alone.
const (
	queueKey  = attribute.Key("queue")
	kindOfKey = attribute.Key("kind")
	stateKey  = attribute.Key("state")
	resultKey = attribute.Key("result")
	reasonKey = attribute.Key("reason")
)

// measure is the metric of a quantity. name and detail are the attributes that the two
// texts of a measurement are; empty where they are none.
type measure struct {
	name, detail attribute.Key
	record       func(value float64, options metric.MeasurementOption)
}

// measures are the metrics of what happens, by quantity.
type measures struct {
	by map[observe.Quantity]measure
	// options are the attributes of measurements, which are few: made once. known is how
	// many there are.
	options sync.Map // measured to metric.MeasurementOption
	known   atomic.Int32
}

// measured is what the attributes of a measurement depend on.
type measured struct {
	quantity     observe.Quantity
	name, detail string
}

// maxKnown bounds what is remembered where names are no names.
const maxKnown = 2000

func newMeasures(m metric.Meter) *measures {
	sizes := metric.WithExplicitBucketBoundaries(100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
	fine := metric.WithExplicitBucketBoundaries(0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 10)
	counts := metric.WithExplicitBucketBoundaries(1, 2, 5, 10, 20, 50, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)
	seconds := func(name, text string, bounds metric.HistogramOption) func(float64, metric.MeasurementOption) {
		h, _ := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(text), bounds)
		return func(v float64, o metric.MeasurementOption) { h.Record(context.Background(), v, o) }
	}
	whole := func(name, unit, text string, bounds metric.HistogramOption) func(float64, metric.MeasurementOption) {
		h, _ := m.Int64Histogram(name, metric.WithUnit(unit), metric.WithDescription(text), bounds)
		return func(v float64, o metric.MeasurementOption) { h.Record(context.Background(), int64(v), o) }
	}
	counter := func(name, unit, text string) func(float64, metric.MeasurementOption) {
		c, _ := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(text))
		return func(v float64, o metric.MeasurementOption) { c.Add(context.Background(), int64(v), o) }
	}
	return &measures{by: map[observe.Quantity]measure{
		observe.TurnTime:       {nameKey, kindOfKey, seconds("durable.turn.duration", "Time that the code of an orchestrator ran in a turn, or over its history.", fine)},
		observe.ReplayedEvents: {nameKey, "", whole("durable.turn.replayed_events", "{event}", "Events of a history that code was played over again.", counts)},
		observe.BatchSize:      {nameKey, "", whole("durable.entity.batch_size", "{operation}", "Operations of an entity that one commit has stored.", counts)},
		observe.StateSize:      {nameKey, "", whole("durable.entity.state_size", "By", "Length of the state of an entity that a commit has stored.", sizes)},
		observe.Backlog:        {nameKey, "", whole("durable.entity.backlog", "{message}", "Messages that a look into the inbox of an entity has found.", counts)},
		observe.LockWait:       {nameKey, "", seconds("durable.entity.lock_wait", "Time that a request for the lock of an entity has waited for it.", long)},
		observe.Poisoned:       {queueKey, "", counter("durable.messages.poisoned", "{message}", "Messages that were moved to a poison queue.")},
		observe.Duplicates:     {kindOfKey, "", counter("durable.messages.duplicates", "{message}", "Messages that were taken in before.")},
		observe.Deferred:       {kindOfKey, "", counter("durable.messages.deferred", "{message}", "Times that messages were put off.")},
		observe.CacheLookups:   {kindOfKey, resultKey, counter("durable.cache.lookups", "{lookup}", "Times that work came for what may be in memory.")},
		observe.CacheEvictions: {kindOfKey, "", counter("durable.cache.evictions", "{instance}", "Instances that left the memory because it was full.")},
		observe.Spilled:        {"", "", counter("durable.payload.spilled", "By", "Payloads that went into blobs.")},
	}}
}

// Measure implements observe.Observer.
func (o *Observer) Measure(m observe.Measurement) {
	if metric, ok := o.measures.by[m.Quantity]; ok {
		metric.record(m.Value, o.measures.attributes(metric, m))
	}
}

// attributes are those of a measurement.
func (ms *measures) attributes(k measure, m observe.Measurement) metric.MeasurementOption {
	key := measured{m.Quantity, m.Name, m.Detail}
	if kept, ok := ms.options.Load(key); ok {
		return kept.(metric.MeasurementOption)
	}
	made := attributesOfMeasurement(k.name, k.detail, m)
	if ms.known.Add(1) <= maxKnown {
		ms.options.Store(key, made)
	}
	return made
}

func attributesOfMeasurement(name, detail attribute.Key, m observe.Measurement) metric.MeasurementOption {
	var a []attribute.KeyValue
	if name != "" {
		a = append(a, name.String(m.Name))
	}
	if detail != "" {
		a = append(a, detail.String(m.Detail))
	}
	return metric.WithAttributeSet(attribute.NewSet(a...))
}
