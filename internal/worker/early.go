package worker

import (
	"context"
	"slices"
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
	for _, e := range it.message.After {
		if !in.seen[e.ID] && !in.accepted(e.ID) && !e.Sent.Before(in.arrived.before) {
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
				in.noteFollowed(m)
				events = append(events, withMessage(m))
				in.unacked = append(in.unacked, it)
				more = true
			}
		}
	}
	return events
}

// Bounds of the pause before a process that holds events back looks again at
// what others have committed: an eighth of the time that they have waited.
const (
	lookSoonest = 250 * time.Millisecond
	lookLatest  = 5 * time.Second
)

// lookAgain is how long events that came too soon are left alone.
func (in *instance) lookAgain() time.Duration {
	pause := lookLatest
	for _, it := range in.early {
		pause = min(pause, in.w.clock.Now().Sub(it.delivery.Inserted)/8)
	}
	return max(pause, lookSoonest)
}

// behind tells whether what the events that came too soon wait for may have come
// to another process: its commits are not in memory here.
func (in *instance) behind(ctx context.Context, batch []*item) (bool, error) {
	if len(in.early) == 0 || in.current || len(in.pending) > 0 || !slices.ContainsFunc(batch, func(it *item) bool { return it.alarm }) {
		return false, nil
	}
	return in.overtaken(ctx)
}
