package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// Noise passes calls on to another store as a bad day would: messages come
// late, twice and in another order, and answers are lost. All of that is what
// the contract allows. It may be used concurrently.
type Noise struct {
	taskhub.Store
	// Late is the most by which a message is late.
	Late time.Duration

	mu     sync.Mutex // guards the rest
	random *rand.Rand
	ended  bool
}

// NewNoise makes a store whose noise follows from the seed and the order of the
// calls.
func NewNoise(store taskhub.Store, late time.Duration, seed uint64) *Noise {
	return &Noise{Store: store, Late: late, random: rand.New(rand.NewPCG(seed, 1))}
}

// Die makes every call fail from now on: the process is gone.
func (n *Noise) Die() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ended = true
}

// draw is a number below most, or an error when the process has died.
func (n *Noise) draw(most int) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ended {
		return 0, ErrDead
	}
	return n.random.IntN(most), nil
}

// lossy makes a call whose answer is lost once in twenty times, or that is not
// made at all.
func (n *Noise) lossy(op string, f func() error) error {
	luck, err := n.draw(40)
	if err != nil {
		return err
	}
	if luck == 0 {
		return fmt.Errorf("%s: %w", op, ErrLost)
	}
	if err := f(); err != nil {
		return err
	}
	if luck == 1 {
		return fmt.Errorf("%s: %w", op, ErrLost)
	}
	return nil
}

// Send puts a message late, and one in ten twice.
func (n *Noise) Send(ctx context.Context, queue string, m *taskhub.Message, delay time.Duration) (lease *taskhub.Lease, err error) {
	err = n.lossy("send", func() error {
		late, err := n.draw(int(n.Late/time.Second) + 1)
		if err != nil {
			return err
		}
		twice, err := n.draw(10)
		if err != nil {
			return err
		}
		if twice == 0 {
			if _, err := n.Store.Send(ctx, queue, m, delay); err != nil {
				return err
			}
		}
		lease, err = n.Store.Send(ctx, queue, m, min(delay+time.Duration(late)*time.Second, taskhub.MaxDelay))
		return err
	})
	return lease, err
}

// Receive takes messages in any order.
func (n *Noise) Receive(ctx context.Context, queue string, most int, hide time.Duration) ([]taskhub.Delivery, error) {
	if _, err := n.draw(1); err != nil {
		return nil, err
	}
	batch, err := n.Store.Receive(ctx, queue, most, hide)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.random.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	return batch, err
}

// Renew renews a lease.
func (n *Noise) Renew(ctx context.Context, l *taskhub.Lease, hide time.Duration) error {
	if _, err := n.draw(1); err != nil {
		return err
	}
	return n.Store.Renew(ctx, l, hide)
}

// Remove deletes a message.
func (n *Noise) Remove(ctx context.Context, l *taskhub.Lease) error {
	return n.lossy("remove", func() error { return n.Store.Remove(ctx, l) })
}

// Insert writes a first row.
func (n *Noise) Insert(ctx context.Context, row *taskhub.Instance) error {
	return n.lossy("insert", func() error { return n.Store.Insert(ctx, row) })
}

// Replace writes a whole row.
func (n *Noise) Replace(ctx context.Context, row *taskhub.Instance, etag string) error {
	return n.lossy("replace", func() error { return n.Store.Replace(ctx, row, etag) })
}

// Merge changes a row.
func (n *Noise) Merge(ctx context.Context, id string, c taskhub.Change) (etag string, err error) {
	err = n.lossy("merge", func() (err error) {
		etag, err = n.Store.Merge(ctx, id, c)
		return err
	})
	return etag, err
}

// Instance reads a row.
func (n *Noise) Instance(ctx context.Context, id string) (row *taskhub.Instance, err error) {
	err = n.lossy("read", func() (err error) {
		row, err = n.Store.Instance(ctx, id)
		return err
	})
	return row, err
}

// Commit appends to a history.
func (n *Noise) Commit(ctx context.Context, c *taskhub.Commit) (fence taskhub.Fence, err error) {
	err = n.lossy("commit", func() (err error) {
		fence, err = n.Store.Commit(ctx, c)
		return err
	})
	return fence, err
}

// Load reads a history.
func (n *Noise) Load(ctx context.Context, id string, from uint64) (h *taskhub.History, err error) {
	err = n.lossy("load", func() (err error) {
		h, err = n.Store.Load(ctx, id, from)
		return err
	})
	return h, err
}

// Tell stores tellings.
func (n *Noise) Tell(ctx context.Context, id string, tellings ...*taskhub.Telling) error {
	return n.lossy("tell", func() error { return n.Store.Tell(ctx, id, tellings...) })
}

// Look reads an inbox.
func (n *Noise) Look(ctx context.Context, id string, o taskhub.LookOptions) (in *taskhub.Inbox, err error) {
	err = n.lossy("look", func() (err error) {
		in, err = n.Store.Look(ctx, id, o)
		return err
	})
	return in, err
}

// Discard deletes inbox rows.
func (n *Noise) Discard(ctx context.Context, id string, keys ...string) error {
	return n.lossy("discard", func() error { return n.Store.Discard(ctx, id, keys...) })
}

// ForgetReceipts deletes old receipts.
func (n *Noise) ForgetReceipts(ctx context.Context, id string, before time.Time) (forgotten int, err error) {
	err = n.lossy("forget", func() (err error) {
		forgotten, err = n.Store.ForgetReceipts(ctx, id, before)
		return err
	})
	return forgotten, err
}

// Head reads a fence.
func (n *Noise) Head(ctx context.Context, id string) (fence taskhub.Fence, err error) {
	err = n.lossy("head", func() (err error) {
		fence, err = n.Store.Head(ctx, id)
		return err
	})
	return fence, err
}

// Answered looks for a result.
func (n *Noise) Answered(ctx context.Context, id string, task int32) (answered bool, err error) {
	err = n.lossy("answered", func() (err error) {
		answered, err = n.Store.Answered(ctx, id, task)
		return err
	})
	return answered, err
}
