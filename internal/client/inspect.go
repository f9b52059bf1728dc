package client

import (
	"context"
	"fmt"
	"time"

	"github.com/durable-go/functions/internal/entity"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// EntityView is what can be seen of an entity: as it was committed last, and what waits
// for it.
type EntityView struct {
	entity.Snapshot
	// Orphan means that the owner of the lock does not run any more.
	Orphan bool
	// Backlog are the requests that come next, in their order: those that may be taken in
	// now.
	Backlog []EntityWaiting
	// Waiting is how many there are, as far as they were read; More that there are others.
	Waiting int
	More    bool
	// NextDue is when the next signal with a time may run; zero: none is known.
	NextDue time.Time
}

// EntityWaiting is a request that waits in the inbox of an entity.
type EntityWaiting struct {
	// Operation is empty where the request is for the lock, or is none.
	Operation string
	// Lock means that it asks for the lock, Release that it ends one, Signal that nothing
	// waits for an answer.
	Lock, Release, Signal bool
	// By is the instance that asked; empty: a client.
	By string
	// Section is the critical section that it belongs to; empty: none.
	Section string
	Input   history.Payload
	// Stored is when it came, Due when it may run; zero: at once.
	Stored, Due time.Time
	// Err says why it cannot be read.
	Err error
}

// InspectEntity reads an entity with its backlog, of which at most top requests are
// returned: two requests while the backlog is small, and one more where it is locked. An
// entity of which nothing is stored is taskhub.ErrNotFound.
func (c *Client) InspectEntity(ctx context.Context, id history.EntityID, top int) (*EntityView, error) {
	s, err := c.ReadEntity(ctx, id)
	if err != nil {
		return nil, err
	}
	in, err := c.store.Look(ctx, id.String(), taskhub.LookOptions{Now: c.now(), Max: top})
	if err != nil {
		return nil, fmt.Errorf("reading what waits for entity %s: %w", id, err)
	}
	if s.Fence.ETag == "" && in.Waiting == 0 {
		return nil, fmt.Errorf("entity %s: %w", id, taskhub.ErrNotFound)
	}
	v := &EntityView{Snapshot: s, Waiting: in.Waiting, More: in.More, NextDue: in.NextDue}
	for _, row := range in.Rows {
		v.Backlog = append(v.Backlog, waitingOf(row))
	}
	if s.Lock == nil {
		return v, nil
	}
	owner, err := c.store.Head(ctx, s.Lock.Owner)
	if err != nil {
		return nil, fmt.Errorf("looking at %s, which holds the lock of entity %s: %w", s.Lock.Owner, id, err)
	}
	v.Orphan = s.Lock.IsOrphan(owner)
	return v, nil
}

// waitingOf reads a row of an entity's inbox.
func waitingOf(row *taskhub.InboxRow) EntityWaiting {
	w := EntityWaiting{Stored: row.Stored, Due: row.Telling.Due, Err: row.Err}
	if w.Err != nil || row.Telling.Event == nil {
		return w
	}
	if e := row.Telling.Event; e.Name == history.EntityRelease {
		w.Release = true
		if r, err := history.DecodeEntityRelease(e.Input); err == nil {
			w.Section = r.ID
		}
		return w
	}
	r, err := history.DecodeEntityRequest(row.Telling.Event.Input)
	if err != nil {
		w.Err = err
		return w
	}
	w.Operation, w.Lock, w.Signal, w.By, w.Section, w.Input = r.Operation, r.IsLock(), r.Signal, r.Parent, r.Section, r.Input
	if w.Lock {
		w.Section = r.ID
	}
	return w
}
