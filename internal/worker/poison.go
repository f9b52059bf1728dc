package worker

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/taskhub"
)

// unreadDelay is the longest pause before a message comes again whose payload
// could not be read.
const unreadDelay = 15 * time.Second

// maxShown is how many bytes of a message that cannot be decoded the log shows.
const maxShown = 200

// undecodable puts a message off that is none of ours, because another version may
// understand it, or whose payload cannot be read for the moment. What no version has
// understood after some deliveries is moved away.
func (w *Worker) undecodable(ctx context.Context, d taskhub.Delivery, hosted bool) error {
	delay, readable := min(time.Second<<min(d.Dequeued, 10), 10*time.Minute), true
	if errors.Is(d.Err, taskhub.ErrUnread) || errors.Is(d.Err, taskhub.ErrSealed) {
		delay, readable = min(delay, unreadDelay), false
	}
	if readable && w.Poison != nil && d.Dequeued >= w.PoisonAfter {
		return w.poison(ctx, d, hosted)
	}
	w.counted(observe.Deferred, "unreadable")
	w.Log.Error("message cannot be decoded; it is put off", append(shown(d), "delay", delay)...)
	err := w.Store.Renew(ctx, d.Lease, delay)
	if errors.Is(err, taskhub.ErrLeaseLost) || !hosted {
		return nil
	}
	return err
}

// poison moves a message away. The copy comes first: a crash in between leaves two
// messages, not none.
func (w *Worker) poison(ctx context.Context, d taskhub.Delivery, hosted bool) error {
	if err := w.Poison(ctx, d.Lease.Queue, d.Lease.Body); err != nil {
		return err
	}
	w.counted(observe.Poisoned, d.Lease.Queue)
	w.Log.Error("message cannot be decoded and is moved to the poison queue", append(shown(d), "to", d.Lease.Queue+"-poison")...)
	if hosted {
		return nil // the host removes it
	}
	return w.Store.Remove(ctx, d.Lease)
}

// shown is what the log has of a message that cannot be decoded.
func shown(d taskhub.Delivery) []any {
	body := d.Lease.Body
	attrs := []any{"queue", d.Lease.Queue, "message", d.Lease.MessageID, "deliveries", d.Dequeued, "error", d.Err, "bytes", len(body), "begins", strconv.Quote(body[:min(len(body), maxShown)])}
	if activity, instance := taskhub.Named([]byte(body)); instance != "" || activity != "" {
		attrs = append(attrs, "instance", instance, "id", activity)
	}
	return attrs
}
