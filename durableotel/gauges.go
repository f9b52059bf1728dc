package durableotel

import (
	"context"

	"github.com/durable-go/functions/durable/observe"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// WithQueues adds the metrics durable.queue.depth and durable.queue.oldest_age. Each
// collection costs each process two requests to the storage account for each queue of the
// task hub, one where the queue is empty: at the default of one a minute, two queues and
// two processes that is about 11,000 a day at most.
func WithQueues() Option { return func(o *options) { o.queues = true } }

// gauge is a metric of a quantity that is read.
type gauge struct {
	name, detail attribute.Key
	instrument   metric.Float64Observable
}

// Watch implements observe.Observer.
func (o *Observer) Watch(g observe.Gauges) (stop func()) {
	registered, err := o.meters.Meter(scope).RegisterCallback(func(ctx context.Context, to metric.Observer) error {
		read(to, o.gauges, g.Process())
		if _, wanted := o.gauges[observe.QueueDepth]; wanted && g.Queues != nil {
			read(to, o.gauges, g.Queues(ctx))
		}
		return nil
	}, instrumentsOf(o.gauges)...)
	if err != nil {
		otel.Handle(err)
		return func() {}
	}
	return func() { _ = registered.Unregister() } // it does not fail
}

func read(to metric.Observer, by map[observe.Quantity]gauge, all []observe.Measurement) {
	for _, m := range all {
		if g, ok := by[m.Quantity]; ok {
			to.ObserveFloat64(g.instrument, m.Value, attributesOfMeasurement(g.name, g.detail, m))
		}
	}
}

// newGauges makes the metrics that are read, those of queues where they are wanted.
func newGauges(m metric.Meter, queues bool) map[observe.Quantity]gauge {
	made := func(name, unit, text string) metric.Float64Observable {
		g, _ := m.Float64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(text))
		return g
	}
	out := map[observe.Quantity]gauge{
		observe.Slots:     {kindOfKey, stateKey, made("durable.worker.slots", "{slot}", "Slots of the process, used and free.")},
		observe.Waiting:   {"", "", made("durable.activity.waiting", "{activity}", "Activities that wait for a slot.")},
		observe.CacheSize: {kindOfKey, "", made("durable.cache.size", "{instance}", "Orchestrations and entities in memory.")},
		observe.Parked:    {nameKey, reasonKey, made("durable.instances.parked", "{instance}", "Instances that cannot go on, found in the last minutes.")},
	}
	if queues {
		out[observe.QueueDepth] = gauge{queueKey, "", made("durable.queue.depth", "{message}", "Messages in a queue of the task hub.")}
		out[observe.QueueAge] = gauge{queueKey, "", made("durable.queue.oldest_age", "s", "Age of the first message that can be taken.")}
	}
	return out
}

func instrumentsOf(by map[observe.Quantity]gauge) (all []metric.Observable) {
	for _, g := range by {
		all = append(all, g.instrument)
	}
	return all
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
