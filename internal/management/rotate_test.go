package management

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/memory"
)

// process is one process with the keys of a hub, and the clock of all.
type process struct {
	t    *testing.T
	keys *Keys
}

func (p *process) sign() string {
	p.t.Helper()
	query, err := p.keys.Sign(p.t.Context(), "i", opStatus, time.Time{})
	if err != nil {
		p.t.Fatal(err)
	}
	return query
}

func (p *process) takes(query string) bool {
	p.t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		p.t.Fatal(err)
	}
	err = p.keys.Check(p.t.Context(), "i", opStatus, values)
	if err != nil && !errors.Is(err, errSignature) {
		p.t.Fatal(err)
	}
	return err == nil
}

func TestRotate(t *testing.T) {
	now := begin
	hub := memory.New(memory.Options{})
	clock := func() time.Time { return now }
	running := &process{t, NewKeys(hub, "Hub", clock)}
	old := running.sign()
	tool := &process{t, NewKeys(hub, "Hub", clock)}
	r, err := tool.keys.Rotate(t.Context(), time.Hour)
	if err != nil || !r.Until.Equal(begin.Truncate(time.Second).Add(time.Hour)) || !strings.Contains(old, "sig="+r.Old+".") {
		t.Fatalf("%+v %v", r, err)
	}
	fresh := tool.sign()
	if !strings.Contains(fresh, "sig="+r.New+".") || !tool.takes(old) {
		t.Errorf("%s is not signed with %s, or the old key does not check", fresh, r.New)
	}
	now = now.Add(rereadKeys)
	if !running.takes(fresh) || !running.takes(old) || running.sign() == old {
		t.Error("a process that runs does not know the new key")
	}
	now = begin.Add(time.Hour)
	if running.takes(old) || tool.takes(old) || !running.takes(fresh) {
		t.Error("the old key is good after its time, or the new one is not")
	}
	if _, err := tool.keys.Rotate(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if _, keys, err := tool.keys.read(t.Context()); err != nil || len(keys) != 1 {
		t.Errorf("%d keys are kept: %v", len(keys), err)
	}
	if tool.takes(fresh) {
		t.Error("a key is good after a rotation without grace")
	}
	if _, err := tool.keys.Rotate(t.Context(), -time.Second); err == nil {
		t.Error("a negative grace time is taken")
	}
}

// A process that is shown no unknown key signs with the new one after a while.
func TestRotationReachesSigners(t *testing.T) {
	now := begin
	hub := memory.New(memory.Options{})
	clock := func() time.Time { return now }
	running, tool := &process{t, NewKeys(hub, "Hub", clock)}, NewKeys(hub, "Hub", clock)
	running.sign()
	r, err := tool.Rotate(t.Context(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if now = begin.Add(refreshKeys - 1); !strings.Contains(running.sign(), r.Old) {
		t.Error("the keys are read too often")
	}
	if now = begin.Add(refreshKeys); !strings.Contains(running.sign(), r.New) {
		t.Error("the keys are not read again")
	}
}

// Forged links make no request each, and an outage does not close the door.
func TestForgedLinksReadKeysSeldom(t *testing.T) {
	s := newSite(t)
	s.sign(t, "i", opStatus)
	counted := &counting{Store: s.store}
	s.Links.Keys.store = counted
	p := &process{t, s.Links.Keys}
	forged := "op=status&sig=stranger.AAAA"
	for range 100 {
		if p.takes(forged) {
			t.Fatal("a forged link is taken")
		}
	}
	if counted.reads != 0 {
		t.Errorf("%d reads within the first seconds", counted.reads)
	}
	s.now = s.now.Add(rereadKeys)
	for range 100 {
		p.takes(forged)
	}
	if counted.reads != 1 {
		t.Errorf("%d reads after ten seconds", counted.reads)
	}
	good := p.sign()
	s.store.err = errors.New("no answer")
	s.now = s.now.Add(time.Hour)
	if p.takes(forged) || !p.takes(good) {
		t.Error("an outage forgets the keys")
	}
}

// TestRotationsAtOnce has one rotation begin anew because of the other.
func TestRotationsAtOnce(t *testing.T) {
	hub := memory.New(memory.Options{})
	first, second := NewKeys(hub, "Hub", time.Now), NewKeys(hub, "Hub", time.Now)
	done := make(chan error)
	go func() {
		_, err := first.Rotate(t.Context(), time.Hour)
		done <- err
	}()
	_, err := second.Rotate(t.Context(), time.Hour)
	if err := errors.Join(err, <-done); err != nil && !errors.Is(err, taskhub.ErrChanged) {
		t.Fatal(err)
	}
	if _, keys, err := first.read(t.Context()); err != nil || len(keys) != 3 {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}

// stuck is a hub whose keys take as long to read as the test says.
type stuck struct {
	taskhub.Store
	mu    sync.Mutex // guards the rest
	gate  chan struct{}
	err   error
	reads int
}

func (s *stuck) Secrets(ctx context.Context, name string, initial []byte) ([]byte, error) {
	s.mu.Lock()
	s.reads++
	gate, err := s.gate, s.err
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case <-gate:
		return s.Store.Secrets(ctx, name, initial)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Many requests wait for one read, each no longer than it wants, and the read
// ends by a deadline of its own.
func TestOneReadOfTheKeysForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &stuck{Store: memory.New(memory.Options{}), gate: make(chan struct{})}
		keys := NewKeys(store, "Hub", time.Now)
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		failed := make(chan error, 101)
		sign := func(ctx context.Context) {
			_, err := keys.Sign(ctx, "i", opStatus, time.Time{})
			failed <- err
		}
		go sign(impatient)
		for range 100 {
			go sign(t.Context())
		}
		if err := <-failed; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the impatient one: %v", err)
		}
		synctest.Wait()
		close(store.gate)
		for range 100 {
			if err := <-failed; err != nil {
				t.Fatal(err)
			}
		}
		if store.reads != 1 {
			t.Errorf("%d reads", store.reads)
		}
		store.gate = make(chan struct{})
		begin := time.Now()
		keys.forget()
		if _, err := keys.Sign(t.Context(), "i", opStatus, time.Time{}); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != readWithin {
			t.Errorf("a read that hangs: %v after %v", err, time.Since(begin))
		}
	})
}

// Keys are not good for ever while nobody can ask whether they were replaced.
func TestStaleKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &stuck{Store: memory.New(memory.Options{}), gate: make(chan struct{})}
		close(store.gate)
		keys := NewKeys(store, "Hub", time.Now)
		sign := func() error {
			_, err := keys.Sign(t.Context(), "i", opStatus, time.Time{})
			return err
		}
		if err := sign(); err != nil {
			t.Fatal(err)
		}
		store.err = errors.New("no storage")
		for range 59 {
			<-time.After(time.Minute)
			if err := sign(); err != nil {
				t.Fatal(err)
			}
		}
		<-time.After(2 * time.Minute)
		if err := sign(); !errors.Is(err, store.err) {
			t.Errorf("after more than an hour: %v", err)
		}
		store.err = nil
		if err := sign(); err != nil {
			t.Error(err)
		}
	})
}

// A key that can be guessed is not used.
func TestShortKey(t *testing.T) {
	hub := memory.New(memory.Options{})
	if _, err := hub.Secrets(t.Context(), secretName, []byte(`{"keys":[{"id":"a","secret":"AAAA"}]}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := NewKeys(hub, "Hub", time.Now).Sign(t.Context(), "i", opStatus, time.Time{}); !errors.Is(err, errKeys) || !strings.Contains(err.Error(), "32 bytes") {
		t.Error(err)
	}
}
