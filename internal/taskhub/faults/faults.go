// Package faults makes a task hub fail at a chosen call: for tests of what must
// survive the end of the process at any line.
package faults

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

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
	*Passing
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
	s := &Store{at: at, kind: kind, dead: make(chan struct{}), paused: make(chan struct{})}
	s.Passing = Through(store, s.call)
	return s
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

// call makes one call according to the plan. Polls are not counted: their number
// depends on time.
func (s *Store) call(_ context.Context, c Call, f func() error) error {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return ErrDead
	}
	now, kind := false, s.kind
	if c.Op != "receive" {
		s.calls = append(s.calls, c.Op+" "+c.Subject)
		now = len(s.calls) == s.at
	}
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
	return fmt.Errorf("%s %s: %w", c.Op, c.Subject, ErrLost)
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
