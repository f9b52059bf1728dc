package durable

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// rawHub is what an account has beside what the engine stores.
type rawHub interface {
	rawQueues
	officialWorkers
}

// rawQueues is what an account has for queues beside the hub's messages.
type rawQueues interface {
	// Put puts a text on a queue as it is, and makes the queue where it is missing.
	Put(ctx context.Context, queue, body string) error
	// QueueNames are the queues of the hub whose names go on like that.
	QueueNames(ctx context.Context, suffix string) ([]string, error)
}

const (
	// strayLasts is how long a control queue beside the hub's own is received from
	// every strayEvery after it had a message, or after it was made; otherwise it is
	// asked once a minute, and every straySeek while another one is received from.
	strayLasts = 5 * time.Minute
	strayEvery = time.Second
	straySeek  = 5 * time.Second
	// strayBatch is the most messages that one request takes.
	strayBatch = 32
)

// strays are the control queues 01 to 15 of the hub: a client of the official engine
// computes the queue of an instance from its own partition count.
type strays struct {
	hub   string
	queue rawQueues
	// receive takes at most so many messages and returns how many there were; room is how
	// many this process can begin, so that it does not hoard a backlog.
	receive func(ctx context.Context, queue string, most int) (int, error)
	room    func() int
	warn    func(queue string)

	mu     sync.Mutex      // guards what follows, but for group
	active map[string]bool // are received from
	known  map[string]bool // were found by the last look; nil before the first
	seeks  bool            // seek runs
	group  sync.WaitGroup
}

// look asks which stray queues there are, with one request and one more for each. One
// that cannot be received from, such as one that is being deleted, keeps none of the
// others waiting.
func (s *strays) look(ctx context.Context) error {
	names, err := s.queue.QueueNames(ctx, "-control-")
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(queue string) bool { return !taskhub.IsControlQueue(s.hub, queue) })
	var failed []error
	for _, queue := range names {
		if s.isActive(queue) {
			continue
		}
		n, _, err := s.take(ctx, queue)
		if err != nil {
			failed = append(failed, err)
		}
		if n > 0 {
			s.warn(queue)
		}
		if n > 0 || s.isNew(queue) {
			s.follow(ctx, queue)
		}
	}
	s.learn(names)
	return errors.Join(failed...)
}

// take receives from a queue once, and reports whether more may be there that the
// process can begin.
func (s *strays) take(ctx context.Context, queue string) (n int, more bool, err error) {
	most := min(strayBatch, s.room())
	if most == 0 {
		return 0, false, nil
	}
	n, err = s.receive(ctx, queue, most)
	return n, n == most, err
}

// learn notes what a look has found.
func (s *strays) learn(names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = map[string]bool{}
	for _, queue := range names {
		s.known[queue] = true
	}
}

// isNew reports whether a client has made a queue since the last look: it is about to
// send there.
func (s *strays) isNew(queue string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known != nil && !s.known[queue]
}

func (s *strays) isActive(queue string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.active[queue]
}

// follow receives from a queue until it has had no message for a while. A client that
// sends to one sends to others, too: meanwhile they are looked for more often.
func (s *strays) follow(ctx context.Context, queue string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active == nil {
		s.active = map[string]bool{}
	}
	if s.active[queue] {
		return
	}
	if !s.seeks {
		s.seeks = true
		s.group.Go(func() { s.seek(ctx) })
	}
	s.active[queue] = true
	s.group.Go(func() {
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.active, queue)
		}()
		s.drain(ctx, queue)
	})
}

// drain receives from a queue until it has had no message for a while.
func (s *strays) drain(ctx context.Context, queue string) {
	for last := time.Now(); time.Since(last) < strayLasts && elapses(ctx, strayEvery); {
		for more := true; more && ctx.Err() == nil; {
			var n int
			var err error
			if n, more, err = s.take(ctx, queue); err == nil && n > 0 {
				last = time.Now()
				s.warn(queue)
			}
		}
	}
}

// seek looks while a queue is received from. What fails is tried again then, and by the
// look of every minute, which logs it.
func (s *strays) seek(ctx context.Context) {
	for elapses(ctx, straySeek) && s.anyActive() {
		_ = s.look(ctx)
	}
}

// anyActive reports whether a queue is received from; seek ends where none is.
func (s *strays) anyActive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seeks = len(s.active) > 0
	return s.seeks
}

// elapses waits for d, and reports false when ctx ends before.
func elapses(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// newStrays are those of the service's hub; nil without an account.
func (s *service) newStrays() *strays {
	if s.raw == nil {
		return nil
	}
	var once sync.Once
	return &strays{hub: s.settings.HubName, queue: s.raw, receive: s.receiveStray, room: s.worker.Room, warn: func(queue string) {
		once.Do(func() {
			s.app.log.Warn("a client sends to a control queue beside that of this hub: its messages are fetched; give it the setting partitionCount 1 "+
				"(host.json of that app: extensions.durableTask.storageProvider.partitionCount), so that they come at once", "queue", queue, "own", s.queues.control)
		})
	}}
}

// receiveStray works on what a stray queue has, at most so many messages.
func (s *service) receiveStray(ctx context.Context, queue string, most int) (int, error) {
	batch, err := s.store.Receive(ctx, queue, most, s.settings.Lease)
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
