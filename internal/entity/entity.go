package entity

import (
	"context"
	"errors"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/executor"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/journal"
	"github.com/durable-go/functions/internal/lease"
	"github.com/durable-go/functions/internal/taskhub"
)

// Entity is one entity in this process. Its methods are for one goroutine at a time,
// the one that drives it, but for CanLook, Holding and ReleaseLeases.
type Entity struct {
	*Env
	ID      string
	name    history.EntityID
	custody *lease.Custody
	// c is what the history says, nil until it was loaded.
	c     *committed
	inbox inbox
	row   row
	// alarm stops the timer that was set; nil when none is.
	alarm func() bool
	// checked is when the owner of the lock was looked at last, watched until when a
	// message is on its way that brings the next look at it; zero: never.
	checked, watched time.Time
	// narrow means that storage has refused a commit: the next ones take one row each, so
	// that the one that is to blame fails alone; and refused is why.
	narrow  bool
	refused error
	// blamed means that an operation has failed because it ended the process, since a
	// message came.
	blamed bool
}

// committed is the state of an entity as it was stored last.
type committed struct {
	fence taskhub.Fence
	// state is nil while the entity does not exist.
	state history.Payload
	saved saved
	// changed is when it was stored.
	changed time.Time
	// decoded is what the code has left of the state in memory; nil: nothing.
	decoded any
	// unsent means that the process that committed may have ended before it sent the
	// outbox.
	unsent bool
}

// New makes an entity that knows nothing yet.
func New(v *Env, id string) *Entity {
	name, _ := history.ParseEntityID(id) // one that is none is unknown
	return &Entity{Env: v, ID: id, name: name, custody: lease.NewCustody()}
}

// CanLook reports whether a telling that is stored needs no wake-up of its own. It may
// be called by any goroutine.
func (en *Entity) CanLook() bool { return en.custody.CanLook() }

// Holding reports whether the entity is worked on here. It may be called by any
// goroutine.
func (en *Entity) Holding() bool { return en.custody.Holding() }

// Busy reports whether the entity must stay in memory.
func (en *Entity) Busy() bool { return !en.custody.IsEmpty() || en.alarm != nil }

// Useful reports whether an idle entity is worth its memory.
func (en *Entity) Useful() bool { return en.c != nil }

// Events is how much of a history is in memory.
func (en *Entity) Events() int { return 1 }

// Current is as that of an orchestration, which no entity is.
func (en *Entity) Current() (origin, name string, ok bool) { return "", "", false }

// Drop forgets everything in memory, as the end of the process does.
func (en *Entity) Drop(error) {
	en.forget()
	en.custody.Drop()
}

// Release gives all messages back, for a process whose goroutines have ended.
func (en *Entity) Release(ctx context.Context) {
	en.custody.Release(ctx)
	en.forget()
}

// ReleaseLeases gives the messages back of an entity whose code does not come back. It
// may be called by any goroutine.
func (en *Entity) ReleaseLeases(ctx context.Context) { en.custody.ReleaseAll(ctx) }

func (en *Entity) forget() {
	en.clearAlarm()
	en.c, en.inbox, en.row = nil, inbox{}, row{}
}

func (en *Entity) clearAlarm() {
	if en.alarm != nil {
		en.alarm()
		en.alarm = nil
	}
}

// postponed says that nothing can be done with the messages now.
type postponed struct {
	reason string
	delay  time.Duration
}

func (p *postponed) Error() string { return p.reason }

// Pass looks at what came until what it asks for is durable, put off, or given back.
func (en *Entity) Pass(ctx context.Context, batch []Item) {
	en.clearAlarm()
	en.inbox.begin(en.Exec.Clock.Now())
	defer en.arm()
	en.take(batch)
	for try := 1; ; try++ {
		err := en.try(ctx, batch)
		if err == nil {
			return
		}
		if !en.again(ctx, err, try) {
			return
		}
	}
}

// again decides what becomes of a pass that failed, and reports whether to go on.
func (en *Entity) again(ctx context.Context, err error, try int) bool {
	var put *postponed
	class := executor.Classify(err)
	switch {
	case errors.As(err, &put):
		en.Log.Warn("messages of an entity put off", "entity", en.ID, "reason", put.reason, "delay", put.delay)
		en.counted(observe.Deferred, "")
		en.abandon(put.delay)
	case class == executor.Overtaken && try < maxTries:
		en.c, en.row = nil, row{}
		en.inbox.wanted, en.inbox.rows = true, nil
		return true
	case class == executor.Refused && en.c != nil && (!en.narrow || en.refused == nil):
		if en.narrow {
			en.refused = err // the one row of the next batch fails
		}
		en.narrow = true
		en.c = nil
		en.inbox.wanted, en.inbox.rows = true, nil
		return true
	default:
		if ctx.Err() == nil {
			en.Log.Error("an entity gave its messages back", "entity", en.ID, "error", err)
		}
		en.abandon(delayOf(class, err))
	}
	return false
}

func delayOf(class executor.Class, err error) time.Duration {
	switch {
	case errors.Is(err, taskhub.ErrFormat), class == executor.Refused:
		return time.Minute
	case class == executor.Later:
		return 10 * time.Second
	}
	return time.Second
}

