package durable

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"time"

	"github.com/durable-go/functions/handler"
	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// WithRequestID gives a client's request an id: however often it is made with the id,
// the operation runs once. It is a GUID in lower case with dashes. By default each
// request has an id of its own; within an activity, or a function of the host whose
// process may die, one that a repetition makes again.
func WithRequestID(id string) RequestIDOption { return requestIDOption(id) }

// RequestIDOption is for what a client asks of an entity.
type RequestIDOption interface {
	SignalOption
	DoOption
}

// DoOption changes what a client's Do does.
type DoOption interface{ do(*signalOptions) }

type requestIDOption string

func (o requestIDOption) signal(s *signalOptions) { s.request = string(o) }
func (o requestIDOption) do(s *signalOptions)     { s.request = string(o) }

// Send asks for the operation one way, from a client. It returns when the request is
// stored: it will run once, and after all that this client has sent to the entity
// before.
func (o *Operation[In, Out]) Send(ctx context.Context, c *Client, key string, in In, options ...SignalOption) error {
	return c.SignalEntity(ctx, EntityID{o.entity, key}, o.name, in, options...)
}

// Do asks for the operation and waits for its result, from a client, until ctx ends.
// The failure of the operation is a *TaskError. Repeated with the same WithRequestID it
// runs once and gives the same result, for a week.
func (o *Operation[In, Out]) Do(ctx context.Context, c *Client, key string, in In, options ...DoOption) (Out, error) {
	return DoEntity[Out](ctx, c, EntityID{o.entity, key}, o.name, in, options...)
}

// Do runs the view on the state that the entity has committed last, in this process:
// one read, and no message. An entity that does not exist has its initial state.
func (v *View[S, In, Out]) Do(ctx context.Context, c *Client, key string, in In) (out Out, err error) {
	core, err := c.core()
	if err != nil {
		return out, err
	}
	id := v.of.ID(key)
	snapshot, err := core.client.ReadEntity(ctx, id.internal())
	if err != nil {
		return out, err
	}
	s, err := v.of.decode(core.registry, key, snapshot.State)
	if err != nil {
		return out, fmt.Errorf("the state of entity %v is no %v: %w", id, reflect.TypeFor[S](), err)
	}
	return v.method(*s, in)
}

// Signal is an operation that a client asks for one way.
type Signal struct {
	ID        EntityID
	Operation string
	Input     any
	// DeliverAt is as WithDeliverAt, RequestID as WithRequestID.
	DeliverAt time.Time
	RequestID string
}

// Signals are requests for the operation, one for each input, for Client.SignalEntities.
func (o *Operation[In, Out]) Signals(key string, inputs ...In) []Signal {
	out := make([]Signal, len(inputs))
	for i, in := range inputs {
		out[i] = Signal{ID: EntityID{o.entity, key}, Operation: o.name, Input: in}
	}
	return out
}

// SignalEntity signals an entity by name. See Operation.Send.
func (c *Client) SignalEntity(ctx context.Context, id EntityID, operation string, in any, options ...SignalOption) error {
	o := signalOptionsOf(options)
	return c.SignalEntities(ctx, Signal{ID: id, Operation: operation, Input: in, DeliverAt: o.due, RequestID: o.request})
}

// SignalEntities signals entities, up to 49 signals to one of them with one request.
// Signals to one entity run in the order of the list. When it returns nil all are
// stored; after an error some may be.
func (c *Client) SignalEntities(ctx context.Context, signals ...Signal) error {
	core, err := c.core()
	if err != nil {
		return err
	}
	requests := make([]client.EntityRequest, len(signals))
	for i, s := range signals {
		if requests[i], err = core.request(ctx, s.ID, s.Operation, s.Input, s.RequestID); err != nil {
			return err
		}
		requests[i].Due = s.DeliverAt
	}
	return core.client.SignalEntities(ctx, requests...)
}

// request makes a request of a client.
func (c *core) request(ctx context.Context, id EntityID, operation string, in any, request string) (r client.EntityRequest, err error) {
	p, err := c.registry.encode(in)
	if err != nil {
		return r, fmt.Errorf("input of operation %q of entity %v: %w", operation, id, err)
	}
	if request == "" {
		what := taskhub.GUID("entity", id.String(), strings.ToLower(operation), string(p))
		if invocation, n, ok := handler.Ordinal(ctx, what); ok {
			// An invocation whose process died is repeated: the request is the same.
			request = taskhub.GUID("asked", invocation, what, fmt.Sprint(n))
		}
	}
	return client.EntityRequest{Entity: id.internal(), Operation: operation, Input: p, ID: request}, nil
}

// DoEntity asks an entity for an operation by name. See Operation.Do.
func DoEntity[Out any](ctx context.Context, c *Client, id EntityID, operation string, in any, options ...DoOption) (out Out, err error) {
	core, err := c.core()
	if err != nil {
		return out, err
	}
	var o signalOptions
	for _, option := range options {
		option.do(&o)
	}
	r, err := core.request(ctx, id, operation, in, o.request)
	if err != nil {
		return out, err
	}
	answer, err := core.client.CallEntity(ctx, r)
	if err != nil {
		return out, err
	}
	if answer.Failure != nil {
		return out, source{entityCall, entitySource(id, operation)}.failed(&engine.Failure{Details: answer.Failure}, "")
	}
	if answer.Result != nil {
		if err := core.registry.decode(answer.Result, &out); err != nil {
			return out, fmt.Errorf("the result of operation %q of entity %v is no %v: %w", operation, id, reflect.TypeFor[Out](), err)
		}
	}
	return out, nil
}

