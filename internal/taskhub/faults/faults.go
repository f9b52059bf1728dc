// Package faults makes a task hub fail at a chosen call: for tests of what must
// survive the end of the process at any line.
package faults

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// ErrDead is the error of every call after the store died: the process is gone.
var ErrDead = errors.New("the process is dead")

// ErrLost is the error of a call that was made and whose answer was lost.
var ErrLost = errors.New("the answer was lost")

// Kind is what happens at the chosen call.
type Kind int

const (
	// DieBefore ends the process before the call is made.
	DieBefore Kind = iota
	// DieAfter ends it when the call has been made and not yet answered.
	DieAfter
	// LoseAnswer makes the call and answers an error, once.
	LoseAnswer
	// PauseBefore stops the process before the call is made: this one and all others
	// wait for the pause ([Store.PauseFor]) to end, and are made then.
	PauseBefore
	// PauseAfter stops it when the call has been made and not yet answered.
	PauseAfter
)

func (k Kind) String() string {
	return [...]string{"die before", "die after", "lose the answer of", "pause before", "pause after"}[k]
}

// Store passes calls on to another store until its plan comes true. It may be
// used concurrently.
type Store struct {
	taskhub.Store
	dead, paused chan struct{}

	mu    sync.Mutex // guards the rest
	at    int
	kind  Kind
	calls []string
	ended bool
	// pause is how long a pause is; until is closed when the one that has begun ends,
	// nil before.
	pause time.Duration
	until chan struct{}
}

// New makes a store that fails at call number at, counted from 1; 0 is never.
func New(store taskhub.Store, at int, kind Kind) *Store {
	return &Store{Store: store, at: at, kind: kind, dead: make(chan struct{}), paused: make(chan struct{})}
}

// PauseFor says how long [PauseBefore] and [PauseAfter] stop the process.
func (s *Store) PauseFor(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pause = d
}

// Paused is closed when the process has been stopped.
func (s *Store) Paused() <-chan struct{} { return s.paused }

// Arm changes the plan: the store fails at the call that comes as number after
// from now, 1 being the next one.
func (s *Store) Arm(after int, kind Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at, s.kind = len(s.calls)+after, kind
}

// Dead is closed when the process has died.
func (s *Store) Dead() <-chan struct{} { return s.dead }

// Calls lists what was called so far.
func (s *Store) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.calls...)
}

// call makes one call according to the plan.
func (s *Store) call(op, subject string, f func() error) error {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return ErrDead
	}
	s.calls = append(s.calls, op+" "+subject)
	now, kind := len(s.calls) == s.at, s.kind
	switch {
	case now && kind == DieBefore:
		s.die()
	case now && kind == PauseBefore:
		s.stop()
	}
	ended := s.ended
	s.mu.Unlock()
	if ended {
		return ErrDead
	}
	s.wait()
	err := f()
	if now && kind == PauseAfter {
		s.mu.Lock()
		s.stop()
		s.mu.Unlock()
	}
	s.wait()
	if !now || kind == PauseBefore || kind == PauseAfter {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if kind == DieAfter {
		s.die()
		return ErrDead
	}
	return fmt.Errorf("%s %s: %w", op, subject, ErrLost)
}

// stop begins the pause. The caller holds the lock.
func (s *Store) stop() {
	if s.until != nil {
		return
	}
	until := make(chan struct{})
	s.until = until
	close(s.paused)
	time.AfterFunc(s.pause, func() { close(until) })
}

// wait returns when no pause is on. A process that is stopped does not see that its
// contexts end.
func (s *Store) wait() {
	s.mu.Lock()
	until := s.until
	s.mu.Unlock()
	if until != nil {
		<-until
	}
}

// die ends the process. The caller holds the lock.
func (s *Store) die() {
	if !s.ended {
		s.ended = true
		close(s.dead)
	}
}

// Send puts a message.
func (s *Store) Send(ctx context.Context, queue string, m *taskhub.Message, delay time.Duration) (lease *taskhub.Lease, err error) {
	err = s.call("send", m.Event.Type.String(), func() (err error) {
		lease, err = s.Store.Send(ctx, queue, m, delay)
		return err
	})
	return lease, err
}

// Renew renews a lease.
func (s *Store) Renew(ctx context.Context, l *taskhub.Lease, hide time.Duration) error {
	return s.call("renew", l.Queue, func() error { return s.Store.Renew(ctx, l, hide) })
}

// Remove deletes a message.
func (s *Store) Remove(ctx context.Context, l *taskhub.Lease) error {
	return s.call("remove", l.Queue, func() error { return s.Store.Remove(ctx, l) })
}

// Insert writes a first row.
func (s *Store) Insert(ctx context.Context, row *taskhub.Instance) error {
	return s.call("insert", row.ID, func() error { return s.Store.Insert(ctx, row) })
}

// Replace writes a whole row.
func (s *Store) Replace(ctx context.Context, row *taskhub.Instance, etag string) error {
	return s.call("replace", row.ID, func() error { return s.Store.Replace(ctx, row, etag) })
}

