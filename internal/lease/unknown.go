package lease

import (
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// A name in a message from a queue may be unknown to this process because another one
// knows it: during a rolling deployment. The message is then put off for UnknownDelay,
// until it is older than UnknownPatience and was delivered unknownDeliveries times: it
// may have waited for long before it came here.
const (
	UnknownPatience   = 60 * time.Second
	UnknownDelay      = 10 * time.Second
	unknownDeliveries = 5
)

// MayBeKnownElsewhere reports whether a name in a delivery that is unknown here does not
// fail yet.
func MayBeKnownElsewhere(now time.Time, d taskhub.Delivery) bool {
	if d.Dequeued == 0 || d.Inserted.IsZero() {
		return false
	}
	// A message that was sent anew, or came from another queue, is as old as what it says.
	since := d.Inserted
	if d.Message != nil && d.Message.Event != nil {
		if sent := d.Message.Event.Timestamp; !sent.IsZero() && sent.Before(since) {
			since = sent
		}
	}
	return d.Dequeued < unknownDeliveries || now.Sub(since) < UnknownPatience
}
