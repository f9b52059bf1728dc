package durableotel

import (
	"strconv"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// The names, kinds and attributes of spans are those of the official extension
// (DurableTask.Core, Tracing/Schema.cs). Attributes of our own begin with "durable.".
const (
	kindKey       = attribute.Key("durabletask.type")
	nameKey       = attribute.Key("durabletask.task.name")
	versionKey    = attribute.Key("durabletask.task.version")
	instanceKey   = attribute.Key("durabletask.task.instance_id")
	executionKey  = attribute.Key("durabletask.task.execution_id")
	statusKey     = attribute.Key("durabletask.task.status")
	taskKey       = attribute.Key("durabletask.task.task_id")
	operationKey  = attribute.Key("durabletask.task.operation")
	scheduledKey  = attribute.Key("durabletask.task.scheduled_time")
	targetKey     = attribute.Key("durabletask.event.target_instance_id")
	fireAtKey     = attribute.Key("durabletask.fire_at")
	attemptKey    = attribute.Key("durable.attempt")
	queueDelayKey = attribute.Key("durable.queue_delay_ms")
	eventsKey     = attribute.Key("durable.history.events")
	outcomeKey    = attribute.Key("durable.start.outcome")
)

func nameOf(s *observe.Span) string {
	name := s.Name
	if s.Version != "" {
		name += "@(" + s.Version + ")"
	}
	switch s.Kind {
	case observe.Orchestration:
		if s.Role == observe.Sends {
			return "create_orchestration:" + name
		}
		return "orchestration:" + name
	case observe.Timer:
		return "orchestration:" + name + ":timer"
	case observe.Event:
		return "orchestration_event:" + name
	case observe.Entity:
		return "entity:" + name + ":" + s.Operation
	case observe.Trigger:
		return s.Name
	}
	return string(s.Kind) + ":" + name
}

func kindOf(s *observe.Span) trace.SpanKind {
	switch {
	case s.Kind == observe.Timer || s.Kind == observe.Step:
		return trace.SpanKindInternal
	case s.Role == observe.Calls:
		return trace.SpanKindClient
	case s.Role == observe.Sends:
		return trace.SpanKindProducer
	case s.Role == observe.Handles:
		return trace.SpanKindConsumer
	}
	return trace.SpanKindServer
}

// most is how many attributes most spans have at most.
const most = 9

// allAttributesOf are those of a span that is over.
func allAttributesOf(s *observe.Span) []attribute.KeyValue {
	if s.Status == "" {
		return attributesOf(s)
	}
	return append(attributesOf(s), outcomeOf(s)...)
}

// attributesOf are what is known of a span when it begins.
func attributesOf(s *observe.Span) []attribute.KeyValue {
	switch s.Kind {
	case observe.Trigger:
		return triggerAttributes(s)
	case observe.Entity:
		return entityAttributes(s)
	}
	a := append(make([]attribute.KeyValue, 0, most), kindKey.String(string(s.Kind)), nameKey.String(s.Name))
	if s.Version != "" {
		a = append(a, versionKey.String(s.Version))
	}
	if s.InstanceID != "" {
		a = append(a, instanceKey.String(s.InstanceID))
	}
	if s.Kind == observe.Orchestration && s.Role == observe.Sends {
		a = append(a, operationKey.String("create_orchestration"), executionKey.String(s.ExecutionID))
		if !s.Scheduled.IsZero() {
			a = append(a, scheduledKey.String(timeText(s.Scheduled)))
		}
	}
	if s.TaskID != observe.NoTask && (s.Kind == observe.Activity || s.Kind == observe.Timer || s.Kind == observe.Step) {
		a = append(a, taskKey.String(strconv.Itoa(int(s.TaskID))))
	}
	if s.Kind == observe.Event {
		a = append(a, targetKey.String(s.TargetID))
	}
	if s.Kind == observe.Timer {
		a = append(a, fireAtKey.String(timeText(s.FireAt)))
	}
	if s.Attempt > 0 {
		a = append(a, attemptKey.Int(s.Attempt), queueDelayKey.Int64(max(s.Start.Sub(s.Asked).Milliseconds(), 0)))
	}
	return a
}

func entityAttributes(s *observe.Span) []attribute.KeyValue {
	operation := "call_entity"
	if s.Role == observe.Sends || s.Role == observe.Handles {
		operation = "signal_entity"
	}
	a := []attribute.KeyValue{kindKey.String(string(s.Kind)), operationKey.String(operation)}
	if s.Role == observe.Calls || s.Role == observe.Sends {
		a = append(a, targetKey.String(s.TargetID))
	} else {
		a = append(a, instanceKey.String(s.InstanceID))
	}
	if !s.Scheduled.IsZero() {
		a = append(a, scheduledKey.String(timeText(s.Scheduled)))
	}
	return a
}

func triggerAttributes(s *observe.Span) []attribute.KeyValue {
	a := []attribute.KeyValue{attribute.String("faas.name", s.Name)}
	if s.TargetID != "" {
		a = append(a, attribute.String("faas.trigger", "pubsub"), attribute.String("messaging.system", "azure_queue_storage"),
			attribute.String("messaging.destination.name", s.TargetID), attribute.Int("durable.delivery", s.Attempt))
	}
	return a
}

// outcomeOf are what is known of an orchestration, or of its start, when that is over.
func outcomeOf(s *observe.Span) []attribute.KeyValue {
	if s.Role == observe.Sends {
		return []attribute.KeyValue{outcomeKey.String(s.Status)}
	}
	a := []attribute.KeyValue{statusKey.String(s.Status), eventsKey.Int(s.Events)}
	if s.Failure == nil {
		a = append(a, attribute.String("DurableFunctionsType", "Orchestrator"), attribute.String("DurableFunctionsInstanceId", s.InstanceID),
			attribute.String("DurableFunctionsRuntimeStatus", s.Status))
	}
	return a
}

func timeText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }
