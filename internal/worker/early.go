package worker

import (
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// tooSoon tells whether events that the sender had sent before this one have
// not come yet: they are in the hands of another process, or of one that died.
func (in *instance) tooSoon(it *item) bool {
	if len(it.message.After) == 0 || in.w.clock.Now().Sub(it.delivery.Inserted) > taskhub.OrderWindow {
		return false
	}
	started := in.eng.Started()
	for _, e := range it.message.After {
		switch {
		case in.seen[e.ID], in.accepted(e.ID):
		case started != nil && !in.continued() && e.Sent.Before(started.Timestamp):
			// It was for the execution that this one replaced.
		default:
			return true
		}
	}
	return false
}

// acceptEarly takes the events that were held back until others had come.
func (in *instance) acceptEarly() (events []*history.Event) {
	for more := true; more && len(in.early) > 0; {
		more = false
		waiting := in.early
		in.early = nil
		for _, it := range waiting {
			m := it.message
			switch {
			case in.outcome != nil, !in.descends(m.Target.ExecutionID), in.seen[m.ID], in.accepted(m.ID):
			case in.tooSoon(it):
				in.early = append(in.early, it)
			default:
				events = append(events, withMessage(m))
				in.unacked = append(in.unacked, it)
				more = true
			}
		}
	}
	return events
}

// lookAgain is how long events that came too soon are left alone.
const lookAgain = time.Second

// recent is an event that came a short while ago: a repetition of its message,
// or a later one of the same sender, may still come.
type recent struct {
	ID   string    `json:"id"`
	Sent time.Time `json:"at"`
}

// maxRecent bounds the recent events that an execution hands to the next one.
const maxRecent = 100

// noteRecent remembers the messages of events.
func (in *instance) noteRecent(e *history.Event) {
	if e.Type != history.EventRaised || e.Own.Message == "" {
		return
	}
	in.recent = append(in.recent, recent{ID: e.Own.Message, Sent: e.Timestamp})
	if len(in.recent) >= 2*maxRecent {
		in.recent = append(in.recent[:0], in.recent[len(in.recent)-maxRecent:]...)
	}
}

// recentEvents are what the next execution must know of.
func (in *instance) recentEvents() (out []recent) {
	now := in.w.clock.Now()
	for _, r := range in.recent[max(len(in.recent)-maxRecent, 0):] {
		if now.Sub(r.Sent) <= taskhub.OrderWindow {
			out = append(out, r)
		}
	}
	return out
}
