package durableotel

import (
	"context"

	"github.com/durable-go/functions/durable/observe"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Attributes of metrics alone.
const (
	queueKey     = attribute.Key("queue")
	kindOfKey    = attribute.Key("kind")
	stateKey     = attribute.Key("state")
	resultKey    = attribute.Key("result")
	reasonKey    = attribute.Key("reason")
	errorKey     = attribute.Key("error.type")
	outcomeOfKey = attribute.Key("outcome")
)

// measure is the metric of a quantity. keys are the attributes that the texts of a
// measurement are, Name first.
type measure struct {
	keys   []attribute.Key
	record func(value float64, options metric.MeasurementOption)
}

// measures are the metrics of what happens, by quantity.
type measures struct {
	by   map[observe.Quantity]*measure
	sets attributeSets
}

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
	return &measures{by: map[observe.Quantity]*measure{
		observe.TurnTime:       {[]attribute.Key{nameKey, kindOfKey}, seconds("durable.turn.duration", "Time that the code of an orchestrator ran in a turn, or over its history.", fine)},
		observe.ReplayedEvents: {[]attribute.Key{nameKey}, whole("durable.turn.replayed_events", "{event}", "Events of a history that code was played over again.", counts)},
		observe.BatchSize:      {[]attribute.Key{nameKey}, whole("durable.entity.batch_size", "{operation}", "Operations of an entity that one commit has stored.", counts)},
		observe.StateSize:      {[]attribute.Key{nameKey}, whole("durable.entity.state_size", "By", "Length of the state of an entity that a commit has stored.", sizes)},
		observe.Backlog:        {[]attribute.Key{nameKey}, whole("durable.entity.backlog", "{message}", "Messages that a look into the inbox of an entity has found.", counts)},
		observe.LockWait:       {[]attribute.Key{nameKey}, seconds("durable.entity.lock_wait", "Time that a request for the lock of an entity has waited for it.", long)},
		observe.Poisoned:       {[]attribute.Key{queueKey}, counter("durable.messages.poisoned", "{message}", "Messages that were moved to a poison queue.")},
		observe.Duplicates:     {[]attribute.Key{kindOfKey}, counter("durable.messages.duplicates", "{message}", "Messages that were taken in before.")},
		observe.Deferred:       {[]attribute.Key{kindOfKey}, counter("durable.messages.deferred", "{message}", "Times that messages were put off.")},
		observe.CacheLookups:   {[]attribute.Key{kindOfKey, resultKey}, counter("durable.cache.lookups", "{lookup}", "Times that work came for what may be in memory.")},
		observe.CacheEvictions: {[]attribute.Key{kindOfKey}, counter("durable.cache.evictions", "{instance}", "Instances that left the memory because it was full.")},
		observe.Spilled:        {[]attribute.Key{}, counter("durable.payload.spilled", "By", "Payloads that went into blobs.")},
	}}
}

// Measure implements observe.Observer.
func (o *Observer) Measure(m observe.Measurement) {
	if k, ok := o.measures.by[m.Quantity]; ok {
		k.record(m.Value, o.measures.sets.of(&k.keys, m.Name, m.Detail))
	}
}
