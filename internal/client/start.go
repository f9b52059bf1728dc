package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Start is a request to start an orchestration.
type Start struct {
	// Name of the orchestrator. Required.
	Name    string
	Version string
	// InstanceID; empty: a new random one.
	InstanceID string
	// ExecutionID; empty: a new random one. A start that is repeated with the
	// same id is the same start.
	ExecutionID string
	Input       history.Payload
	// At delays the start, by at most taskhub.MaxDelay.
	At   time.Time
	Tags map[string]string
	// Reuse says what becomes of the start when the id is taken.
	Reuse Reuse
}

// start is one start on its way.
type start struct {
	c     *Client
	row   *taskhub.Instance
	msg   *taskhub.Message
	reuse Reuse
	// sent is when the message was sent for the first time, hidden for how long.
	sent   time.Time
	hidden time.Duration
}

// Start starts an orchestration. That the instance's row can be inserted
// decides: when it cannot, because an instance of that id is there, the reuse
// policy says what happens; one that is this very start is success. That is so also
// for a start that is repeated with the same id, name and input after an error that
// left open whether it was stored.
func (c *Client) Start(ctx context.Context, s Start) (*taskhub.Instance, error) {
	if s.InstanceID == "" {
		s.InstanceID = taskhub.NewID()
	}
	if s.ExecutionID == "" {
		s.ExecutionID = taskhub.NewID()
	}
	if err := history.CheckInstanceID(s.InstanceID); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidInstanceID, err)
	}
	if err := history.CheckStart("an orchestrator", s.Name, s.Version, s.Tags); err != nil {
		return nil, fmt.Errorf("the start of instance %q: %w", s.InstanceID, err)
	}
	if err := s.Reuse.check(); err != nil {
		return nil, fmt.Errorf("the start of instance %q: %w", s.InstanceID, err)
	}
	if err := c.checkPayload("the input", s.Input); err != nil {
		return nil, err
	}
	if !s.At.IsZero() {
		if err := history.CheckTime("the time of a start", s.At); err != nil {
			return nil, fmt.Errorf("the start of instance %q: %w", s.InstanceID, err)
		}
	}
	if away := s.At.Sub(c.o.Now()); away > taskhub.MaxDelay {
		return nil, fmt.Errorf("the start of instance %q is %v away, at most %v can be waited for", s.InstanceID, away, taskhub.MaxDelay)
	}
	if first := c.unsure.same(&s, c.o.Now()); first != "" {
		s.ExecutionID = first
	}
	prepared := c.prepare(s)
	ctx, ended := c.observeStart(ctx, prepared)
	row, err := prepared.begin(ctx)
	ended(row, err)
	c.unsure.note(s, err, c.o.Now())
	return row, err
}

// begin writes the row and sends the message.
func (s *start) begin(ctx context.Context) (*taskhub.Instance, error) {
	lease, insertErr, sendErr := s.insertAndSend(ctx)
	if errors.Is(insertErr, taskhub.ErrNoHub) && errors.Is(sendErr, taskhub.ErrNoHub) {
		return nil, insertErr // which says it all
	}
	if sendErr != nil {
		return nil, errors.Join(insertErr, sendErr, s.undo(ctx, insertErr))
	}
	switch {
	case insertErr == nil:
		return s.row, s.handOver(ctx, lease)
	case errors.Is(insertErr, taskhub.ErrExists):
		return s.resolve(ctx, lease)
	case isFinal(insertErr):
		return nil, errors.Join(insertErr, s.takeBack(ctx, lease))
	default:
		return nil, insertErr
	}
}

// undoWithin bounds how long a start that fails cleans up after itself.
const undoWithin = 5 * time.Second

