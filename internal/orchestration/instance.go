package orchestration

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/executor"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/lease"
	"github.com/durable-go/functions/internal/taskhub"
)

// Instance is one orchestration in this process. Its methods are for one goroutine
// at a time, the one that drives it, but for CanLook and Holding.
type Instance struct {
	*Env
	ID string

	custody *lease.Custody
	// shown is what others may know of the execution: of one that is committed and has
	// not ended; nil otherwise.
	shown atomic.Pointer[shown]
	// x is the execution in memory, nil until the history was loaded.
	x *execution

	// alarm stops the timer that was set for the orchestration, nil when none; dueAt
	// is when what is in the draft, or what the row does not show, has waited long
	// enough, zero for never.
	alarm func() bool
	dueAt time.Time
	// since is when the orchestration came without a host invocation that carries
	// it; zero when one does.
	since time.Time
	inbox inbox
	// crowded says that the instance row may say that too many events wait.
	crowded bool
	// offers are activities that this process will not begin soon, and that are not
	// sent yet.
	offers []*action

	// refusal is why storage refuses the last turn for good, nil where it does not;
	// refusals counts the tries to end the instance.
	refusal  error
	refusals int

	// What follows is of one pass. batch is what it is about. current means that the history was read, or the
	// sentinel compared, for the batch that is looked at; due that the orchestration
	// has waited long enough for what is in the draft to be written.
	batch        []Item
	current, due bool
	// late are the leases that are held past their time, and under which the history
	// has actions that were therefore not begun here.
	late map[string]bool
}

// shown is what is known of a running execution outside of the goroutine that drives.
type shown struct{ origin, name string }

// Current returns the execution that was started, and the orchestrator's name, of a
// committed execution that has not ended and takes events. It may be called by any goroutine.
func (in *Instance) Current() (origin, name string, ok bool) {
	s := in.shown.Load()
	if s == nil {
		return "", "", false
	}
	return s.origin, s.name, true
}

// show lets others know of the execution as it is.
func (in *Instance) show() {
	x := in.x
	if x == nil || x.ended() || x.record.started == nil || in.crowded {
		in.shown.Store(nil)
		return
	}
	if s := in.shown.Load(); s == nil || s.origin != x.origin {
		in.shown.Store(&shown{origin: x.origin, name: x.record.started.Name})
	}
}

// New makes an orchestration that knows nothing yet.
func New(v *Env, id string) *Instance { return &Instance{Env: v, ID: id, custody: lease.NewCustody()} }

// CanLook reports whether a telling that is stored needs no wake-up of its own. It
// may be called by any goroutine.
func (in *Instance) CanLook() bool { return in.custody.CanLook() }

// Holding reports whether the orchestration holds messages: it is worked on here. It
// may be called by any goroutine.
func (in *Instance) Holding() bool { return in.custody.Holding() }

// Busy reports whether the orchestration must stay in memory: work here is done for
// it.
func (in *Instance) Busy() bool {
	if !in.custody.IsEmpty() || in.alarm != nil {
		return true
	}
	if in.x == nil {
		return false
	}
	if in.x.local > 0 || len(in.x.draft.events) > 0 {
		return true
	}
	for _, a := range in.x.record.actions {
		if a.run != nil {
			return true
		}
	}
	return false
}

// Useful reports whether an idle orchestration is worth its memory.
func (in *Instance) Useful() bool { return in.x != nil && in.x.id != "" && !in.x.ended() }

// Events is how many events the history in memory has.
func (in *Instance) Events() int {
	if in.x == nil {
		return 0
	}
	return len(in.x.record.events)
}

// Drop forgets everything in memory, as the end of the process does. User code may
// run: its deferred calls.
func (in *Instance) Drop(cause error) {
	in.forget(cause)
	in.custody.Drop()
}

// Release gives all messages back, for a process whose goroutines have ended.
func (in *Instance) Release(ctx context.Context) {
	if in.x != nil {
		for _, l := range in.x.draft.carriers {
			l.Release(ctx)
		}
	}
	in.custody.Release(ctx)
	in.forget(activity.ErrShutdown)
}

