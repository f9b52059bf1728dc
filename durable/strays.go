package durable

import (
	"context"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// rawQueues is what an account has for queues beside the hub's messages.
type rawQueues interface {
	// Put puts a text on a queue as it is, and makes the queue where it is missing.
	Put(ctx context.Context, queue, body string) error
	// QueueNames are the queues of the hub whose names go on like that.
	QueueNames(ctx context.Context, suffix string) ([]string, error)
}

const (
	// strayLasts is how long a control queue beside the hub's own is received from
	// every strayEvery after it had a message; otherwise it is asked once a minute.
	strayLasts = 5 * time.Minute
	strayEvery = time.Second
	// strayBatch is the most messages that one request takes.
	strayBatch = 32
)

// strays are the control queues 01 to 15 of the hub: a client of the official engine
// computes the queue of an instance from its own partition count.
type strays struct {
	hub   string
	queue rawQueues
	// receive takes what messages there are and returns how many.
	receive func(ctx context.Context, queue string) (int, error)
	warn    func(queue string)

	mu     sync.Mutex // guards active
	active map[string]bool
	group  sync.WaitGroup
}

// look asks which stray queues there are, with one request and one more for each.
func (s *strays) look(ctx context.Context) error {
	names, err := s.queue.QueueNames(ctx, "-control-")
	if err != nil {
		return err
	}
	for _, queue := range names {
		if !taskhub.IsControlQueue(s.hub, queue) || s.isActive(queue) {
			continue
		}
		n, err := s.receive(ctx, queue)
		if err != nil {
			return err
		}
		if n > 0 {
			s.warn(queue)
			s.follow(ctx, queue)
		}
	}
	return nil
}

func (s *strays) isActive(queue string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.active[queue]
}

// follow receives from a queue until it has had no message for a while.
func (s *strays) follow(ctx context.Context, queue string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active == nil {
		s.active = map[string]bool{}
	}
	s.active[queue] = true
	s.group.Go(func() {
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.active, queue)
		}()
		for last := time.Now(); time.Since(last) < strayLasts; {
			timer := time.NewTimer(strayEvery)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return
			}
			for n := strayBatch; n == strayBatch && ctx.Err() == nil; {
				var err error
				if n, err = s.receive(ctx, queue); err == nil && n > 0 {
					last = time.Now()
				}
			}
		}
	})
}

// newStrays are those of the service's hub; nil without an account.
func (s *service) newStrays() *strays {
	if s.raw == nil {
		return nil
	}
	var once sync.Once
	return &strays{hub: s.settings.HubName, queue: s.raw, receive: s.receiveStray, warn: func(queue string) {
		once.Do(func() {
			s.app.log.Warn("a client sends to a control queue beside that of this hub: its messages are fetched; give it the setting partitionCount 1 "+
				"(host.json of that app: extensions.durableTask.storageProvider.partitionCount), so that they come at once", "queue", queue, "own", s.queues.control)
		})
	}}
}

// receiveStray works on what a stray queue has.
func (s *service) receiveStray(ctx context.Context, queue string) (int, error) {
	batch, err := s.store.Receive(ctx, queue, strayBatch, s.settings.Lease)
	if err != nil {
		return 0, err
	}
	for _, d := range batch {
		diverted, err := s.divert(ctx, d)
		if err == nil && !diverted {
			err = s.worker.Deliver(ctx, d, false)
		}
		if err != nil && ctx.Err() == nil {
			s.app.log.Warn("message of a stray control queue comes again", "queue", queue, "message", d.Lease.MessageID, "error", err)
		}
	}
	return len(batch), nil
}