// ReadEntity reads the state that an entity has committed last: one request. exists is
// false, and the state is the zero value, where the entity does not exist.
func ReadEntity[S any](ctx context.Context, c *Client, id EntityID) (state S, exists bool, err error) {
	core, err := c.core()
	if err != nil {
		return state, false, err
	}
	snapshot, err := core.client.ReadEntity(ctx, id.internal())
	if err != nil || snapshot.State == nil {
		return state, false, err
	}
	if err := core.registry.decode(snapshot.State, &state); err != nil {
		return state, true, fmt.Errorf("the state of entity %v is no %v: %w", id, reflect.TypeFor[S](), err)
	}
	return state, true, nil
}

// EntityQuery says which entities are meant. The zero EntityQuery means all.
type EntityQuery struct {
	// KeyPrefix is how the keys begin. Of Client.ListEntities it needs a Name.
	KeyPrefix string
	// Name is that of the kind, without case; empty: all. Entity.List has its own.
	Name string
	// ChangedFrom and ChangedTo bound the time of the last operation, inclusive; zero:
	// open.
	ChangedFrom, ChangedTo time.Time
	// WithoutState leaves the states away, which saves time.
	WithoutState bool
	// PageSize is the most entities that are read at once: 1 to 1,000. 0: 100.
	PageSize int
}

// EntityState is an entity as a list shows it: as it was soon after the last operation.
type EntityState[S any] struct {
	ID    EntityID
	State S
	// LastOperation is when the last operation was stored.
	LastOperation time.Time
	// LockedBy is the orchestration that holds the lock; empty: none.
	LockedBy string
	// Waiting is how many requests wait in the inbox, as far as was known then.
	Waiting int
	// Err says why the entity could not be read; only ID is set then.
	Err error
}

// List goes through the entities of the kind that exist, in the order of their ids as
// they are stored. It ends with the first error.
func (e *Entity[S]) List(ctx context.Context, c *Client, q EntityQuery) iter.Seq2[*EntityState[S], error] {
	q.Name = e.name
	return listEntities(ctx, c, q, func(r *registry, p history.Payload, s *S) error { return r.decode(p, s) })
}

// ListEntities goes through entities of all kinds, or of that of the query.
func (c *Client) ListEntities(ctx context.Context, q EntityQuery) iter.Seq2[*EntityState[json.RawMessage], error] {
	return listEntities(ctx, c, q, func(_ *registry, p history.Payload, s *json.RawMessage) error {
		*s = asJSON(p)
		return nil
	})
}

func listEntities[S any](ctx context.Context, c *Client, q EntityQuery, decode func(*registry, history.Payload, *S) error) iter.Seq2[*EntityState[S], error] {
	return func(yield func(*EntityState[S], error) bool) {
		core, err := c.core()
		if err == nil && (q.PageSize < 0 || q.PageSize > taskhub.MaxPage) {
			err = fmt.Errorf("durable: a page has 1 to %d entities, not %d", taskhub.MaxPage, q.PageSize)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		for token := ""; ; {
			rows, next, err := core.client.ListEntities(ctx, client.EntityQuery{
				Name: q.Name, KeyPrefix: q.KeyPrefix, ChangedFrom: q.ChangedFrom, ChangedTo: q.ChangedTo, WithoutState: q.WithoutState, Max: q.PageSize, Token: token,
			})
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range rows {
				if !yield(entityStateOf(core.registry, &rows[i], decode), nil) {
					return
				}
			}
			if token = next; token == "" {
				return
			}
		}
	}
}

func entityStateOf[S any](r *registry, row *client.EntityRow, decode func(*registry, history.Payload, *S) error) *EntityState[S] {
	s := &EntityState[S]{ID: EntityID{Name: row.ID.Name, Key: row.ID.Key}, Err: row.Err}
	if s.Err != nil {
		return s
	}
	s.LastOperation, s.LockedBy, s.Waiting = row.Changed, row.LockedBy, row.QueueSize
	if row.State != nil {
		s.Err = decode(r, row.State, &s.State)
	}
	return s
}

// EntityCleaning says what CleanEntities does.
type EntityCleaning struct {
	// RemoveEmpty removes what is kept of entities that were deleted, or have never had a
	// state: a few rows each. Those are left whose last operation was less than EmptyFor
	// ago.
	RemoveEmpty bool
	EmptyFor    time.Duration
	// ReleaseOrphanedLocks releases locks of orchestrations that do not run any more. An
	// entity for which others wait does that by itself.
	ReleaseOrphanedLocks bool
}

// EntitiesCleaned is what CleanEntities has done.
type EntitiesCleaned struct{ EmptyEntitiesRemoved, OrphanedLocksReleased int }

// CleanEntities goes through all entities of the hub and removes what is of no use. An
// entity is used as before meanwhile and afterwards: what waits for it stays, and a
// request that is repeated counts once. After an error the result says how far it came;
// the call can be repeated.
func (c *Client) CleanEntities(ctx context.Context, what EntityCleaning) (EntitiesCleaned, error) {
	core, err := c.core()
	if err != nil {
		return EntitiesCleaned{}, err
	}
	done, err := core.client.CleanEntities(ctx, client.Cleaning{Empty: what.RemoveEmpty, EmptyFor: what.EmptyFor, Locks: what.ReleaseOrphanedLocks})
	return EntitiesCleaned{EmptyEntitiesRemoved: done.Removed, OrphanedLocksReleased: done.Released}, err
}
