package client

import (
	"context"
	"errors"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// tell puts an event into the inbox of an instance and makes a process look at it. When
// it returns nil the event will be taken in, exactly once. A repetition with the same
// id is the same telling, and sends the wake-up again where that had failed.
func (c *Client) tell(ctx context.Context, row *taskhub.Instance, id string, e *history.Event) error {
	t := &taskhub.Telling{ID: id, Origin: row.Origins(), Event: e, Sent: c.stamp(), Limit: c.o.MaxWaiting, LimitBytes: taskhub.MaxWaitingBytes(c.o.MaxPayload)}
	if err := c.tries(ctx, func() error { return c.store.Tell(ctx, row.ID, t) }); err != nil {
		return err
	}
	return c.wake(ctx, row, id)
}

// wake makes a process look at what was stored for an instance. seed makes the id of
// the message. The worker of this process needs none while it holds a wake-up, and of
// several that are wanted at the same time one is sent.
func (c *Client) wake(ctx context.Context, row *taskhub.Instance, seed string) error {
	if c.o.Local != nil && c.o.Local.Poke(row.ID) {
		return nil
	}
	return c.waves.join(ctx, row.ID, func() error {
		if c.o.Local != nil && c.o.Local.Poke(row.ID) {
			return nil
		}
		return c.send(ctx, row, taskhub.Look(row.ID, seed, c.now()))
	})
}

// sendTries is how often a request is made before the caller learns of its failure.
// What is told and sent keeps its id: several are one.
const sendTries = 3

// tries repeats a request whose outcome is unknown.
func (c *Client) tries(ctx context.Context, request func() error) error {
	for try := 1; ; try++ {
		err := request()
		if err == nil || try == sendTries || isFinal(err) || ctx.Err() != nil {
			return err
		}
		select {
		case <-c.o.After(time.Duration(try) * minPause):
		case <-ctx.Done():
			return err
		}
	}
}

// isFinal reports whether a repetition changes nothing about an error.
func isFinal(err error) bool {
	for _, final := range []error{
		taskhub.ErrTooLarge, taskhub.ErrRefused, taskhub.ErrSealed, taskhub.ErrConflict, taskhub.ErrGone, taskhub.ErrFormat,
		taskhub.ErrNotFound, taskhub.ErrExists, taskhub.ErrChanged, taskhub.ErrUnreadable, taskhub.ErrBacklog,
	} {
		if errors.Is(err, final) {
			return true
		}
	}
	return false
}

// send puts a message on its way: straight to the worker of this process when that has
// the instance in memory, with the queue's copy hidden, else through the queue.
func (c *Client) send(ctx context.Context, row *taskhub.Instance, m *taskhub.Message) error {
	here := c.o.Local != nil && c.o.Lease > 0 && c.o.Local.Holds(row.ID)
	delay := time.Duration(0)
	if here {
		delay = c.o.Lease
	}
	lease, err := c.sendMessage(ctx, c.o.QueueOf(row.Name), m, delay)
	if err != nil {
		return err
	}
	if here {
		c.o.Local.Sent(taskhub.Delivery{Message: m, Lease: lease, Inserted: c.now()})
	}
	return nil
}

func (c *Client) sendMessage(ctx context.Context, queue string, m *taskhub.Message, delay time.Duration) (lease *taskhub.Lease, err error) {
	err = c.tries(ctx, func() (err error) {
		lease, err = c.store.Send(ctx, queue, m, delay)
		return err
	})
	return lease, err
}
