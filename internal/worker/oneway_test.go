package worker

import (
	"strconv"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// Of the instances that were sent events, the next execution hears of the latest.
func TestLastSent(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	in := &instance{w: &Worker{}, sentEarlier: map[string]taskhub.Earlier{"long ago": {Sent: now.Add(-taskhub.OrderWindow)}}}
	for n := range 3 * maxSentEarlier {
		in.sentEarlier[strconv.Itoa(n)] = taskhub.Earlier{Sent: now.Add(-time.Duration(n))}
	}
	last := in.lastSent(now)
	for n := range maxSentEarlier {
		if _, ok := last[strconv.Itoa(n)]; !ok {
			t.Errorf("%d is not among them", n)
		}
	}
	if len(last) != maxSentEarlier {
		t.Errorf("they are %d", len(last))
	}
}