func (in *Instance) forget(cause error) {
	in.clearAlarm()
	in.forgetExecution(cause)
	in.dueAt, in.inbox, in.crowded = time.Time{}, inbox{}, false
	in.since = time.Time{}
}

// abandon gives all messages back after the delay and forgets the rest.
func (in *Instance) abandon(delay time.Duration) {
	in.sendResults(in.batch)
	in.custody.GiveBack(delay)
	in.forget(activity.ErrLost)
}

// arm sets the timer for what is planned next.
func (in *Instance) arm() {
	in.clearAlarm()
	at := in.dueAt
	for _, next := range []time.Time{in.inbox.next, in.inbox.earlyAt} {
		if at.IsZero() || !next.IsZero() && next.Before(at) {
			at = next
		}
	}
	if at.IsZero() {
		return
	}
	wait := max(at.Sub(in.Exec.Clock.Now()), 0)
	in.alarm = in.Exec.Clock.AfterFunc(wait, func() { in.Host.Post(in.ID, alarm{}) })
}

// dueIn sees to it that the orchestration comes back to what is not shown or written
// yet.
func (in *Instance) dueIn(d time.Duration) { in.dueAt = in.Exec.Clock.Now().Add(d) }

func (in *Instance) clearAlarm() {
	if in.alarm != nil {
		in.alarm()
		in.alarm = nil
	}
}

var (
	// errAgain: what is in memory was brought up to date; the batch is to be looked
	// at again.
	errAgain = errors.New("the orchestration in memory was behind")
	// errStale: a message may be for something newer than what is in memory.
	errStale = errors.New("the orchestration in memory may not be the current one")
	// errNoLease: this process may not go on.
	errNoLease = errors.New("this process holds no message under which the next step could run")
)

// postponed means that nothing can be done with the messages now; they are given
// back with a delay.
type postponed struct {
	reason string
	delay  time.Duration
}

func (p *postponed) Error() string { return p.reason }

// Pass looks at a batch until what it asks for is durable. Whatever goes wrong for
// good drops what is in memory: the messages bring the batch back.
func (in *Instance) Pass(ctx context.Context, batch []Item) {
	in.clearAlarm()
	defer in.show()
	now := in.Exec.Clock.Now()
	in.current, in.due = false, !in.dueAt.IsZero() && !now.Before(in.dueAt)
	in.dueAt = time.Time{}
	in.inbox.begin(now)
	for _, m := range in.inbox.early {
		batch = append(batch, m) // it is looked at again, and may wait once more
	}
	in.inbox.early, in.inbox.earlyAt = nil, time.Time{}
	defer in.arm()
	for in.batch = batch; ; {
		err := in.try(ctx, in.batch)
		if err == nil {
			in.batch = nil
			return
		}
		in.batch = in.withDraft(in.batch)
		if again := in.recover(ctx, err); !again {
			in.batch = nil
			return
		}
	}
}

// recover decides what becomes of a pass that failed and reports whether the batch
// is to be looked at again.
func (in *Instance) recover(ctx context.Context, err error) (again bool) {
	var put *postponed
	var parked *parkedError
	switch {
	case errors.As(err, &put):
		level := slog.LevelInfo // a start and its message cross each other now and then
		if put.delay > 2*second {
			level = slog.LevelWarn
		}
		in.Log.Log(ctx, level, "messages put off", "instance", in.ID, "reason", put.reason, "delay", put.delay)
		in.deferred()
		in.abandon(put.delay)
	case errors.As(err, &parked):
		in.deferred()
		in.park(ctx, parked)
	case errors.Is(err, errAgain), errors.Is(err, errStale), executor.Classify(err) == executor.Overtaken:
		if err := in.refresh(ctx); err != nil {
			return in.recover(ctx, err)
		}
		return true
	case executor.Classify(err) == executor.Refused && in.x != nil:
		return in.refused(ctx, err)
	case errors.Is(err, errNoLease):
		// The process stood still: another one goes on.
		in.Log.Info("orchestration gave its messages back", "instance", in.ID, "reason", err)
		in.abandon(delayOf(err))
	default:
		if ctx.Err() == nil {
			in.Log.Error("orchestration gave its messages back", "instance", in.ID, "error", err)
		}
		in.abandon(delayOf(err))
	}
	return false
}

