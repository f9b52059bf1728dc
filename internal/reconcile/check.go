package reconcile

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// checking is one round of checks. Its methods may be called concurrently. What it
// sends goes out when all are done: a wake-up changes the instance and its parent,
// which would then look as if a process worked on them.
type checking struct {
	*Reconciler
	mu     sync.Mutex // guards the rest
	queued map[string]time.Time
	wakes  []wakeUp
}

// wakeUp is a message that a check asks for.
type wakeUp struct {
	of    *tracked
	queue string
	*taskhub.Message
}

// send sends a message at the end of the round.
func (c *checking) send(of *tracked, queue string, m *taskhub.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wakes = append(c.wakes, wakeUp{of, queue, m})
}

// woken is the log record of all that the reconciler does.
const woken = "instance that no process works on is woken"

// maxChildren is how many children of an instance a check asks for.
const maxChildren = 20

// one looks at an instance. done says that there is no reason to look again.
func (c *checking) one(ctx context.Context, t *tracked) (done bool, err error) {
	head, err := c.Hub.Head(ctx, t.row.ID)
	switch {
	case errors.Is(err, taskhub.ErrFormat), errors.Is(err, taskhub.ErrUnreadable):
		return true, nil // see "durable hub check"
	case err != nil:
		return false, err
	}
	now := time.Now()
	if err := c.compareRow(ctx, t, head); err != nil {
		return errors.Is(err, taskhub.ErrNotFound), notFound(err)
	}
	version := head.ETag
	if head.ExecutionID == "" {
		version = t.row.ETag
	}
	if !t.see(version, now) {
		t.next = now.Add(c.patience())
		return false, nil
	}
	if c.isNoted(t.row.ID, t.since) {
		t.since, t.next = now, now.Add(every)
		return false, nil
	}
	s := sight{now: now, row: t.row, head: head, since: t.since, patience: c.patience()}
	v := judge(s)
	if v > wait {
		if s.queued, err = c.oldest(ctx, c.ControlOf(t.row.Name)); err != nil {
			return false, err
		}
		v = judge(s)
	}
	if v == wait {
		t.next = now.Add(again)
		return false, nil
	}
	if done, err = c.act(ctx, t, head, v); err != nil {
		return false, err
	}
	t.next = now.Add(after(t.looks))
	t.looks++
	return done, nil
}

// compareRow deals with an instance that was known by a pending row and has a history.
// Who commits to it shows that in the row within a moment: where the row is as it was,
// the history is older.
func (c *checking) compareRow(ctx context.Context, t *tracked, head taskhub.Fence) error {
	if head.ExecutionID == "" || !t.known || t.version != t.row.ETag {
		return nil
	}
	row, err := c.Hub.Instance(ctx, t.row.ID)
	if err == nil && row.ETag == t.version {
		t.version = head.ETag
	}
	return err
}

// notFound is nil for the error that an instance is gone.
func notFound(err error) error {
	if errors.Is(err, taskhub.ErrNotFound) {
		return nil
	}
	return err
}

