package worker

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// dispatchOneWay sends what nobody answers and what is this process's to send.
// What is another one's may come to be ours, unless it is old: then it was sent.
func (in *instance) dispatchOneWay(ctx context.Context) error {
	for _, e := range slices.Clone(in.eng.OneWay()) {
		if in.mine(e.ID) {
			if err := in.sendOneWay(ctx, e); err != nil {
				return err
			}
		} else if in.isRecent(e) {
			continue
		}
		in.eng.Sent(e.ID)
	}
	return nil
}

// dispatchLast sends what an execution that continues as new still owes to
// others, also for other processes: its history, by which they would know it, is
// replaced. Whoever gets something twice knows it by its id.
func (in *instance) dispatchLast(ctx context.Context) error {
	return in.sendOwed(ctx, func(e *history.Event) bool { return in.mine(e.ID) || in.isRecent(e) })
}

// dispatchMine sends what an execution that has ended still owes to others and is
// this process's to send. Another one finds the rest in the history when it comes
// back to it: what was sent already cannot be told from that here.
func (in *instance) dispatchMine(ctx context.Context) error {
	return in.sendOwed(ctx, func(e *history.Event) bool { return in.mine(e.ID) })
}

// sendOwed sends what nobody answers and starts the children for which nobody
// waits any more.
func (in *instance) sendOwed(ctx context.Context, which func(*history.Event) bool) error {
	for _, e := range in.sinceRewind() {
		if isOneWay(e) && !in.sent[e.ID] && which(e) {
			if err := in.sendOneWay(ctx, e); err != nil {
				return err
			}
		}
	}
	if in.outcome != nil && in.outcome.Status == history.Terminated {
		return nil
	}
	for _, e := range in.openChildren() {
		if in.sent[e.ID] || !which(e) {
			continue
		}
		if err := in.startUnawaited(ctx, e); err != nil {
			return err
		}
		in.sent[e.ID] = true
	}
	return nil
}

func isOneWay(e *history.Event) bool { return e.Type == history.EventSent || engine.Detached(e) }

// dispatchWindow is how long an action may wait for the process that holds the
// message under which it was asked for, or for the one that gets the message
// next. It is longer than the leases of several that die one after the other,
// and shorter than longAgo, for which a repetition is recognised.
const dispatchWindow = 15 * time.Minute

func (in *instance) isRecent(action *history.Event) bool {
	return in.w.clock.Now().Sub(action.Timestamp) < dispatchWindow
}

func (in *instance) sendOneWay(ctx context.Context, e *history.Event) error {
	send := in.sendEvent
	if e.Type != history.EventSent {
		send = in.startUnawaited
	}
	if err := send(ctx, e); err != nil {
		return err
	}
	in.sent[e.ID] = true
	return nil
}

// startUnawaited starts an orchestration whose end nobody here waits for.
func (in *instance) startUnawaited(ctx context.Context, e *history.Event) error {
	problem, err := in.startChild(ctx, e)
	if problem != "" {
		in.w.log.Error("an orchestration that nobody waits for was not started", "instance", in.id, "child", e.InstanceID, "reason", problem)
	}
	return err
}

// sendEvent sends an external event to another instance, which takes it after
// those that the orchestration has sent there before.
func (in *instance) sendEvent(ctx context.Context, e *history.Event) error {
	if err := in.w.fits(e.Input); err != nil {
		in.w.log.Error("an event to another instance is too large and was not sent", "instance", in.id, "target", e.InstanceID, "error", err)
		return nil
	}
	// Nobody knows whose instance it is, and any queue brings any message.
	return in.w.tell(ctx, in.w.Control, &taskhub.Message{
		ID:     in.messageID("event", e.ID),
		Target: history.InstanceRef{InstanceID: e.InstanceID},
		Sender: in.self(),
		Event:  &history.Event{Type: history.EventRaised, ID: history.NoID, Name: e.Name, Input: e.Input, Timestamp: e.Timestamp},
		After:  in.sentBefore(e),
	})
}

// sentBefore is the event that the orchestration has sent last to the same
// instance before this one, unless that is long ago.
func (in *instance) sentBefore(e *history.Event) []taskhub.Earlier {
	since := e.Timestamp.Add(-taskhub.OrderWindow)
	later := true
	for _, b := range slices.Backward(in.sinceRewind()) {
		switch {
		case later:
			later = b.Type != history.EventSent || b.ID != e.ID
		case !b.Timestamp.After(since):
			return nil
		case b.Type == history.EventSent && b.InstanceID == e.InstanceID && in.w.fits(b.Input) == nil:
			return []taskhub.Earlier{{ID: in.messageID("event", b.ID), Sent: b.Timestamp}}
		}
	}
	if b, ok := in.sentEarlier[e.InstanceID]; ok && b.Sent.After(since) {
		return []taskhub.Earlier{b}
	}
	return nil
}

// maxSentEarlier bounds the instances of which an execution tells the next one
// that it has sent them events.
const maxSentEarlier = 64

// lastSent are the last events that the orchestration has sent, by the instances
// they were for: the next execution sends its events after them.
func (in *instance) lastSent(now time.Time) map[string]taskhub.Earlier {
	last := map[string]taskhub.Earlier{}
	for id, e := range in.sentEarlier {
		if now.Sub(e.Sent) < taskhub.OrderWindow {
			last[id] = e
		}
	}
	for _, e := range in.sinceRewind() {
		if e.Type == history.EventSent && now.Sub(e.Timestamp) < taskhub.OrderWindow && in.w.fits(e.Input) == nil {
			last[e.InstanceID] = taskhub.Earlier{ID: in.messageID("event", e.ID), Sent: e.Timestamp}
		}
	}
	if len(last) > maxSentEarlier {
		latest := slices.SortedFunc(maps.Keys(last), func(a, b string) int { return last[b].Sent.Compare(last[a].Sent) })
		for _, id := range latest[maxSentEarlier:] {
			delete(last, id)
		}
	}
	return last
}
