package durableotel

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// instruments are the metrics. None has the id of an instance among its attributes.
type instruments struct {
	started, completed, retries            metric.Int64Counter
	active                                 metric.Int64UpDownCounter
	duration, startDelay                   metric.Float64Histogram
	events, size                           metric.Int64Histogram
	activity, queueDelay, lateness, entity metric.Float64Histogram
	requests                               metric.Float64Histogram
	sets                                   attributeSets
	// answers are the attributes of requests.
	answers sync.Map // answer to metric.MeasurementOption
}

// answer is what the attributes of a request depend on: there are few.
type answer struct {
	service, operation string
	status             int
}

// Bounds of histograms, in seconds: those that the semantic conventions advise, and
// longer ones for what may take hours.
var (
	short = metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
	long  = metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60, 300, 3600)
)

// newInstruments makes the metrics. A name that the provider refuses gives one that
// does nothing, and goes to the error handler of OpenTelemetry.
func newInstruments(m metric.Meter) *instruments {
	counter := func(name, unit, text string) metric.Int64Counter {
		c, _ := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(text))
		return c
	}
	seconds := func(name, text string, bounds metric.HistogramOption) metric.Float64Histogram {
		h, _ := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(text), bounds)
		return h
	}
	i := &instruments{
		started:    counter("durable.orchestration.started", "{orchestration}", "Orchestrations that have begun."),
		completed:  counter("durable.orchestration.completed", "{orchestration}", "Orchestrations that have ended, by status."),
		retries:    counter("durable.activity.retries", "{attempt}", "Runs of activities after the first, under a retry policy."),
		duration:   seconds("durable.orchestration.duration", "Time from the first turn to the end.", long),
		startDelay: seconds("durable.orchestration.start_delay", "Time from the start, or its scheduled time, to the first turn.", long),
		activity:   seconds("durable.activity.duration", "Time that a run of an activity took.", long),
		queueDelay: seconds("durable.activity.queue_delay", "Time that a run of an activity waited for a slot.", long),
		lateness:   seconds("durable.timer.lateness", "Time from when a timer was due to when it was taken in.", long),
		entity:     seconds("durable.entity.operation.duration", "Time that an operation of an entity took.", short),
		requests:   seconds("durable.storage.request.duration", "Time that a try of a request to the storage account took.", short),
	}
	i.active, _ = m.Int64UpDownCounter("durable.activity.active", metric.WithUnit("{activity}"), metric.WithDescription("Activities that run."))
	i.events, _ = m.Int64Histogram("durable.history.events", metric.WithUnit("{event}"), metric.WithDescription("Events in the history of an orchestration that has ended."),
		metric.WithExplicitBucketBoundaries(10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000))
	i.size, _ = m.Int64Histogram("durable.history.size", metric.WithUnit("By"), metric.WithDescription("Payloads in the history of an orchestration that has ended."),
		metric.WithExplicitBucketBoundaries(100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000))
	return i
}

func (i *instruments) begun(s *observe.Span) {
	if s.Kind != observe.Activity {
		return
	}
	ctx, name := context.Background(), i.sets.of(&byName, s.Name)
	i.active.Add(ctx, 1, name)
	i.queueDelay.Record(ctx, since(s.Asked, s.Start), name)
	if s.Attempt > 1 {
		i.retries.Add(ctx, 1, name)
	}
}

func (i *instruments) ended(s *observe.Span) {
	ctx := context.Background()
	took := since(s.Start, s.End)
	serves := s.Role == observe.Serves || s.Role == observe.Handles
	switch {
	case s.Kind == observe.Orchestration && s.Role == observe.Begins:
		i.started.Add(ctx, 1, i.sets.of(&byNameVersion, s.Name, s.Version))
		i.startDelay.Record(ctx, since(s.Asked, s.Start), i.sets.of(&byName, s.Name))
	case s.Kind == observe.Orchestration && serves:
		name := i.sets.of(&byName, s.Name)
		i.completed.Add(ctx, 1, i.sets.of(&byEnd, s.Name, s.Version, s.Status))
		i.duration.Record(ctx, took, i.sets.of(&byNameStatus, s.Name, s.Status))
		i.events.Record(ctx, int64(s.Events), name)
		i.size.Record(ctx, int64(s.Bytes), name)
	case s.Kind == observe.Activity && serves:
		i.active.Add(ctx, -1, i.sets.of(&byName, s.Name))
		i.activity.Record(ctx, took, i.outcome(s))
	case s.Kind == observe.Timer:
		i.lateness.Record(ctx, since(s.FireAt, s.End))
	case s.Kind == observe.Entity && serves:
		i.entity.Record(ctx, took, i.outcome(s))
	}
}

// outcome is how an activity or an operation of an entity ended.
func (i *instruments) outcome(s *observe.Span) metric.MeasurementOption {
	switch operation := s.Kind == observe.Entity; {
	case operation && s.Failure == nil:
		return i.sets.of(&byOperation, s.Name, s.Operation, "ok")
	case operation:
		return i.sets.of(&byFailedOperation, s.Name, s.Operation, "error", s.Failure.Type)
	case s.Failure == nil:
		return i.sets.of(&byOutcome, s.Name, "ok")
	}
	return i.sets.of(&byFailure, s.Name, "error", s.Failure.Type)
}

func (i *instruments) request(service, operation string, status int, took time.Duration) {
	key := answer{service, operation, status}
	option, ok := i.answers.Load(key)
	if !ok {
		method, what, _ := strings.Cut(operation, " ")
		option = metric.WithAttributeSet(attribute.NewSet(
			attribute.String("service", service), attribute.String("http.request.method", method), attribute.String("operation", what),
			attribute.Int("http.response.status_code", status)))
		i.answers.Store(key, option)
	}
	i.requests.Record(context.Background(), took.Seconds(), option.(metric.MeasurementOption))
}

// since is the time between two moments, in seconds; 0 where one is not known or the
// clocks of processes differ.
func since(from, to time.Time) float64 {
	if from.IsZero() || to.IsZero() {
		return 0
	}
	return max(to.Sub(from).Seconds(), 0)
}