// oldest is when the first message was put on a queue that can be received now; zero
// where none can be. Each queue is asked once a round.
func (c *checking) oldest(ctx context.Context, queue string) (time.Time, error) {
	if c.Gauge == nil {
		return time.Time{}, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, known := c.queued[queue]; known {
		return at, nil
	}
	facts, err := c.Gauge.Queue(ctx, queue)
	if err != nil {
		return time.Time{}, err
	}
	c.queued[queue] = facts.Oldest
	return facts.Oldest, nil
}

// act does what the verdict asks for. done says that the instance has ended.
func (c *checking) act(ctx context.Context, t *tracked, head taskhub.Fence, v verdict) (done bool, err error) {
	switch v {
	case start, finish:
		row, err := c.Hub.Instance(ctx, t.row.ID)
		if errors.Is(err, taskhub.ErrNotFound) || err == nil && row.Status.Finished() {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if v == start {
			return false, errors.Join(c.start(ctx, t, row), c.lookInto(ctx, t, head))
		}
		c.wake(t, head, taskhub.Healing{Owed: true}, "it has ended, and its row does not show that")
	case look:
		return false, c.lookInto(ctx, t, head)
	case inspect:
		return false, errors.Join(c.inspect(ctx, t, head), c.lookInto(ctx, t, head))
	}
	return false, nil
}

// lookInto sends a wake-up where something waits in the inbox.
func (c *checking) lookInto(ctx context.Context, t *tracked, head taskhub.Fence) error {
	inbox, err := c.Hub.Look(ctx, t.row.ID, taskhub.LookOptions{Max: 1, ControlOnly: t.row.Parked != ""})
	if err != nil || len(inbox.Rows) == 0 {
		return err
	}
	c.wake(t, head, taskhub.Healing{}, "it was told something")
	return nil
}

// start sends the start message of a pending instance again. That of a child is its
// parent's to send, as long as that waits for it.
func (c *checking) start(ctx context.Context, t *tracked, row *taskhub.Instance) error {
	if row.Status != history.Pending {
		return nil
	}
	if parent := row.ParentInstanceID; parent != "" {
		if asked, err := c.startByParent(ctx, t, row); asked || err != nil {
			return err
		}
	}
	if row.ExecutionID == "" {
		row.ExecutionID = taskhub.DerivedID("unstarted", row.ID)
	}
	c.Log.Warn(woken, "instance", row.ID, "reason", "its start message is missing")
	c.send(t, c.ControlOf(row.Name), taskhub.Started(row))
	return nil
}

func (c *checking) startByParent(ctx context.Context, t *tracked, child *taskhub.Instance) (asked bool, err error) {
	parent := child.ParentInstanceID
	h, err := c.Hub.Load(ctx, parent, 0)
	if errors.Is(err, taskhub.ErrUnreadable) || errors.Is(err, taskhub.ErrFormat) {
		return false, nil
	}
	if err != nil || h.Fence.State.Ended {
		return false, err
	}
	for _, e := range find(h, time.Now()).children {
		if e.InstanceID == child.ID {
			c.Log.Warn(woken, "instance", child.ID, "parent", parent, "reason", "its start message is missing")
			m := taskhub.Heal(parent, h.Fence.ETag+" "+child.ETag, taskhub.Healing{Actions: []int32{e.ID}}, time.Now().UTC())
			c.send(t, c.ControlOf(nameOf(h)), m)
			return true, nil
		}
	}
	return false, nil
}

// nameOf is the orchestrator of a history.
func nameOf(h *taskhub.History) string {
	for _, e := range h.Events {
		if e.Type == history.ExecutionStarted {
			return e.Name
		}
	}
	return ""
}

// inspect reads the history of an instance that waits for more than events.
func (c *checking) inspect(ctx context.Context, t *tracked, head taskhub.Fence) error {
	h, err := c.Hub.Load(ctx, t.row.ID, 0)
	if errors.Is(err, taskhub.ErrUnreadable) || errors.Is(err, taskhub.ErrFormat) {
		return nil
	}
	if err != nil || h.Fence.ETag != head.ETag {
		return err
	}
	m := find(h, time.Now())
	if t.looks == 0 {
		m.again = append(m.again, m.unsure...)
	}
	for i, e := range m.children {
		// A check asks for some, the next one for others.
		if i/maxChildren != t.looks%(len(m.children)/maxChildren+1) {
			continue
		}
		lost, err := c.child(ctx, t, e)
		if err != nil {
			return err
		}
		if lost {
			m.again = append(m.again, e.ID)
		}
	}
	for ids := range slices.Chunk(m.again, taskhub.MaxHealed) {
		c.wake(t, head, taskhub.Healing{Actions: ids}, "no process does what it waits for")
	}
	return nil
}

// child looks at a child whose end its parent does not know. lost reports that it was
// not started; one that has ended is asked to say so again.
func (c *checking) child(ctx context.Context, t *tracked, e *history.Event) (lost bool, err error) {
	row, err := c.Hub.Instance(ctx, e.InstanceID)
	switch {
	case errors.Is(err, taskhub.ErrNotFound):
		return true, nil
	case err != nil:
		return false, err
	case !row.Status.Finished() || row.Updated.After(t.since):
		return false, nil
	}
	m := taskhub.Heal(row.ID, "owed "+row.ETag, taskhub.Healing{Owed: true}, time.Now().UTC())
	c.Log.Warn(woken, "instance", t.row.ID, "child", row.ID, "reason", "its child has ended, and it does not know that")
	c.send(t, c.ControlOf(row.Name), m)
	return false, nil
}

// wake sends a wake-up. Its id is that of the state of the instance: sent twice it is
// one.
func (c *checking) wake(t *tracked, head taskhub.Fence, h taskhub.Healing, reason string) {
	c.Log.Warn(woken, "instance", t.row.ID, "reason", reason, "actions", len(h.Actions))
	now := time.Now().UTC()
	m := taskhub.Look(t.row.ID, "reconciler "+head.ETag, now)
	if h.IsAsked() {
		seed := head.ETag
		if len(h.Actions) > 0 {
			seed += " " + time.Duration(h.Actions[0]).String()
		}
		m = taskhub.Heal(t.row.ID, seed, h, now)
	}
	c.send(t, c.ControlOf(t.row.Name), m)
}