// Merge changes a row.
func (s *Store) Merge(ctx context.Context, id string, c taskhub.Change) (etag string, err error) {
	err = s.call("merge", id, func() (err error) {
		etag, err = s.Store.Merge(ctx, id, c)
		return err
	})
	return etag, err
}

// Instance reads a row.
func (s *Store) Instance(ctx context.Context, id string) (row *taskhub.Instance, err error) {
	err = s.call("read", id, func() (err error) {
		row, err = s.Store.Instance(ctx, id)
		return err
	})
	return row, err
}

// Commit appends to a history.
func (s *Store) Commit(ctx context.Context, c *taskhub.Commit) (fence taskhub.Fence, err error) {
	err = s.call("commit", c.InstanceID, func() (err error) {
		fence, err = s.Store.Commit(ctx, c)
		return err
	})
	return fence, err
}

// Load reads a history.
func (s *Store) Load(ctx context.Context, id string, from uint64) (h *taskhub.History, err error) {
	err = s.call("load", id, func() (err error) {
		h, err = s.Store.Load(ctx, id, from)
		return err
	})
	return h, err
}

// Tell stores tellings.
func (s *Store) Tell(ctx context.Context, id string, tellings ...*taskhub.Telling) error {
	return s.call("tell", id, func() error { return s.Store.Tell(ctx, id, tellings...) })
}

// Look reads an inbox.
func (s *Store) Look(ctx context.Context, id string, o taskhub.LookOptions) (in *taskhub.Inbox, err error) {
	err = s.call("look", id, func() (err error) {
		in, err = s.Store.Look(ctx, id, o)
		return err
	})
	return in, err
}

// Discard deletes inbox rows.
func (s *Store) Discard(ctx context.Context, id string, keys ...string) error {
	return s.call("discard", id, func() error { return s.Store.Discard(ctx, id, keys...) })
}

// ForgetReceipts deletes old receipts.
func (s *Store) ForgetReceipts(ctx context.Context, id string, before time.Time) (n int, err error) {
	err = s.call("forget", id, func() (err error) {
		n, err = s.Store.ForgetReceipts(ctx, id, before)
		return err
	})
	return n, err
}

// Head reads a fence.
func (s *Store) Head(ctx context.Context, id string) (fence taskhub.Fence, err error) {
	err = s.call("head", id, func() (err error) {
		fence, err = s.Store.Head(ctx, id)
		return err
	})
	return fence, err
}

// Answered looks for a result.
func (s *Store) Answered(ctx context.Context, id string, task int32) (answered bool, err error) {
	err = s.call("answered", id, func() (err error) {
		answered, err = s.Store.Answered(ctx, id, task)
		return err
	})
	return answered, err
}

// Wake says when a message comes, if the store knows.
func (s *Store) Wake(queue string) (wake <-chan struct{}, due time.Time) {
	if waker, ok := s.Store.(interface {
		Wake(string) (<-chan struct{}, time.Time)
	}); ok {
		return waker.Wake(queue)
	}
	return nil, time.Now().Add(time.Second)
}

// Receive takes messages. Polls are not counted: their number depends on time.
func (s *Store) Receive(ctx context.Context, queue string, most int, hide time.Duration) ([]taskhub.Delivery, error) {
	s.mu.Lock()
	ended := s.ended
	s.mu.Unlock()
	if ended {
		return nil, ErrDead
	}
	s.wait()
	batch, err := s.Store.Receive(ctx, queue, most, hide)
	s.wait()
	return batch, err
}

// List reads a page of rows.
func (s *Store) List(ctx context.Context, q taskhub.Query) (page *taskhub.Page, err error) {
	err = s.call("list", q.Prefix, func() (err error) {
		page, err = s.Store.List(ctx, q)
		return err
	})
	return page, err
}

// Purge removes an instance.
func (s *Store) Purge(ctx context.Context, id, etag string) (rows int, err error) {
	err = s.call("purge", id, func() (err error) {
		rows, err = s.Store.Purge(ctx, id, etag)
		return err
	})
	return rows, err
}

// Rewind changes a history.
func (s *Store) Rewind(ctx context.Context, r *taskhub.Rewind) (fence taskhub.Fence, err error) {
	err = s.call("rewind", r.InstanceID, func() (err error) {
		fence, err = s.Store.Rewind(ctx, r)
		return err
	})
	return fence, err
}

// ReplaceSecret replaces a secret.
func (s *Store) ReplaceSecret(ctx context.Context, name string, old, new []byte) error {
	return s.call("replace secret", name, func() error { return s.Store.ReplaceSecret(ctx, name, old, new) })
}

// SaveProgress keeps the progress of a call.
func (s *Store) SaveProgress(ctx context.Context, id, key string, p history.Payload) error {
	return s.call("progress", id, func() error { return s.Store.SaveProgress(ctx, id, key, p) })
}
