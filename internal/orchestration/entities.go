package orchestration

import (
	"context"
	"slices"
	"strings"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/tracing"
)

// section is a critical section that the history says is open: an entity of the set
// holds its lock, or may be about to.
type section struct {
	id string
	// held are the instance ids of the entities that were not released.
	held []string
	// since is the event that asked for it.
	since *history.Event
}

// sections are the critical sections of a history, by their ids. They are a function of
// its events.
type sections map[string]*section

// note takes in an event to an entity, and reports whether it asks for something that
// is answered, under which id.
func (s sections) note(e *history.Event) (request string, called bool) {
	if e.Type != history.EventSent || !history.IsEntity(e.InstanceID) {
		return "", false
	}
	if e.Name == history.EntityRelease {
		s.release(e)
		return "", false
	}
	r, err := history.DecodeEntityRequest(e.Input)
	if err != nil || r.Signal {
		return "", false
	}
	if r.IsLock() {
		open := &section{id: r.ID, since: e}
		for _, id := range r.LockSet {
			open.held = append(open.held, id.String())
		}
		s[r.ID] = open
	}
	return r.ID, true
}

func (s sections) release(e *history.Event) {
	r, err := history.DecodeEntityRelease(e.Input)
	if err != nil || s[r.ID] == nil {
		return
	}
	open := s[r.ID]
	if open.held = slices.DeleteFunc(slices.Clone(open.held), func(id string) bool { return id == e.InstanceID }); len(open.held) == 0 {
		delete(s, r.ID)
	}
}

// tellEntity tells an entity what the execution asks of it, in that order.
func (in *Instance) tellEntity(ctx context.Context, events []*history.Event) error {
	target := events[0].InstanceID
	var tellings []*taskhub.Telling
	for _, e := range events {
		if in.Exec.Clock.Now().Sub(e.Timestamp) > taskhub.ReceiptsTold {
			in.Log.Error("a request to an entity was not repeated: it is so old that it may have been taken in before", "instance", in.ID, "entity", target)
			continue
		}
		t := &taskhub.Telling{
			ID: in.messageID("event", e.ID), Sent: e.Timestamp, Sequence: int64(e.ID), Due: history.EntityDue(e.Name),
			Event: &history.Event{Type: history.EventRaised, ID: history.NoID, Name: e.Name, Input: e.Input, Timestamp: e.Timestamp, Trace: tracing.Wire(in.traceOf(e.ID))},
		}
		if strings.HasPrefix(e.Name, history.EntityOperation) {
			t.Event.Name = history.EntityOperation
		}
		entityKeys(t, target)
		tellings = append(tellings, t)
	}
	for list := range slices.Chunk(tellings, maxTaken) {
		if err := in.TellEntity(ctx, target, list...); err != nil {
			return in.refusedEvents(target, err)
		}
	}
	return nil
}

// entityKeys gives a request for a lock and its release the ids by which each entity of
// the set knows them, and puts what a critical section does ahead of all else.
func entityKeys(t *taskhub.Telling, target string) {
	if t.Event.Name == history.EntityRelease {
		if r, err := history.DecodeEntityRelease(t.Event.Input); err == nil {
			t.ID, t.Voids, t.Ahead = taskhub.ReleaseID(r.ID, target), taskhub.LockID(r.ID, target), true
		}
		return
	}
	r, err := history.DecodeEntityRequest(t.Event.Input)
	switch {
	case err != nil:
	case r.IsLock():
		t.ID = taskhub.LockID(r.ID, target)
	case r.Section != "":
		t.Ahead = true
	}
}

// releaseLocks ends the critical sections of an execution that is over: whatever became
// of its code, and whichever process ends it. A release that is told twice is one.
func (in *Instance) releaseLocks(ctx context.Context) error {
	for _, open := range in.x.record.sections {
		for _, target := range open.held {
			if err := in.TellEntity(ctx, target, taskhub.Release(in.ID, open.id, target, in.Exec.Now())); err != nil {
				return err
			}
		}
	}
	return nil
}
