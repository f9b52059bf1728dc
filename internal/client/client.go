// Package client starts orchestrations, tells them what to do, and reads what
// became of them.
package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

var (
	// ErrExists: there is an instance of that id, and it is not replaced.
	ErrExists = errors.New("an instance with this id exists already")
	// ErrRunning is an ErrExists: the instance has not finished.
	ErrRunning error = running{}
	// ErrNotWhole: what should be imported is not the whole history of an instance.
	ErrNotWhole = errors.New("it is not the whole history of an instance")
	// ErrInvalidInstanceID: the id breaks the rules.
	ErrInvalidInstanceID = errors.New("invalid instance id")
)

type running struct{}

func (running) Error() string        { return "an instance with this id has not finished yet" }
func (running) Is(target error) bool { return target == ErrExists }

// Local is the worker of this process, if it has one.
type Local interface {
	// Started takes a start message that is hidden still, and the row that was
	// written with it.
	Started(d taskhub.Delivery, row *taskhub.Instance)
	// Holds reports whether the worker has the instance in memory, so that it is
	// the one to give messages to.
	Holds(id string) bool
	// Sent takes a message to an instance that was just sent and is hidden
	// still.
	Sent(d taskhub.Delivery)
	// Poke makes the instance look at its inbox and reports true, where the worker
	// holds a wake-up that it has not begun to let go.
	Poke(id string) bool
	// Current returns the execution that was started, and the orchestrator's name, of
	// an instance that the worker works on and holds such a wake-up of, and for which
	// not too many events wait.
	Current(id string) (origin, name string, ok bool)
	// AwaitAnswer returns a channel that gets the answer of an entity to a telling when
	// the worker makes it, and a function that ends the wait.
	AwaitAnswer(id, telling string) (answer <-chan history.Payload, stop func())
	// Watch returns a channel that is closed when the worker next changes the
	// row of the instance.
	Watch(id string) (changed <-chan struct{}, stop func())
}

// Options configure a Client.
type Options struct {
	// Queue takes the messages to orchestrations, but for orchestrators for which
	// QueueOf names another one.
	Queue string
	// QueueOf names the queue of an orchestrator. nil: Queue for all.
	QueueOf func(orchestrator string) string
	// Lease hides a start message that is handed to Local. 0: messages are
	// visible at once and go to whoever receives them.
	Lease time.Duration
	Local Local
	// MaxPayload is the largest input or event, in bytes. Default
	// taskhub.MaxPayload.
	MaxPayload int
	// MaxWaiting is how many events may wait for one instance before others are
	// refused. Default taskhub.MaxWaiting.
	MaxWaiting int
	// Observer is told of what the client sends; nil: nothing is.
	Observer observe.Observer
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// After is how polling waits. Default time.After.
	After func(time.Duration) <-chan time.Time
}

// Client talks to one task hub. It may be used concurrently.
type Client struct {
	store taskhub.Store
	o     Options
	polls polls

	mu   sync.Mutex // guards last, the time of the last telling
	last time.Time

	waves  waves
	unsure unsure
}

// New makes a client of a hub.
func New(store taskhub.Store, o Options) *Client {
	if o.MaxPayload == 0 {
		o.MaxPayload = taskhub.MaxPayload
	}
	if o.MaxWaiting == 0 {
		o.MaxWaiting = taskhub.MaxWaiting
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.QueueOf == nil {
		o.QueueOf = func(string) string { return o.Queue }
	}
	if o.After == nil {
		o.After = time.After
	}
	return &Client{store: store, o: o}
}

// Get reads an instance. taskhub.ErrNotFound when there is none.
func (c *Client) Get(ctx context.Context, id string) (*taskhub.Instance, error) {
	return c.store.Instance(ctx, id)
}

// GetWithoutInput is Get for who shows no input: a large one is not read.
func (c *Client) GetWithoutInput(ctx context.Context, id string) (*taskhub.Instance, error) {
	row, err := c.listed(ctx, id, taskhub.Query{WithoutInput: true})
	if err == nil && row.Err != nil {
		return nil, fmt.Errorf("reading the row of instance %q: %w", id, row.Err)
	}
	return row, err
}

// listed reads the row of an instance from a list, with the columns that the query says:
// of all ids that begin with this one it is the first. A page may be empty before that.
func (c *Client) listed(ctx context.Context, id string, q taskhub.Query) (*taskhub.Instance, error) {
	q.Prefix, q.Entities, q.Max = id, true, 1
	for {
		page, err := c.store.List(ctx, q)
		switch {
		case err != nil:
			return nil, err
		case len(page.Instances) > 0 && page.Instances[0].ID == id:
			return page.Instances[0], nil
		case len(page.Instances) > 0 || page.Token == "":
			return nil, fmt.Errorf("instance %q: %w", id, taskhub.ErrNotFound)
		}
		q.Token = page.Token
	}
}

// now is the time that rows and events carry.
func (c *Client) now() time.Time { return c.o.Now().UTC().Truncate(100 * time.Nanosecond) }

// stamp is the time of a telling: now, but later than that of the one before. It
// orders tellings that the store keeps under one time.
func (c *Client) stamp() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if !now.After(c.last) {
		now = c.last.Add(100 * time.Nanosecond)
	}
	c.last = now
	return now
}

// Now is the time of the client's clock.
func (c *Client) Now() time.Time { return c.now() }

// MaxPayload is the largest input or event, in bytes.
func (c *Client) MaxPayload() int { return c.o.MaxPayload }

func (c *Client) checkPayload(what string, p history.Payload) error {
	if len(p) > c.o.MaxPayload {
		return fmt.Errorf("%s has %d bytes, at most %d are stored (maxPayload): %w", what, len(p), c.o.MaxPayload, taskhub.ErrTooLarge)
	}
	return nil
}
