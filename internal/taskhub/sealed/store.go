package sealed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Store is a task hub whose payloads go through a codec. It names every method,
// so that a new one is not passed on unsealed.
type Store struct {
	inner taskhub.Store
	sealer
}

var _ taskhub.Store = (*Store)(nil)

// waker is a hub that says when messages come.
type waker interface {
	Wake(queue string) (wake <-chan struct{}, due time.Time)
}

// waking is a Store of one.
type waking struct {
	*Store
	waker
}

// New puts the codec in front of a hub.
func New(inner taskhub.Store, c Codec) taskhub.Store {
	s := &Store{inner: inner, sealer: sealer{c}}
	if w, ok := inner.(waker); ok {
		return waking{s, w}
	}
	return s
}

// Create makes the hub.
func (s *Store) Create(ctx context.Context, owner taskhub.Owner) error {
	return s.inner.Create(ctx, owner)
}

// Send seals the event of the message.
func (s *Store) Send(ctx context.Context, queue string, m *taskhub.Message, delay time.Duration) (*taskhub.Lease, error) {
	e, err := event(ctx, s.seal, s.wrap, m.Event)
	if err != nil {
		return nil, err
	}
	stored := *m
	stored.Event = e
	return s.inner.Send(ctx, queue, &stored, delay)
}

// Receive opens what comes.
func (s *Store) Receive(ctx context.Context, queue string, most int, hide time.Duration) ([]taskhub.Delivery, error) {
	batch, err := s.inner.Receive(ctx, queue, most, hide)
	for i := range batch {
		if d := &batch[i]; d.Message != nil {
			d.Message, d.Err = s.openMessage(ctx, d.Message)
		}
	}
	return batch, err
}

// Open opens a message.
func (s *Store) Open(ctx context.Context, body []byte) (*taskhub.Message, error) {
	m, err := s.inner.Open(ctx, body)
	if err != nil {
		return nil, err
	}
	return s.openMessage(ctx, m)
}

// openMessage fails in a way that a later try may mend: the codec of the next
// deployment may know the key.
func (s *Store) openMessage(ctx context.Context, m *taskhub.Message) (*taskhub.Message, error) {
	e, err := event(ctx, s.open, s.unwrap, m.Event)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", taskhub.ErrUnread, err)
	}
	m.Event = e
	return m, nil
}

// Renew passes on.
func (s *Store) Renew(ctx context.Context, l *taskhub.Lease, hide time.Duration) error {
	return s.inner.Renew(ctx, l, hide)
}

// Remove passes on.
func (s *Store) Remove(ctx context.Context, l *taskhub.Lease) error { return s.inner.Remove(ctx, l) }

// Insert seals a row.
func (s *Store) Insert(ctx context.Context, r *taskhub.Instance) error {
	stored, err := row(ctx, s.seal, r)
	if err != nil {
		return err
	}
	err = s.inner.Insert(ctx, stored)
	r.ETag = stored.ETag
	return err
}

// Replace seals a row.
func (s *Store) Replace(ctx context.Context, r *taskhub.Instance, etag string) error {
	stored, err := row(ctx, s.seal, r)
	if err != nil {
		return err
	}
	err = s.inner.Replace(ctx, stored, etag)
	r.ETag = stored.ETag
	return err
}

// Merge seals a change.
func (s *Store) Merge(ctx context.Context, id string, c taskhub.Change) (string, error) {
	var errs error
	for _, p := range []**history.Payload{&c.Input, &c.Output, &c.CustomStatus} {
		if *p != nil {
			stored, err := s.seal(ctx, **p)
			*p, errs = &stored, errors.Join(errs, err)
		}
	}
	if c.Parked != nil {
		stored, err := text(ctx, s.seal, *c.Parked)
		c.Parked, errs = &stored, errors.Join(errs, err)
	}
	if errs != nil {
		return "", errs
	}
	return s.inner.Merge(ctx, id, c)
}

// Instance opens a row.
func (s *Store) Instance(ctx context.Context, id string) (*taskhub.Instance, error) {
	r, err := s.inner.Instance(ctx, id)
	if err != nil {
		return nil, err
	}
	return row(ctx, s.open, r)
}

// Commit seals the events.
func (s *Store) Commit(ctx context.Context, c *taskhub.Commit) (taskhub.Fence, error) {
	list, err := events(ctx, s.seal, s.wrap, c.Events)
	if err != nil {
		return taskhub.Fence{}, err
	}
	stored := *c
	stored.Events = list
	stored.Answers = make([]taskhub.Answer, len(c.Answers))
	for i, a := range c.Answers {
		p, err := s.seal(ctx, a.Payload)
		if err != nil {
			return taskhub.Fence{}, err
		}
		stored.Answers[i] = taskhub.Answer{Telling: a.Telling, Payload: p}
	}
	return s.inner.Commit(ctx, &stored)
}

// Answer opens an answer.
func (s *Store) Answer(ctx context.Context, id, telling string) (history.Payload, error) {
	p, err := s.inner.Answer(ctx, id, telling)
	if err != nil || p == nil {
		return nil, err
	}
	return s.open(ctx, p)
}

// Load opens the events.
func (s *Store) Load(ctx context.Context, id string, from uint64) (*taskhub.History, error) {
	h, err := s.inner.Load(ctx, id, from)
	if err != nil {
		return nil, err
	}
	return s.opened(ctx, id, h)
}