// undo deletes the row of a start whose message could not be sent: it would be pending
// until somebody starts the id again. Where that fails, too, such a start, and the
// reconciler, send its message.
func (s *start) undo(ctx context.Context, insertErr error) error {
	if insertErr != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoWithin)
	defer cancel()
	err := s.c.tries(ctx, func() error {
		_, err := s.c.store.Purge(ctx, s.row.ID, s.row.ETag)
		return err
	})
	if err != nil && !errors.Is(err, taskhub.ErrNotFound) {
		return fmt.Errorf("instance %q stays pending until it is started again: %w", s.row.ID, err)
	}
	return nil
}

// prepare makes the row and the message of a start.
func (c *Client) prepare(s Start) *start {
	now := c.now()
	generation := int32(0)
	row := &taskhub.Instance{
		ID: s.InstanceID, ExecutionID: s.ExecutionID, Name: s.Name, Version: s.Version, Input: s.Input,
		Status: history.Pending, Created: now, Updated: now, Scheduled: s.At, Generation: &generation, Tags: s.Tags, Origin: s.ExecutionID,
	}
	msg := taskhub.Started(row)
	msg.Event.Timestamp = c.stamp() // what it asks for comes after what this client has told before
	return &start{c: c, row: row, msg: msg, reuse: s.Reuse}
}

// delay hides the message: until its time, or as this process's lease.
func (s *start) delay() time.Duration {
	if !s.row.Scheduled.IsZero() {
		return s.row.Scheduled.Sub(s.c.o.Now())
	}
	return s.c.o.Lease
}

// insertAndSend does both at the same time: neither depends on the other.
func (s *start) insertAndSend(ctx context.Context) (lease *taskhub.Lease, insertErr, sendErr error) {
	s.sent, s.hidden = s.c.o.Now(), s.delay()
	done := make(chan struct{})
	go func() {
		defer close(done)
		insertErr = s.c.store.Insert(ctx, s.row)
	}()
	lease, sendErr = s.c.store.Send(ctx, s.c.o.QueueOf(s.row.Name), s.msg, s.hidden)
	<-done
	return lease, insertErr, sendErr
}

// handOver gives the start to the worker of this process. Where the row came late, a
// worker may have dropped the message as that of a client that has died before it
// wrote the row: it is sent again, and to all others the second is the first.
func (s *start) handOver(ctx context.Context, lease *taskhub.Lease) error {
	if s.late() {
		delay := time.Duration(0)
		if !s.row.Scheduled.IsZero() {
			delay = max(s.delay(), 0)
		}
		_, err := s.c.store.Send(ctx, s.c.o.QueueOf(s.row.Name), s.msg, delay)
		return err
	}
	if s.c.o.Local != nil && s.c.o.Lease > 0 && s.row.Scheduled.IsZero() {
		s.c.o.Local.Started(taskhub.Delivery{Message: s.msg, Lease: lease, Inserted: s.row.Created}, s.row)
	}
	return nil
}

// late reports whether the message may have been looked at by a worker before the row
// was there, as often as a worker waits for the row.
func (s *start) late() bool { return s.c.o.Now().Sub(s.sent) >= max(s.hidden/2, time.Second) }

// resolve finds out whose row is there. The message is hidden still, or
// harmless: a worker compares its execution id with the row's.
func (s *start) resolve(ctx context.Context, lease *taskhub.Lease) (*taskhub.Instance, error) {
	have, err := s.c.store.Instance(ctx, s.row.ID)
	if errors.Is(err, taskhub.ErrNotFound) {
		err = fmt.Errorf("instance %q was purged while it was started; start it again: %w", s.row.ID, err)
		return nil, errors.Join(err, s.takeBack(ctx, lease))
	}
	if err != nil {
		// The row may be this very start's, so the message stays.
		return nil, err
	}
	if have.ExecutionID == s.row.ExecutionID {
		return s.repeated(ctx, have, lease)
	}
	return s.existing(ctx, have, lease)
}

