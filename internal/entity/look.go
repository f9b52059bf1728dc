package entity

import (
	"context"
	"slices"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/arrival"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// inbox is what the entity knows of its inbox.
type inbox struct {
	// wanted says that a look is to be made now, next when one is; zero: none is planned.
	wanted bool
	next   time.Time
	// rows were looked at and are not taken; more says that others are there.
	rows []step
	more bool
	// foreign are messages of clients of another make that are to be told, foreignAt is
	// when they are looked at next.
	foreign   arrival.Gathering
	foreignAt time.Time
	// due is when the next row that has a time may be taken; zero: none is known.
	due time.Time
	// last is when the last look was; calm that it found nothing but signals, and few.
	last time.Time
	calm bool
	// stands is how many rows wait for the lock, waiting how many rows the last look has
	// seen and nothing has taken; blocked that one cannot be read now.
	stands, waiting int
	blocked         bool
}

// begin makes a look that was planned wanted when its time has come.
func (b *inbox) begin(now time.Time) {
	for _, at := range []*time.Time{&b.next, &b.due} {
		if !at.IsZero() && !now.Before(*at) {
			*at, b.wanted = time.Time{}, true
		}
	}
}

func (b *inbox) plan(at time.Time) {
	if b.next.IsZero() || at.Before(b.next) {
		b.next = at
	}
}

// tooFast reports whether a look is put off, because only signals have come and the
// last look was just now: the next one finds more.
func (b *inbox) tooFast(en *Entity) bool {
	at := b.last.Add(pause)
	if b.more || !b.calm || !en.custody.IsOpen() || !en.Exec.Clock.Now().Before(at) {
		return false
	}
	b.wanted = false
	b.plan(at)
	return true
}

// taken takes the rows of a commit out.
func (b *inbox) taken(steps []step) {
	out := map[string]bool{}
	for _, s := range steps {
		out[s.row.Key] = true
	}
	b.rows = slices.DeleteFunc(b.rows, func(s step) bool { return out[s.row.Key] })
	b.waiting = max(b.waiting-len(steps), 0)
}

// take makes the entity the owner of what came.
func (en *Entity) take(batch []Item) {
	for _, it := range batch {
		switch it := it.(type) {
		case Poke:
			en.inbox.wanted = true
		case *Message:
			it.Lease = en.custody.Take(it.Lease, true)
			en.blamed = false
			if en.tooEarly(it) {
				continue
			}
			if !isForeign(it) {
				en.inbox.wanted = true
			}
			en.inbox.calm = en.inbox.calm && taskhub.IsLook(it.Message)
		}
	}
}

// tooEarly puts a wake-up off that came before its time.
func (en *Entity) tooEarly(m *Message) bool {
	away := taskhub.LookDue(m.Message).Sub(en.Exec.Clock.Now())
	if away <= 0 {
		return false
	}
	en.custody.PutOff(m.Lease.ID, min(away, taskhub.MaxDelay))
	en.counted(observe.Deferred, "")
	return true
}

// tellForeign collects what came as messages, from clients of another make, and after a
// moment puts it into the inbox in the order in which it was sent.
func (en *Entity) tellForeign(ctx context.Context, batch []Item) error {
	b, now := &en.inbox, en.Exec.Clock.Now()
	for _, it := range batch {
		if m, ok := it.(*Message); ok && isForeign(m) {
			b.foreign.Add(m.Delivery, now)
		}
	}
	if b.foreign.IsEmpty() {
		return nil
	}
	if b.foreignAt = b.foreign.Next(en.Numbers, now); !b.foreignAt.IsZero() {
		return nil
	}
	if err := en.tellSelf(ctx, b.foreign.Tellings()); err != nil {
		return err
	}
	b.foreign.Clear()
	b.wanted = true
	return nil
}

// isForeign reports whether a message is told: it comes from a client of another make.
func isForeign(m *Message) bool { return m.Message.Event.Type == history.EventRaised }

// tellSelf puts messages into the inbox. One that no inbox takes is dropped.
func (en *Entity) tellSelf(ctx context.Context, list []*taskhub.Telling) error {
	var tellings []*taskhub.Telling
	for _, t := range list {
		e := *t.Event
		t.Event, t.Origin = &e, ""
		if due := history.EntityDue(e.Name); !due.IsZero() {
			t.Due, e.Name = due, history.EntityOperation
		}
		t.Ahead = e.Name == history.EntityRelease
		if err := t.Check(); err != nil {
			en.Log.Error("a message was dropped that no inbox takes", "entity", en.ID, "message", t.ID, "error", err)
			continue
		}
		tellings = append(tellings, t)
	}
	if len(tellings) == 0 {
		return nil
	}
	return en.TellEntity(ctx, en.ID, tellings...)
}

// query reads the inbox. Unless many tellings come, the wake-ups begin to be let go
// before that: what is told from then on brings its own.
func (en *Entity) query(ctx context.Context) error {
	b := &en.inbox
	now := en.Exec.Clock.Now()
	if now.Sub(b.last) < linger && en.custody.IsOpen() {
		b.plan(now.Add(linger))
	} else {
		en.custody.Close()
	}
	b.last, b.wanted = now, false
	o := taskhub.LookOptions{Now: now}
	var found *taskhub.Inbox
	err := en.Exec.Do(ctx, func(ctx context.Context) (err error) {
		found, err = en.Store.Look(ctx, en.ID, o)
		return err
	})
	if err != nil {
		return err
	}
	b.rows, b.more, b.due = stepsOf(found.Rows), found.More, found.NextDue
	b.waiting = found.Waiting
	b.calm = !slices.ContainsFunc(b.rows, isCall)
	en.tellWaiting()
	en.measure(observe.Backlog, float64(b.waiting))
	if len(b.rows) == 0 && en.c != nil && en.custody.LooksForOthers() {
		return en.verify(ctx)
	}
	return nil
}

// verify forgets what is in memory where another process has committed since. It had
// the wake-up before, and may have died before it sent what its commit has left to send.
func (en *Entity) verify(ctx context.Context) error {
	head, err := en.Head(ctx, en.ID)
	if err != nil {
		return err
	}
	if head.ETag != en.c.fence.ETag {
		en.c, en.row = nil, row{}
	}
	return nil
}

// tellWaiting tells the journal what is left to run, where the look has seen all of it.
func (en *Entity) tellWaiting() {
	if en.inbox.more {
		return
	}
	en.Journal.Waiting(en.ID, func(request string) bool {
		return slices.ContainsFunc(en.inbox.rows, func(s step) bool {
			return s.row.Err != nil || s.request != nil && s.request.ID == request
		})
	})
}

// isCall reports whether something waits for the answer to a row.
func isCall(s step) bool {
	return s.request == nil || !s.request.Signal
}