// LoadPart opens the events of a part.
func (s *Store) LoadPart(ctx context.Context, id string, from uint64, most int) (*taskhub.History, error) {
	h, err := s.inner.LoadPart(ctx, id, from, most)
	if err != nil {
		return nil, err
	}
	return s.opened(ctx, id, h)
}

// opened is a history that the inner store has read, with its events open.
func (s *Store) opened(ctx context.Context, id string, h *taskhub.History) (*taskhub.History, error) {
	list, err := events(ctx, s.open, s.unwrap, h.Events)
	if err != nil {
		return nil, fmt.Errorf("history of instance %q: %w", id, err)
	}
	return &taskhub.History{Fence: h.Fence, Events: list}, nil
}

// List opens the rows of a page. One whose payloads cannot be opened comes
// without them and says why.
func (s *Store) List(ctx context.Context, q taskhub.Query) (*taskhub.Page, error) {
	page, err := s.inner.List(ctx, q)
	if err != nil {
		return nil, err
	}
	for i, r := range page.Instances {
		opened, err := row(ctx, s.open, r)
		if err != nil {
			opened = r
			opened.Input, opened.Output, opened.CustomStatus, opened.Parked = nil, nil, nil, ""
			opened.Err = errors.Join(r.Err, err)
		}
		page.Instances[i] = opened
	}
	return page, nil
}

// Purge passes on.
func (s *Store) Purge(ctx context.Context, id, etag string) (int, error) {
	return s.inner.Purge(ctx, id, etag)
}

// Clear passes on.
func (s *Store) Clear(ctx context.Context, id string, fence taskhub.Fence, etag string) error {
	return s.inner.Clear(ctx, id, fence, etag)
}

// Rewind seals the reasons.
func (s *Store) Rewind(ctx context.Context, r *taskhub.Rewind) (taskhub.Fence, error) {
	stored := *r
	stored.Marks = slices.Clone(r.Marks)
	for i := range stored.Marks {
		reason, err := text(ctx, s.seal, stored.Marks[i].Reason)
		if err != nil {
			return taskhub.Fence{}, err
		}
		stored.Marks[i].Reason = reason
	}
	return s.inner.Rewind(ctx, &stored)
}

// Tell seals the events.
func (s *Store) Tell(ctx context.Context, id string, tellings ...*taskhub.Telling) error {
	stored := make([]*taskhub.Telling, len(tellings))
	for i, t := range tellings {
		if err := t.Check(); err != nil {
			return fmt.Errorf("telling instance %q: %w", id, err)
		}
		c := *t
		var err error
		if c.Event, err = event(ctx, s.seal, s.wrap, t.Event); err != nil {
			return fmt.Errorf("telling instance %q: %w", id, err)
		}
		stored[i] = &c
	}
	return s.inner.Tell(ctx, id, stored...)
}

// Look opens the events. One that cannot be opened may be readable later: the
// codec of the next deployment may know the key.
func (s *Store) Look(ctx context.Context, id string, o taskhub.LookOptions) (*taskhub.Inbox, error) {
	in, err := s.inner.Look(ctx, id, o)
	if err != nil {
		return nil, err
	}
	for _, r := range in.Rows {
		if r.Err != nil {
			continue
		}
		if r.Telling.Event, err = event(ctx, s.open, s.unwrap, r.Telling.Event); err != nil {
			r.Err = fmt.Errorf("%w: %w", taskhub.ErrUnread, err)
		}
	}
	return in, nil
}

// Discard passes on.
func (s *Store) Discard(ctx context.Context, id string, keys ...string) error {
	return s.inner.Discard(ctx, id, keys...)
}

// ForgetReceipts passes on.
func (s *Store) ForgetReceipts(ctx context.Context, id string, before time.Time) (int, error) {
	return s.inner.ForgetReceipts(ctx, id, before)
}

// Answered passes on: no payload is read.
func (s *Store) Answered(ctx context.Context, id string, task int32) (bool, error) {
	return s.inner.Answered(ctx, id, task)
}

// Head passes on: the state has no payloads.
func (s *Store) Head(ctx context.Context, id string) (taskhub.Fence, error) {
	return s.inner.Head(ctx, id)
}

// Sweep passes on.
func (s *Store) Sweep(ctx context.Context, id string, current taskhub.Fence) error {
	return s.inner.Sweep(ctx, id, current)
}

// Secrets passes on: what is kept there is the hub's own.
func (s *Store) Secrets(ctx context.Context, name string, initial []byte) ([]byte, error) {
	return s.inner.Secrets(ctx, name, initial)
}

// ReplaceSecret passes on.
func (s *Store) ReplaceSecret(ctx context.Context, name string, old, replacement []byte) error {
	return s.inner.ReplaceSecret(ctx, name, old, replacement)
}

// SaveProgress seals it.
func (s *Store) SaveProgress(ctx context.Context, id, key string, p history.Payload) error {
	p, err := s.seal(ctx, p)
	if err != nil {
		return err
	}
	return s.inner.SaveProgress(ctx, id, key, p)
}

// Progress opens it.
func (s *Store) Progress(ctx context.Context, id, key string) (history.Payload, error) {
	p, err := s.inner.Progress(ctx, id, key)
	if err != nil || p == nil {
		return nil, err
	}
	return s.open(ctx, p)
}
