package lease

import (
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// TestUnknownNamesFailInTheEnd: a name that is unknown here waits for others for a
// minute and some deliveries, and no longer, also where the message was put into the
// queue anew meanwhile.
func TestUnknownNamesFailInTheEnd(t *testing.T) {
	now := time.Unix(10_000, 0)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for name, c := range map[string]struct {
		deliveries     int
		sent, inserted time.Time
		elsewhere      bool
	}{
		"not from a queue":                        {0, ago(0), ago(0), false},
		"a young message":                         {9, ago(50 * time.Second), ago(50 * time.Second), true},
		"an old one that came for the first time": {1, ago(time.Hour), ago(time.Hour), true},
		"an old one that came often":              {5, ago(time.Hour), ago(time.Hour), false},
		"an old one that was sent anew":           {5, ago(time.Hour), ago(45 * time.Second), false},
		"one whose sender's clock is behind":      {4, ago(time.Hour), ago(45 * time.Second), true},
		"one without a time of its own":           {5, time.Time{}, ago(45 * time.Second), true},
	} {
		d := taskhub.Delivery{Inserted: c.inserted, Message: &taskhub.Message{Event: &history.Event{Timestamp: c.sent}}}
		d.Dequeued = c.deliveries
		if got := MayBeKnownElsewhere(now, d); got != c.elsewhere {
			t.Errorf("%s: %v", name, got)
		}
	}
}