// repeated is a start whose first try had inserted the row. Its message was
// perhaps not sent then; this one is the same to the worker.
func (s *start) repeated(ctx context.Context, have *taskhub.Instance, lease *taskhub.Lease) (*taskhub.Instance, error) {
	if !strings.EqualFold(have.Name, s.row.Name) || !bytes.Equal(have.Input, s.row.Input) {
		err := fmt.Errorf("instance %q is there by the same start with another orchestrator or input: %w", s.row.ID, ErrExists)
		return nil, errors.Join(err, s.takeBack(ctx, lease))
	}
	if have.Status != history.Pending {
		return have, s.takeBack(ctx, lease)
	}
	if s.c.o.Lease > 0 && s.row.Scheduled.IsZero() {
		// A lease that is lost by now was taken by a worker, which is as good.
		if err := s.c.store.Renew(ctx, lease, 0); !errors.Is(err, taskhub.ErrLeaseLost) {
			return have, err
		}
	}
	return have, nil
}

// replace starts over a finished instance.
func (s *start) replace(ctx context.Context, have *taskhub.Instance, lease *taskhub.Lease) (*taskhub.Instance, error) {
	generation := int32(1)
	if have.Generation != nil {
		generation = *have.Generation + 1
	}
	s.row.Generation = &generation
	s.msg.Event.Generation = &generation
	err := s.c.store.Replace(ctx, s.row, have.ETag)
	switch {
	case err == nil:
		return s.row, errors.Join(s.handOver(ctx, lease), s.sendAgain(ctx))
	case errors.Is(err, taskhub.ErrChanged), errors.Is(err, taskhub.ErrNotFound):
		return s.lost(ctx, lease)
	}
	// The row may be replaced nevertheless, so the message stays.
	return nil, err
}

// sendAgain repeats a message that was visible before the row spoke of its
// execution: a worker may have dropped it as that of a replaced one. To all
// others the second is the first.
func (s *start) sendAgain(ctx context.Context) error {
	if s.delay() > 0 {
		return nil
	}
	_, err := s.c.store.Send(ctx, s.c.o.QueueOf(s.row.Name), s.msg, 0)
	return err
}

// lost finds out who changed the row of a finished instance first: somebody
// else, or this very start, whose answer did not come.
func (s *start) lost(ctx context.Context, lease *taskhub.Lease) (*taskhub.Instance, error) {
	have, err := s.c.store.Instance(ctx, s.row.ID)
	switch {
	case err == nil && have.ExecutionID == s.row.ExecutionID:
		return s.repeated(ctx, have, lease)
	case err == nil || errors.Is(err, taskhub.ErrNotFound):
		err = fmt.Errorf("instance %q: somebody else started it at the same time: %w", s.row.ID, ErrRunning)
		return nil, errors.Join(err, s.takeBack(ctx, lease))
	}
	return nil, err
}

// healAfter is how old a pending row is whose start message may be missing: a start
// that goes on sends it at the same time as the row.
const healAfter = 30 * time.Second

// heal sends the start message of a pending instance again when it has no
// history: its client may have died before the message was sent. Where it was
// sent, the second one changes nothing.
func (s *start) heal(ctx context.Context, have *taskhub.Instance) error {
	if have.Status != history.Pending || have.ExecutionID == "" || s.c.o.Now().Sub(have.Updated) < healAfter {
		return nil
	}
	head, err := s.c.store.Head(ctx, have.ID)
	if err != nil || head.ExecutionID == have.ExecutionID {
		return err
	}
	delay := time.Duration(0)
	if !have.Scheduled.IsZero() {
		delay = have.Scheduled.Sub(s.c.o.Now())
	}
	_, err = s.c.store.Send(ctx, s.c.o.QueueOf(s.row.Name), taskhub.Started(have), delay)
	return err
}

// takeBack removes the message of a start that does not happen. A message that
// somebody has received already is dropped there.
func (s *start) takeBack(ctx context.Context, lease *taskhub.Lease) error {
	return s.c.store.Remove(ctx, lease)
}
