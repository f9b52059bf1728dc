package client

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/entity"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// EntityRequest is what a client asks an entity for.
type EntityRequest struct {
	Entity    history.EntityID
	Operation string
	Input     history.Payload
	// Due is when a signal may run; zero: at once.
	Due time.Time
	// ID is a GUID in the D form: requests of one id are one. Empty: a new one.
	ID string
}

func (c *Client) checkRequest(r *EntityRequest) error {
	if err := r.Entity.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidInstanceID, err)
	}
	if err := history.CheckName("an operation", r.Operation); err != nil {
		return err
	}
	if !r.Due.IsZero() {
		if err := history.CheckTime("the time of a signal", r.Due); err != nil {
			return err
		}
	}
	if r.ID == "" {
		r.ID = taskhub.NewGUID()
	}
	return c.checkPayload("the input of an operation", r.Input)
}

// telling is a request as the inbox of the entity has it.
func (c *Client) telling(r *EntityRequest, wait bool) *taskhub.Telling {
	sent := c.stamp()
	request := history.EntityRequest{Operation: r.Operation, Signal: !wait, Input: r.Input, ID: r.ID, Client: wait}
	return &taskhub.Telling{
		ID: r.ID, Sent: sent, Due: r.Due,
		Event: &history.Event{Type: history.EventRaised, ID: history.NoID, Timestamp: sent, Name: history.EntityOperation, Input: request.Encode()},
	}
}

// SignalEntities asks entities for operations, one way. Those for one entity run in the
// order of the list, after all that this client has signalled to it before; up to 49 of
// them are stored with one request. When it returns nil, all are stored. The error says
// at which place the first is that may not be.
func (c *Client) SignalEntities(ctx context.Context, requests ...EntityRequest) error {
	var order []history.EntityID
	byEntity := map[history.EntityID][]*taskhub.Telling{}
	for i := range requests {
		r := &requests[i]
		if err := c.checkRequest(r); err != nil {
			return fmt.Errorf("signal %q to entity %s: %w", r.Operation, r.Entity, err)
		}
		if byEntity[r.Entity] == nil {
			order = append(order, r.Entity)
		}
		byEntity[r.Entity] = append(byEntity[r.Entity], c.telling(r, false))
	}
	for _, id := range order {
		ended := c.observeSignals(ctx, id, byEntity[id])
		err := c.tellEntity(ctx, id.String(), byEntity[id])
		ended(err)
		if err != nil {
			return fmt.Errorf("signalling entity %s: %w", id, err)
		}
	}
	return nil
}

func (c *Client) tellEntity(ctx context.Context, id string, tellings []*taskhub.Telling) error {
	for list := range slices.Chunk(tellings, taskhub.MaxTold) { // what is stored is not tried again
		if err := c.tries(ctx, func() error { return c.store.Tell(ctx, id, list...) }); err != nil {
			return err
		}
	}
	now, seed := c.now(), ""
	for _, t := range tellings {
		away := t.Due.Sub(now)
		if away <= 0 {
			seed = t.ID
			continue
		}
		if _, err := c.sendMessage(ctx, c.o.Queue, taskhub.LookAt(id, t.ID, now, t.Due), min(away, taskhub.MaxDelay)); err != nil {
			return err
		}
	}
	if seed == "" {
		c.poke(id)
		return nil
	}
	return c.wakeEntity(ctx, id, seed)
}

func (c *Client) poke(id string) bool { return c.o.Local != nil && c.o.Local.Poke(id) }

// wakeEntity makes a process look at what was stored: this one, where it has a worker.
func (c *Client) wakeEntity(ctx context.Context, id, seed string) error {
	if c.poke(id) {
		return nil
	}
	return c.waves.join(ctx, id, func() error {
		if c.poke(id) {
			return nil
		}
		m := taskhub.Look(id, seed, c.now())
		delay := time.Duration(0)
		if c.o.Local != nil {
			delay = c.o.Lease
		}
		lease, err := c.sendMessage(ctx, c.o.Queue, m, delay)
		if err == nil && delay > 0 {
			c.o.Local.Sent(taskhub.Delivery{Message: m, Lease: lease, Inserted: c.now()})
		}
		return err
	})
}

