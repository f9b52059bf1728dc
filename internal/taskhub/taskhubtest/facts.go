package taskhubtest

import (
	"testing"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// queueFacts: a look at a queue takes nothing from it.
func queueFacts(t *testing.T, h Harness) {
	gauge, ok := h.Store.(taskhub.Gauge)
	if !ok {
		t.Skip("this store says nothing about its queues")
	}
	if facts := value(gauge.Queue(t.Context(), "no-such-queue"))(t); !facts.Missing || facts.Messages != 0 {
		t.Errorf("no queue: %+v", facts)
	}
	for range 2 {
		value(h.Store.Send(t.Context(), ControlQueue, raised("a", "1"), 0))(t)
	}
	for range 2 {
		if facts := value(gauge.Queue(t.Context(), ControlQueue))(t); facts.Missing || facts.Messages != 2 || facts.Oldest.IsZero() {
			t.Errorf("two messages: %+v", facts)
		}
	}
	if got := value(h.Store.Receive(t.Context(), ControlQueue, 10, time.Minute))(t); len(got) != 2 {
		t.Fatalf("%d messages are received", len(got))
	}
	if facts := value(gauge.Queue(t.Context(), ControlQueue))(t); facts.Messages != 2 || !facts.Oldest.IsZero() {
		t.Errorf("two messages that are held: %+v", facts)
	}
}
