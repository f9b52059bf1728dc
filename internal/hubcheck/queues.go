package hubcheck

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
)

// checkParts looks for the tables, queues and the container of the hub.
func (c *checker) checkParts(ctx context.Context) (missing bool, err error) {
	for name, rows := range map[string]func(context.Context) error{
		taskhub.InstancesTable(c.name): func(ctx context.Context) error { return first(c.hub.RawInstance(ctx, "-")) },
		taskhub.HistoryTable(c.name):   func(ctx context.Context) error { return first(c.hub.RawHistory(ctx, "-")) },
		taskhub.ControlQueue(c.name):   func(ctx context.Context) error { _, err := c.hub.Peek(ctx, taskhub.ControlQueue(c.name)); return err },
		taskhub.WorkItemQueue(c.name):  func(ctx context.Context) error { _, err := c.hub.Peek(ctx, taskhub.WorkItemQueue(c.name)); return err },
	} {
		err := rows(ctx)
		if errors.Is(err, taskhub.ErrNoHub) {
			c.add(ctx, Finding{Severity: Damage, Kind: "part-missing", Place: name, What: "a table or queue of the hub does not exist"}.with(create{}))
			missing = missing || !c.Repair
			continue
		}
		if err != nil {
			return false, err
		}
	}
	return missing, nil
}

func first(rows func(func(azure.RawRow, error) bool)) error {
	for _, err := range rows {
		return err
	}
	return nil
}

// checkQueues looks at the messages that can be received now.
func (c *checker) checkQueues(ctx context.Context) error {
	names, err := c.hub.QueueNames(ctx, "-")
	if err != nil {
		return err
	}
	control, items := taskhub.ControlQueue(c.name), taskhub.WorkItemQueue(c.name)
	for _, queue := range names {
		messages, err := c.hub.Peek(ctx, queue)
		if err != nil {
			return err
		}
		switch {
		case strings.HasSuffix(queue, poisonSuffix):
			if len(messages) > 0 {
				c.add(ctx, Finding{Severity: Note, Kind: "queue-poison", Place: "queue " + queue, What: fmt.Sprintf("%d or more messages were moved here because nothing could be made of them", len(messages))})
			}
		case queue == control, queue == items:
			err = c.checkMessages(ctx, queue, messages)
		case taskhub.IsControlQueue(c.name, queue) && len(messages) > 0:
			f := Finding{Severity: Waiting, Kind: "queue-stray", Place: "queue " + queue,
				What: fmt.Sprintf("%d or more messages on a control queue beside %s; their sender should have partitionCount 1 (a running app fetches them)", len(messages), control)}
			c.add(ctx, f.with(drain{from: queue, to: control}))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

const poisonSuffix = "-poison"

// checkMessages looks for messages that nothing can be made of.
func (c *checker) checkMessages(ctx context.Context, queue string, messages []azure.RawMessage) error {
	var bad, gone, orphans []string
	for _, m := range messages {
		opened, err := c.hub.Open(ctx, []byte(m.Body))
		switch {
		case errors.Is(err, taskhub.ErrPayloadGone):
			gone = append(gone, m.ID)
		case errors.Is(err, taskhub.ErrUnread):
		case err != nil:
			bad = append(bad, m.ID)
		case c.Now().Sub(m.Inserted) > c.Age:
			orphan, err := c.isOrphan(ctx, opened.Target.InstanceID)
			if err != nil {
				return err
			}
			if orphan {
				orphans = append(orphans, m.ID)
			}
		}
	}
	if len(bad) > 0 {
		c.add(ctx, Finding{Severity: Damage, Kind: "message-undecodable", Place: "queue " + queue, What: fmt.Sprintf("%d messages cannot be decoded", len(bad))}.
			with(pick{queue: queue, ids: bad, to: queue + poisonSuffix}))
	}
	if len(gone) > 0 {
		c.add(ctx, Finding{Severity: Debris, Kind: "message-payload-missing", Place: "queue " + queue, What: fmt.Sprintf("the blobs of %d messages are gone", len(gone))}.
			with(pick{queue: queue, ids: gone}))
	}
	if len(orphans) > 0 {
		c.add(ctx, Finding{Severity: Debris, Kind: "message-orphan", Place: "queue " + queue, What: fmt.Sprintf("%d messages are for instances that are not there", len(orphans))}.
			with(pick{queue: queue, ids: orphans}))
	}
	return nil
}

// isOrphan reports whether there is nothing of an instance.
func (c *checker) isOrphan(ctx context.Context, id string) (bool, error) {
	_, err := c.hub.Instance(ctx, id)
	if !errors.Is(err, taskhub.ErrNotFound) {
		return false, err
	}
	for _, err := range c.hub.RawHistory(ctx, taskhub.EscapeKey(id)) {
		return false, err
	}
	return true, nil
}

// hideWhile is how long a message is hidden while a repair looks at it.
const hideWhile = 10 * time.Second

// pick takes messages off a queue: to another one, or away. Others that it meets are
// visible again at once.
type pick struct {
	queue string
	ids   []string
	to    string
}

func (p pick) describe() string {
	if p.to != "" {
		return "move them to queue " + p.to
	}
	return "delete them"
}

func (p pick) apply(ctx context.Context, hub *azure.Hub) error {
	left := len(p.ids)
	for round := 0; left > 0 && round < 4; round++ {
		got, err := hub.Receive(ctx, p.queue, 32, hideWhile)
		if err != nil {
			return err
		}
		for _, d := range got {
			if !slices.Contains(p.ids, d.Lease.MessageID) {
				if err := hub.Renew(ctx, d.Lease, 0); err != nil && !errors.Is(err, taskhub.ErrLeaseLost) {
					return err
				}
				continue
			}
			if err := move(ctx, hub, d.Lease, p.to); err != nil {
				return err
			}
			left--
		}
	}
	if left > 0 {
		return fmt.Errorf("%d of %d messages were not met; a process may have them", left, len(p.ids))
	}
	return nil
}

// move puts a copy first: where it is cut off there are two, not none.
func move(ctx context.Context, hub *azure.Hub, l *taskhub.Lease, to string) error {
	if to != "" {
		if err := hub.Put(ctx, to, l.Body); err != nil {
			return err
		}
	}
	return hub.Remove(ctx, l)
}

// drain moves all messages of a queue to another one.
type drain struct{ from, to string }

func (d drain) describe() string { return "move them to queue " + d.to }

func (d drain) apply(ctx context.Context, hub *azure.Hub) error {
	for {
		got, err := hub.Receive(ctx, d.from, 32, hideWhile)
		if err != nil || len(got) == 0 {
			return err
		}
		for _, m := range got {
			if err := move(ctx, hub, m.Lease, d.to); err != nil {
				return err
			}
		}
	}
}
