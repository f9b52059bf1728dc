package client

import (
	"context"
	"sync"
)

// waves send one wake-up for all who want one for an instance. A wake-up counts only
// for what was stored before its sending began: the process that takes it may look, and
// remove it, before the sender hears of it. So those who come while one is on its way
// wait for its end, and share the next.
type waves struct {
	mu   sync.Mutex // guards byID and what is in it
	byID map[string]*sending
}

// sending is a wake-up on its way, next the one that is sent after it.
type sending struct{ next *wave }

// wave is one wake-up for several. begin is closed when the one before it has ended,
// done when it has; err is what came of it.
type wave struct {
	begin, done chan struct{}
	err         error
}

// join sends a wake-up for the instance, or waits for one whose sending begins after
// the call.
func (w *waves) join(ctx context.Context, id string, send func() error) error {
	mine, leads := w.enter(id)
	if mine == nil { // none is on its way
		err := send()
		w.leave(id)
		return err
	}
	if !leads {
		return mine.wait(ctx, send)
	}
	// The leader sends even when its caller has gone: others wait for it.
	<-mine.begin
	mine.err = send()
	close(mine.done)
	w.leave(id)
	return mine.err
}

// enter returns the wave to wait for, and whether the caller is the one that sends it;
// nil when the caller sends at once.
func (w *waves) enter(id string) (mine *wave, leads bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byID == nil {
		w.byID = map[string]*sending{}
	}
	s := w.byID[id]
	switch {
	case s == nil:
		w.byID[id] = &sending{}
	case s.next == nil:
		s.next = &wave{begin: make(chan struct{}), done: make(chan struct{})}
		return s.next, true
	default:
		return s.next, false
	}
	return nil, false
}

// leave lets the next wave begin.
func (w *waves) leave(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.byID[id]
	if s.next == nil {
		delete(w.byID, id)
		return
	}
	close(s.next.begin)
	s.next = nil
}

// wait returns what came of the wave. Where that failed, as it may because the caller
// of its leader had gone, the one who waits sends its own.
func (v *wave) wait(ctx context.Context, send func() error) error {
	select {
	case <-v.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if v.err != nil {
		return send()
	}
	return nil
}
