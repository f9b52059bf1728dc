package client

import (
	"context"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// Bounds of the pause between two reads while waiting for an instance of
// another process.
const (
	minPause = 100 * time.Millisecond
	maxPause = 2 * time.Second
)

// askPause is the least time between two reads because of new waits.
const askPause = 50 * time.Millisecond

// polls are the instances that somebody waits for, each read by one goroutine
// for all who do.
type polls struct {
	mu   sync.Mutex // guards the rest
	byID map[pollKey]*poll
}

// pollKey is the instance that is read, and how: with its input, or without.
type pollKey struct {
	id   string
	bare bool
}

// poll reads one instance again and again. It ends with its last waiter, or when
// there is nothing more to wait for.
type poll struct {
	pollKey
	asked chan struct{} // has room for one: a waiter wants a read that begins now
	ended chan struct{} // closed when its goroutine has returned
	stop  context.CancelFunc

	mu      sync.Mutex // guards the rest
	waiters int
	begun   int // reads that have begun
	last    reading
	news    chan struct{} // closed when last changes
}

// reading is what a read has found.
type reading struct {
	// number of the read; 0: none yet.
	number int
	row    *taskhub.Instance
	err    error
	// final means that the poll makes no further read.
	final bool
}

// Wait reads an instance until it has finished, its row differs from the one
// with the ETag (when that is not empty), or ctx ends; it returns the last row
// that it read. A change by a worker of this process is seen at once. However
// many wait for an instance in the same way, it is read by one of them at a time.
func (c *Client) Wait(ctx context.Context, id, etag string) (*taskhub.Instance, error) {
	return c.WaitUntil(ctx, id, changedFrom(etag))
}

// WaitWithoutInput is Wait for who shows no input: a large one is not read.
func (c *Client) WaitWithoutInput(ctx context.Context, id, etag string) (*taskhub.Instance, error) {
	return c.waitUntil(ctx, pollKey{id, true}, changedFrom(etag))
}

func changedFrom(etag string) func(row *taskhub.Instance) bool {
	return func(row *taskhub.Instance) bool { return etag != "" && row.ETag != etag }
}

// WaitUntil is Wait for something else: done reports whether a row is what the
// caller waits for. A finished instance ends the wait in any case.
func (c *Client) WaitUntil(ctx context.Context, id string, done func(*taskhub.Instance) bool) (*taskhub.Instance, error) {
	return c.waitUntil(ctx, pollKey{id, false}, done)
}

func (c *Client) waitUntil(ctx context.Context, key pollKey, done func(*taskhub.Instance) bool) (*taskhub.Instance, error) {
	p, from := c.join(ctx, key)
	defer c.leave(p)
	var last *taskhub.Instance
	for {
		r, news := p.look()
		switch {
		case r.number <= from && !r.final:
			// It began before this wait did.
		case r.err != nil && ctx.Err() != nil && last != nil:
			return last, nil
		case r.err != nil:
			return nil, r.err
		case r.row.Status.Finished() || done(r.row):
			return own(r.row), nil
		default:
			last = own(r.row)
		}
		select {
		case <-news:
		case <-ctx.Done():
			if last != nil {
				return last, nil
			}
			return nil, ctx.Err()
		}
	}
}

// own is a row that its caller may change.
func own(row *taskhub.Instance) *taskhub.Instance {
	copied := *row
	return &copied
}

// join makes the caller a waiter. What reads up to number from have found is too
// old for it.
func (c *Client) join(ctx context.Context, key pollKey) (p *poll, from int) {
	c.polls.mu.Lock()
	defer c.polls.mu.Unlock()
	p = c.polls.byID[key]
	if p == nil {
		reading, stop := context.WithCancel(context.WithoutCancel(ctx))
		p = &poll{pollKey: key, asked: make(chan struct{}, 1), ended: make(chan struct{}), stop: stop, news: make(chan struct{}), waiters: 1}
		if c.polls.byID == nil {
			c.polls.byID = map[pollKey]*poll{}
		}
		c.polls.byID[key] = p
		go c.run(reading, p)
		return p, 0 // all its reads are new enough for this wait
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiters++
	if p.begun > 0 {
		select {
		case p.asked <- struct{}{}:
		default:
		}
	}
	return p, p.begun
}

// leave ends a wait. The last to leave waits for the goroutine, too.
func (c *Client) leave(p *poll) {
	c.polls.mu.Lock()
	p.mu.Lock()
	p.waiters--
	last := p.waiters == 0
	p.mu.Unlock()
	if last {
		c.polls.forget(p)
	}
	c.polls.mu.Unlock()
	if last {
		p.stop()
		<-p.ended
	}
}

// forget lets the next wait begin a poll of its own. The caller holds the lock.
func (ps *polls) forget(p *poll) {
	if ps.byID[p.pollKey] == p {
		delete(ps.byID, p.pollKey)
	}
}

func (p *poll) look() (reading, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last, p.news
}

// run reads until the instance has finished, cannot be read, or nobody waits.
func (c *Client) run(ctx context.Context, p *poll) {
	defer close(p.ended)
	pause := minPause
	for {
		changed, stop := c.watch(p.id)
		begun := c.o.Now()
		r := c.readOnce(ctx, p)
		if r.final {
			stop()
			return
		}
		select {
		case <-changed:
			pause = minPause
		case <-p.asked:
			c.rest(ctx, begun.Add(askPause))
		case <-c.o.After(pause):
			pause = min(2*pause, maxPause)
		case <-ctx.Done():
			stop()
			return
		}
		stop()
	}
}

// rest waits until then: those who come meanwhile share the next read.
func (c *Client) rest(ctx context.Context, until time.Time) {
	if wait := until.Sub(c.o.Now()); wait > 0 {
		select {
		case <-c.o.After(wait):
		case <-ctx.Done():
		}
	}
}

// readOnce reads the row and tells all who wait. After the last read the poll is
// forgotten first: who comes later begins another one.
func (c *Client) readOnce(ctx context.Context, p *poll) reading {
	p.mu.Lock()
	p.begun++
	r := reading{number: p.begun}
	p.mu.Unlock()
	if p.bare {
		r.row, r.err = c.GetWithoutInput(ctx, p.id)
	} else {
		r.row, r.err = c.Get(ctx, p.id)
	}
	r.final = r.err != nil || r.row.Status.Finished()
	c.polls.mu.Lock()
	defer c.polls.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wanted() {
		// Somebody joined while it was read, and needs what is there since.
		r.final = false
	}
	if r.final {
		c.polls.forget(p)
	}
	p.last = r
	close(p.news)
	p.news = make(chan struct{})
	return r
}

// wanted reports whether a waiter needs another read. The caller holds the lock.
func (p *poll) wanted() bool { return len(p.asked) > 0 }

func (c *Client) watch(id string) (<-chan struct{}, func()) {
	if c.o.Local == nil {
		return nil, func() {}
	}
	return c.o.Local.Watch(id)
}