// CallEntity asks an entity for an operation and waits for the answer, until ctx ends.
// A call that is repeated with the same id runs once, and gets the same answer.
func (c *Client) CallEntity(ctx context.Context, r EntityRequest) (*history.EntityAnswer, error) {
	if err := c.checkRequest(&r); err != nil {
		return nil, fmt.Errorf("operation %q of entity %s: %w", r.Operation, r.Entity, err)
	}
	id := r.Entity.String()
	var here <-chan history.Payload
	if c.o.Local != nil {
		var stop func()
		here, stop = c.o.Local.AwaitAnswer(id, r.ID)
		defer stop()
	}
	t := c.telling(&r, true)
	ctx, ended := c.observeCall(ctx, &r, t)
	answer, err := c.called(ctx, &r, t, here)
	ended(answer, err)
	return answer, err
}

// called tells an entity a call and takes the answer.
func (c *Client) called(ctx context.Context, r *EntityRequest, t *taskhub.Telling, here <-chan history.Payload) (*history.EntityAnswer, error) {
	id := r.Entity.String()
	if err := c.tellEntity(ctx, id, []*taskhub.Telling{t}); err != nil {
		return nil, fmt.Errorf("calling entity %s: %w", r.Entity, err)
	}
	p, err := c.awaitAnswer(ctx, id, r.ID, here)
	if err != nil {
		return nil, fmt.Errorf("waiting for the answer of entity %s: %w", r.Entity, err)
	}
	return history.DecodeEntityAnswer(p)
}

// awaitAnswer takes the answer from the worker of this process, or reads it where
// another one, or an earlier call, has made it.
func (c *Client) awaitAnswer(ctx context.Context, id, request string, here <-chan history.Payload) (history.Payload, error) {
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		select {
		case p := <-here:
			return p, nil
		case <-c.o.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		p, err := c.store.Answer(ctx, id, request)
		if p != nil || err != nil && isFinal(err) {
			return p, err
		}
	}
}

// ReadEntity reads what an entity has committed last: one request. A zero Snapshot is
// that of an entity that does not exist.
func (c *Client) ReadEntity(ctx context.Context, id history.EntityID) (entity.Snapshot, error) {
	if err := id.Check(); err != nil {
		return entity.Snapshot{}, fmt.Errorf("%w: %w", ErrInvalidInstanceID, err)
	}
	h, err := c.store.Load(ctx, id.String(), 0)
	if err != nil {
		return entity.Snapshot{}, fmt.Errorf("reading entity %s: %w", id, err)
	}
	return entity.Read(h)
}

// EntityRow is an entity as lists show it: as its row was written last.
type EntityRow struct {
	ID history.EntityID
	// State is nil where the entity does not exist, or was not asked for.
	State   history.Payload
	Changed time.Time
	history.EntityStatus
	// Err says why the row could not be read.
	Err error
}

// EntityQuery says which entities to list.
type EntityQuery struct {
	// Name is that of the entities, without case; empty: all. KeyPrefix needs a name.
	Name, KeyPrefix string
	// ChangedFrom and ChangedTo are inclusive; zero: open.
	ChangedFrom, ChangedTo time.Time
	// WithoutState leaves the states away.
	WithoutState bool
	// Deleted includes entities that do not exist (any more).
	Deleted bool
	Max     int
	Token   string
}

// ListEntities reads one page of entities. It may have fewer than Max, even none, while
// there are more: the list ends where token is empty.
func (c *Client) ListEntities(ctx context.Context, q EntityQuery) (rows []EntityRow, token string, err error) {
	prefix := "@"
	if q.Name != "" {
		prefix = history.NewEntityID(q.Name, q.KeyPrefix).String()
	}
	page, err := c.store.List(ctx, taskhub.Query{
		Prefix: prefix, Entities: true, CreatedFrom: q.ChangedFrom, CreatedTo: q.ChangedTo, WithoutPayloads: q.WithoutState, Max: q.Max, Token: q.Token,
	})
	if err != nil {
		return nil, "", err
	}
	for _, r := range page.Instances {
		if e, ok := entityOf(r); ok && (e.Exists || q.Deleted || e.Err != nil) {
			rows = append(rows, e)
		}
	}
	return rows, page.Token, nil
}

func entityOf(r *taskhub.Instance) (EntityRow, bool) {
	id, err := history.ParseEntityID(r.ID)
	if err != nil {
		return EntityRow{}, false
	}
	e := EntityRow{ID: id, Changed: r.Created, EntityStatus: history.DecodeEntityStatus(r.CustomStatus), Err: r.Err}
	if e.Err == nil {
		var s history.EntityState
		if s, e.Err = history.DecodeEntityState(r.Input); e.Err == nil {
			e.State = s.State
		}
	}
	return e, true
}
