package client

import (
	"fmt"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

func event(id, instance string, at time.Time, after ...taskhub.Earlier) *taskhub.Message {
	return &taskhub.Message{ID: id, Target: history.InstanceRef{InstanceID: instance}, Event: &history.Event{Timestamp: at}, After: after}
}

// What was sent at the same time has no order; what comes later is after all of
// it, and names no more than it must.
func TestOrderOfEvents(t *testing.T) {
	var o order
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ids := func(after []taskhub.Earlier) (out string) {
		for _, e := range after {
			out += e.ID
		}
		return out
	}
	if got := ids(o.before("i", now)); got != "" {
		t.Errorf("before the first: %q", got)
	}
	o.sent(event("a", "i", now))
	first := o.before("i", now)
	o.sent(event("b", "i", now, first...))
	o.sent(event("c", "i", now, first...))
	if got := ids(o.before("i", now)); got != "bc" {
		t.Errorf("after two at once: %q", got)
	}
	o.sent(event("d", "i", now, o.before("i", now)...))
	if got := ids(o.before("i", now)); got != "d" {
		t.Errorf("after one that comes after both: %q", got)
	}
	if got := ids(o.before("other", now)) + ids(o.before("i", now.Add(taskhub.OrderWindow+1))); got != "" {
		t.Errorf("of another instance, or of long ago: %q", got)
	}
	for n := range 3 * maxBefore {
		o.sent(event(fmt.Sprint(n), "i", now))
	}
	if n := len(o.before("i", now)); n != maxBefore {
		t.Errorf("%d events are named", n)
	}
}

func TestOrderForgets(t *testing.T) {
	var o order
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for n := range 100 * sweepAbove {
		now = now.Add(time.Second)
		o.sent(event("x", fmt.Sprint("i", n), now))
	}
	if n := len(o.tails); n > 2*sweepAbove {
		t.Errorf("%d instances are remembered", n)
	}
}
