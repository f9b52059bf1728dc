package entity

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/executor"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/tracing"
)

// saved is what stands beside the state of an entity.
type saved struct {
	Lock   *lock    `json:"lock,omitempty"`
	Outbox []letter `json:"outbox,omitempty"`
	// Recent are the last operations, the oldest first. Nothing depends on them.
	Recent []Done `json:"recent,omitempty"`
}

// letter is a message that the entity has to send. Exactly one of its parts is set.
type letter struct {
	// ID is made of the request that caused the letter.
	ID string `json:"id"`
	// Answer goes to an orchestration's execution.
	Answer *answerLetter `json:"answer,omitempty"`
	// Request goes to an entity: a signal, or the request for the next lock.
	Request *requestLetter `json:"request,omitempty"`
	// Start starts an orchestration.
	Start *Start `json:"start,omitempty"`
	// Sent is when the letter was written.
	Sent time.Time `json:"sent"`
	// Trace is the trace context for the receiver.
	Trace observe.Trace `json:"trace,omitzero"`
}

type answerLetter struct {
	Instance  string          `json:"instance"`
	Execution string          `json:"execution"`
	Request   string          `json:"request"`
	Answer    json.RawMessage `json:"answer"`
}

type requestLetter struct {
	Entity  history.EntityID `json:"entity"`
	Request json.RawMessage  `json:"request"`
	Due     time.Time        `json:"due,omitzero"`
}

// sendOutbox sends what the last commit has left to send: letters to one receiver in
// their order, one after the other. A letter that is sent twice is recognised.
func (en *Entity) sendOutbox(ctx context.Context) error {
	for i, l := range en.c.saved.Outbox {
		if err := en.sendLetter(ctx, l, int64(i)); err != nil {
			if executor.Classify(err) != executor.Refused {
				return err
			}
			en.Log.Error("an entity's message was not sent: storage refuses it", "entity", en.ID, "error", err)
		}
	}
	en.c.unsent = false
	return nil
}

func (en *Entity) sendLetter(ctx context.Context, l letter, place int64) error {
	switch {
	case l.Answer != nil:
		a := l.Answer
		return en.Forward(ctx, en.Control, &taskhub.Message{
			ID: l.ID, Target: history.InstanceRef{InstanceID: a.Instance, ExecutionID: a.Execution}, Sender: history.InstanceRef{InstanceID: en.ID},
			Event: &history.Event{
				Type: history.EventRaised, ID: history.NoID, Timestamp: l.Sent, Name: a.Request, Input: history.Payload(a.Answer),
				Own: history.Own{Options: history.Payload(history.AnswerOptions)},
			},
		})
	case l.Request != nil:
		return en.sendRequest(ctx, l, place)
	case l.Start != nil:
		return en.start(ctx, l)
	}
	return nil
}

func (en *Entity) sendRequest(ctx context.Context, l letter, place int64) error {
	if en.Exec.Clock.Now().Sub(l.Sent) > taskhub.ReceiptsTold {
		en.Log.Error("a signal of an entity was not repeated: it is so old that it may have been taken in before", "entity", en.ID, "to", l.Request.Entity)
		return nil
	}
	return en.TellEntity(ctx, l.Request.Entity.String(), &taskhub.Telling{
		ID: l.ID, Sent: l.Sent, Sequence: place, Due: l.Request.Due,
		Event: &history.Event{Type: history.EventRaised, ID: history.NoID, Timestamp: l.Sent, Name: history.EntityOperation, Input: history.Payload(l.Request.Request), Trace: tracing.Wire(l.Trace)},
	})
}

// executionOf is the id of the execution that a letter starts.
func executionOf(letter string) string { return taskhub.DerivedID("started", letter) }

// start starts an orchestration: that its row can be inserted decides. An instance
// that is there and has not been started by this letter is left alone.
func (en *Entity) start(ctx context.Context, l letter) error {
	s := l.Start
	execution := executionOf(l.ID)
	generation := int32(0)
	row := &taskhub.Instance{
		ID: s.InstanceID, ExecutionID: execution, Name: s.Name, Version: s.Version, Input: s.Input, Tags: s.Tags,
		Status: history.Pending, Created: l.Sent, Updated: l.Sent, Scheduled: s.At, Generation: &generation, Origin: execution,
	}
	err := en.Exec.Do(ctx, func(ctx context.Context) error { return en.Store.Insert(ctx, row) })
	var fresh *taskhub.Instance
	switch {
	case err == nil:
		fresh = row
	case !errors.Is(err, taskhub.ErrExists):
		return err
	default:
		have, err := en.Row(ctx, s.InstanceID)
		if errors.Is(err, taskhub.ErrNotFound) {
			return nil // it has ended, and was purged
		}
		if err != nil {
			return err
		}
		if have.ExecutionID != execution {
			if have.Origins() != execution {
				en.Log.Error("an orchestration was not started by an entity: its id is taken", "entity", en.ID, "instance", s.InstanceID)
			}
			return nil
		}
		if have.Status != history.Pending {
			return nil
		}
	}
	m := taskhub.Started(row)
	m.Sender = history.InstanceRef{InstanceID: en.ID}
	m.Event.Trace = tracing.Wire(l.Trace)
	if away := s.At.Sub(en.Exec.Clock.Now()); away > 0 {
		_, err := en.Send(ctx, en.ControlOf(s.Name), m, min(away, taskhub.MaxDelay))
		return err
	}
	return en.HandOver(ctx, en.ControlOf(s.Name), m, fresh)
}