// delayOf is how long messages are put off after an error that a repetition does
// not mend at once.
func delayOf(err error) time.Duration {
	switch {
	case errors.Is(err, taskhub.ErrFormat):
		return time.Minute
	case errors.Is(err, taskhub.ErrSealed):
		return 10 * time.Second
	}
	return time.Second
}

// withDraft is the batch together with everything before it that was accepted and
// not committed.
func (in *Instance) withDraft(batch []Item) []Item {
	if in.x == nil {
		return batch
	}
	all := in.x.draft.items
	for _, it := range batch {
		if !contains(all, it) {
			all = append(all, it)
		}
	}
	if len(in.x.draft.takes) > 0 {
		in.inbox.want()
	}
	in.inbox.rows = nil
	in.x.draft = draft{spilled: in.x.draft.spilled, actions: in.x.draft.actions}
	return all
}

func contains(items []Item, it Item) bool {
	for _, other := range items {
		if other == it {
			return true
		}
	}
	return false
}

// try is one pass: load, accept, turn, commit, drive.
func (in *Instance) try(ctx context.Context, batch []Item) error {
	in.takeLeases(batch)
	if err := in.tellGathered(ctx, batch); err != nil {
		return err
	}
	if in.x == nil && !anyMessage(batch) && !in.inbox.wanted {
		in.sendResults(batch)
		return nil
	}
	if in.x == nil && in.onlyGathers(batch) {
		return nil
	}
	if err := in.load(ctx, batch); err != nil {
		return err
	}
	if in.cameAgain(batch) {
		if err := in.verify(ctx); err != nil {
			return err
		}
	}
	events, err := in.accept(ctx, batch)
	if err != nil {
		return err
	}
	for {
		told, err := in.look(ctx)
		if err != nil {
			return err
		}
		if err := in.advance(ctx, merge(events, told)); err != nil {
			return err
		}
		if in.inbox.wanted = in.inbox.more(); !in.inbox.wanted {
			break
		}
		events = nil
	}
	if in.waits() {
		return nil
	}
	return in.drive(ctx)
}

// advance makes a turn of the events and commits it, unless it may wait.
func (in *Instance) advance(ctx context.Context, events []*history.Event) error {
	if err := in.reopenRow(ctx); err != nil {
		return err
	}
	in.crowded = in.crowded || in.backlog() != ""
	x := in.x
	if len(events) > 0 || !x.ended() && x.id != "" && (x.blame != nil || x.eng.Unrecorded()) {
		if err := in.turn(ctx, events); err != nil {
			return err
		}
	}
	if err := in.continueAsNew(ctx); err != nil {
		return err
	}
	if in.mayWait() {
		if err := in.dispatch(ctx); err != nil {
			return err
		}
		if len(in.x.draft.events) <= eagerCommit {
			return nil
		}
	}
	return in.commit(ctx)
}

// eagerCommit is the number of events above which a first turn is written at once,
// while its activities run already: the write takes a while.
const eagerCommit = 50

// mayWait reports whether the draft need not be written yet: a first turn is the
// same when it is repeated, so it can be written together with its first result.
func (in *Instance) mayWait() bool {
	d := &in.x.draft
	return d.deferrable && !in.due && len(d.events) > 0 && len(d.takes) == 0
}

// waits reports whether a first turn stays in the draft, and sets the alarm for it.
func (in *Instance) waits() bool {
	if !in.mayWait() {
		return false
	}
	in.dueIn(in.FirstTurn)
	return true
}

func anyMessage(batch []Item) bool {
	for _, it := range batch {
		if _, ok := it.(*Message); ok {
			return true
		}
	}
	return false
}

// sendResults sends the results of work items by message: the orchestration is not
// worked on here any more.
func (in *Instance) sendResults(batch []Item) {
	for _, it := range batch {
		if r, ok := it.(*Result); ok && r.Carrier != nil && r.Event != nil {
			in.Pool.SendResult(r.Call, r.Event, r.Carrier)
		}
	}
}

// ReleaseLeases gives the messages back of an orchestration whose code does not come
// back: another process goes on, and what this one does later is fenced off.
func (in *Instance) ReleaseLeases(ctx context.Context) { in.custody.ReleaseAll(ctx) }
