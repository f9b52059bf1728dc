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
	*Passing
	// Late is the most by which a message is late.
	Late time.Duration

	mu     sync.Mutex // guards the rest
	random *rand.Rand
	ended  bool
}

// NewNoise makes a store whose noise follows from the seed and the order of the
// calls.
func NewNoise(store taskhub.Store, late time.Duration, seed uint64) *Noise {
	n := &Noise{Late: late, random: rand.New(rand.NewPCG(seed, 1))}
	n.Passing = Through(store, n.call)
	return n
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

// quiet are calls whose answers are not lost.
var quiet = map[string]bool{"renew": true, "list": true, "purge": true, "rewind": true, "replace secret": true, "progress": true}

func (n *Noise) call(_ context.Context, c Call, f func() error) error {
	if !quiet[c.Op] {
		return n.lossy(c.Op, f)
	}
	if _, err := n.draw(1); err != nil {
		return err
	}
	return f()
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