// abandon gives all messages back after the delay and forgets the rest.
func (en *Entity) abandon(delay time.Duration) {
	en.custody.GiveBack(delay)
	en.forget()
}

// try is one pass.
func (en *Entity) try(ctx context.Context, batch []Item) error {
	if err := en.tellForeign(ctx, batch); err != nil {
		return err
	}
	for en.inbox.wanted {
		if en.inbox.tooFast(en) {
			break
		}
		if err := en.query(ctx); err != nil {
			return err
		}
		if err := en.load(ctx); err != nil {
			return err
		}
		if err := en.work(ctx); err != nil {
			return err
		}
	}
	if en.c == nil {
		en.letGo(false)
		return nil
	}
	return en.rest(ctx)
}

// work takes in what the last look has found.
func (en *Entity) work(ctx context.Context) error {
	if en.c.unsent {
		if err := en.catchUp(ctx); err != nil {
			return err
		}
	}
	for {
		p := planned(en.c.saved.Lock, en.inbox.rows, !en.inbox.more)
		en.inbox.stands, en.inbox.blocked = p.waiting, p.blocked
		if len(p.steps) == 0 {
			return en.stuck(ctx)
		}
		done, err := en.commit(ctx, p.steps)
		if err != nil {
			return err
		}
		if err := en.sendOutbox(ctx); err != nil {
			return err
		}
		en.inbox.taken(done)
		if len(en.inbox.rows) == 0 {
			en.inbox.wanted = en.inbox.more
			return nil
		}
	}
}

// catchUp sends what the commit that was loaded has left to send, unless the row shows
// that it was sent.
func (en *Entity) catchUp(ctx context.Context) error {
	if len(en.c.saved.Outbox) == 0 {
		en.c.unsent = false
		return nil
	}
	if err := en.learnRow(ctx); err != nil {
		return err
	}
	if en.row.execution == en.c.fence.ExecutionID {
		en.c.unsent = false
		return nil
	}
	return en.sendOutbox(ctx)
}

// stuck is what is done when no row can be taken: while rows wait for a lock, it must be
// held, and its owner must run.
func (en *Entity) stuck(ctx context.Context) error {
	b := &en.inbox
	b.wanted = false
	held := en.c.saved.Lock
	if held == nil || b.stands == 0 {
		return nil
	}
	if err := en.verify(ctx); err != nil {
		return err
	}
	if en.c == nil { // another process may have taken the release in
		b.wanted = true
		return nil
	}
	gone, err := en.ownerGone(ctx, held)
	if err != nil || !gone {
		return err
	}
	en.Log.Warn("a lock was taken from an orchestration that does not run any more", "entity", en.ID, "owner", held.Owner)
	b.wanted = true
	if err := en.store(ctx, &draft{state: en.c.state, decoded: en.c.decoded}); err != nil {
		return err
	}
	return en.sendOutbox(ctx)
}

// ownerGone reports whether the execution that holds the lock has ended, or is no more.
func (en *Entity) ownerGone(ctx context.Context, held *lock) (bool, error) {
	now := en.Exec.Clock.Now()
	if now.Sub(held.Since) < ownerCheck || now.Sub(en.checked) < ownerCheck {
		return false, nil
	}
	en.checked = now
	head, err := en.Head(ctx, held.Owner)
	if err != nil {
		return false, err
	}
	return held.shown().IsOrphan(head), nil
}

// rest shows the state and lets go of what is not needed.
func (en *Entity) rest(ctx context.Context) error {
	b := &en.inbox
	now := en.Exec.Clock.Now()
	stands := en.c.saved.Lock != nil && b.stands > 0 && !now.Before(en.watched)
	lingers := en.custody.IsOpen() && now.Sub(en.row.shown) < showEvery
	if !lingers {
		if err := en.show(ctx); err != nil {
			return err
		}
	}
	en.letGo(stands)
	return nil
}

// letGo removes the wake-ups that nothing depends on any more. With keep one stays,
// hidden: it comes again when it is time to look after the owner of the lock.
func (en *Entity) letGo(keep bool) {
	needed := func(id string) bool { return en.custody.Opened(id) || en.inbox.foreign.Has(id) }
	closed := func(id string) bool { return !needed(id) }
	if keep && en.custody.PutOffOne(closed, ownerCheck) {
		en.watched = en.Exec.Clock.Now().Add(ownerCheck)
	}
	en.custody.LetGo(needed)
}

// arm sets the timer for what is planned next.
func (en *Entity) arm() {
	en.clearAlarm()
	at := en.inbox.next
	for _, next := range []time.Time{en.inbox.due, en.inbox.foreignAt} {
		if !next.IsZero() && (at.IsZero() || next.Before(at)) {
			at = next
		}
	}
	if en.custody.IsOpen() && at.IsZero() {
		at = en.Exec.Clock.Now().Add(linger)
	}
	if at.IsZero() {
		return
	}
	wait := max(at.Sub(en.Exec.Clock.Now()), 0)
	if wait > time.Minute && en.custody.IsEmpty() {
		return // its message brings it
	}
	en.alarm = en.Exec.Clock.AfterFunc(wait, func() { en.Host.Wake(en.ID) })
}

// code names an operation to the journal.
func (en *Entity) code(request string) journal.Code {
	return journal.Code{Kind: journal.EntityCode, Instance: en.ID, Execution: request}
}
