package management

import (
	"errors"
	"net/url"
	"strings"
	"testing"
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
