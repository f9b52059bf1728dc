package taskhub

import (
	"context"
	"fmt"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// Inboxes are the inboxes of a hub's instances. What others tell an instance is
// a row in the instance's own partition until the commit that takes it in takes
// the row out, in the same transaction. So it is taken in exactly once, however
// often it was told and however many workers try.
type Inboxes interface {
	// Tell stores tellings for an instance, each with a receipt under its id, in
	// the given order: up to 49 in one transaction, and those of the next
	// transaction after it. A telling whose receipt is there was told before and
	// is not stored again; the others are. So the same Tell may be repeated until
	// it succeeds. A large payload is written before its row.
	//
	// The instance need not exist. ErrRefused when a telling cannot be stored
	// ([Telling.Check]), and then none is; ErrTooLarge. ErrBacklog when the limit of
	// one is reached that was not told before, and then none is.
	Tell(ctx context.Context, id string, tellings ...*Telling) error
	// Look reads the inbox, with one request while the inbox fits one page and no
	// payload is kept apart. It returns fewer rows, and More, where their payloads
	// have more than about [MaxLookBytes] together.
	Look(ctx context.Context, id string, o LookOptions) (*Inbox, error)
	// Discard deletes inbox rows unread, such as those of executions that are
	// gone. Rows that do not exist are no error.
	Discard(ctx context.Context, id string, keys ...string) error
	// ForgetReceipts deletes receipts that the store wrote before the given time,
	// by its own clock: up to 1,000, and returns how many. A telling without its
	// receipt can be told again, so before must be older than every telling that
	// a teller may still repeat.
	ForgetReceipts(ctx context.Context, id string, before time.Time) (int, error)
	// Answer reads what a commit has answered to a telling (see Commit.Answers). It is
	// nil when there is no answer yet, or none any more: it is kept as long as the
	// receipt.
	Answer(ctx context.Context, id, telling string) (history.Payload, error)
}

// MaxTold is how many tellings one transaction stores.
const MaxTold = 49

// Telling is a message to an instance that waits in its inbox: an external event,
// or a request to suspend, resume or terminate it.
type Telling struct {
	// ID is the logical id, a GUID. It belongs to the telling and is kept over
	// all tries of its teller: it is the key of the receipt.
	ID string
	// Origin is the execution that it is for, the one that was started (see
	// [State]); empty: whichever is current when it is taken in. The store only
	// keeps it; the worker that takes rows in compares it.
	Origin string
	// Event is an EventRaised, ExecutionSuspended, ExecutionResumed or
	// ExecutionTerminated. A Timestamp of zero becomes Sent.
	Event *history.Event
	// Due is when an EventRaised may be taken in, not earlier; zero, or not after
	// Sent: at once.
	Due time.Time
	// Sent is when the teller first made it, by the teller's clock. It is kept
	// over tries.
	Sent time.Time
	// Sequence orders tellings of one sender that have one time.
	Sequence int64
	// Limit refuses an EventRaised with [ErrBacklog] where so many wait in the inbox
	// already; 0: it is stored however many do. It is not kept. A store may count
	// late, when each process has told the instance a quarter of the limit more, and
	// refuse for a second after it has counted.
	Limit int
	// LimitBytes does the same for the size of the data of those events. A store may
	// know that only of what each process has told itself.
	LimitBytes int
	// Ahead puts an EventRaised before all that are not control rows: an entity's
	// holder of the lock goes on while others wait.
	Ahead bool
	// Voids is the id of another telling to the same instance that is not to be told
	// any more: its receipt is written with this telling. Where it was told before,
	// its row stays. Empty: none.
	Voids string
}

// Control reports whether the telling stands before all others: it is about the
// execution and not for its code, or Ahead.
func (t *Telling) Control() bool {
	if t.Ahead {
		return true
	}
	switch t.Event.Type {
	case history.ExecutionSuspended, history.ExecutionResumed, history.ExecutionTerminated:
		return true
	}
	return false
}

// Check finds tellings that no store can keep: ErrRefused. Stores call it.
func (t *Telling) Check() error {
	switch {
	case t.ID == "":
		return fmt.Errorf("%w: the telling has no id", ErrRefused)
	case t.Event == nil:
		return fmt.Errorf("%w: telling %s has no event", ErrRefused, t.ID)
	case t.Event.Type != history.EventRaised && !t.Control():
		return fmt.Errorf("%w: an inbox takes no %v", ErrRefused, t.Event.Type)
	case t.Ahead && t.Event.Type != history.EventRaised:
		return fmt.Errorf("%w: %v is always ahead", ErrRefused, t.Event.Type)
	case t.Control() && !t.Due.IsZero():
		return fmt.Errorf("%w: %v has a due time", ErrRefused, t.Event.Type)
	case !history.FitsColumn(t.Event.Name):
		return fmt.Errorf("%w: the name of the event has %d bytes", ErrRefused, len(t.Event.Name))
	case len(t.ID) > maxTellingID || len(t.Origin) > maxTellingID || len(t.Voids) > maxTellingID:
		return fmt.Errorf("%w: id or origin of a telling is longer than %d bytes", ErrRefused, maxTellingID)
	}
	for name, at := range map[string]time.Time{"Sent": t.Sent, "Due": t.Due, "Timestamp": t.Event.Timestamp} {
		if at.IsZero() && name != "Sent" {
			continue
		}
		if at.Before(history.MinTime) || at.After(history.MaxTime) {
			return fmt.Errorf("%w: the %s %v of telling %s is not between the years 1601 and 9999", ErrRefused, name, at, t.ID)
		}
	}
	return nil
}

// maxTellingID bounds ids that come from foreign messages.
const maxTellingID = 1 << 10

// stored is the event as its row has it.
func (t *Telling) stored() *history.Event {
	if !t.Event.Timestamp.IsZero() {
		return t.Event
	}
	e := *t.Event
	e.Timestamp = t.Sent.UTC().Truncate(100 * time.Nanosecond)
	return &e
}

// LookOptions say what of an inbox is wanted.
type LookOptions struct {
	// ControlOnly leaves everything but control rows alone.
	ControlOnly bool
	// Now decides which due times are over; zero: the store's own clock.
	Now time.Time
	// Max is the most rows to return; 0, or more than [MaxLook]: MaxLook.
	Max int
}

// MaxLook is the most rows that one look returns. What waits in a long inbox is read
// as far as it takes to know the first rows, which may be all of it: so many are
// returned that this is done a few times only.
const MaxLook = 10_000

// MaxLookBytes is about how many bytes of payloads one look reads: it returns no
// further row once it has read so many.
const MaxLookBytes = 16 << 20

// Limit is the most rows that the look returns.
func (o *LookOptions) Limit() int {
	if o.Max <= 0 || o.Max > MaxLook {
		return MaxLook
	}
	return o.Max
}

// Inbox is what a look found.
type Inbox struct {
	// Rows may be taken in now, in this order: control rows; then all others by
	// the time at which they were stored, or were due if that is later; each to
	// the millisecond of the store's clock, and then by key. No row that the look
	// has not returned comes before one that it has, unless a teller's clock was
	// ahead of the store's by more than [ClockSkew].
	Rows []*InboxRow
	// More reports that there are further rows that may be taken in now.
	More bool
	// NextDue is when the next row that has a due time may be taken in; zero:
	// there is none, or More rows come before it.
	NextDue time.Time
	// Waiting is how many rows the look has seen, also those that are not due. It
	// is all there are where More is false and NextDue is zero.
	Waiting int
}

// InboxRow is a telling that waits.
type InboxRow struct {
	// Key names the row in a [Take] and in Discard.
	Key string
	// Stored is when it was stored, by the store's own clock.
	Stored  time.Time
	Telling Telling
	// Err is why the row cannot be read; Telling must not be used then. With
	// [ErrUnread] it may be readable later, and a worker that keeps the order takes
	// in no row behind it. Every other error is permanent.
	Err error
}

// Control reports whether the row is a control row, also where Err is set.
func (r *InboxRow) Control() bool { return r.Key != "" && r.Key[0] == keyControl }
