// Package taskhub is the contract between the engine and its storage: a task
// hub is a set of queues, a History table and an Instances table. The contract
// has two implementations, azure and memory, and one conformance suite,
// taskhubtest, that both pass.
package taskhub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/internal/history"
)

var (
	// ErrNotFound: there is no such instance.
	ErrNotFound = errors.New("instance not found")
	// ErrExists: the row to insert exists already.
	ErrExists = errors.New("instance already exists")
	// ErrChanged: the row or secret is not as the caller last saw it.
	ErrChanged = errors.New("it was changed by somebody else")
	// ErrConflict: another worker committed to this execution since the
	// caller's fence was read. Load the rows from Fence.NextRow on.
	ErrConflict = errors.New("history was changed by another worker")
	// ErrTaken: the commit takes an inbox row that is not there any more. Look
	// again. A commit whose fence is lost gets [ErrConflict] or [ErrGone] instead,
	// and one that was applied before succeeds.
	ErrTaken = errors.New("a row of the inbox was taken by another worker")
	// ErrRefused: the store can never keep what it was given. Trying again does
	// not help.
	ErrRefused = errors.New("the store cannot keep this")
	// ErrGone: the execution was purged or replaced by another one. Drop
	// everything known about it. A commit of a new execution that came after
	// another worker's gets ErrConflict: what is there may be its own.
	ErrGone = errors.New("execution was purged or replaced")
	// ErrLeaseLost: the message was taken by somebody else or is gone.
	ErrLeaseLost = errors.New("lease on the message is lost")
	// ErrPayloadGone: the blob of a large payload does not exist (any more).
	// What named it was removed with it, or will never be readable.
	ErrPayloadGone = errors.New("large payload is gone")
	// ErrDamaged: the blob of a large payload is not what a writer of payloads
	// leaves. Reading it again does not help.
	ErrDamaged = errors.New("large payload is damaged")
	// ErrUnavailable: a service of the store does not answer, or has no time. It is
	// transient, and the outcome is unknown.
	ErrUnavailable = errors.New("storage does not answer")
	// ErrUnread: a message came whose payload cannot be read for the moment.
	ErrUnread = errors.New("payload of the message cannot be read now")
	// ErrSealed: the app's payload codec did not encode or decode a payload.
	ErrSealed = errors.New("payload cannot be encoded or decoded")
	// ErrTooLarge: a payload does not fit the store.
	ErrTooLarge = errors.New("payload too large")
	// ErrFormat: the history was written by a newer version of this module.
	ErrFormat = errors.New("history has a newer format than this version knows")
	// ErrUnreadable: the stored history is damaged: rows are missing or do not
	// decode. Reading it again does not help. See [history.UnreadableError].
	ErrUnreadable = history.ErrUnreadable
	// ErrNoHub: a table, queue or container of the hub does not exist, or is
	// being deleted, which takes the service a minute or so. It says nothing
	// about the instance or message that was asked for, and is transient:
	// Create makes what is missing.
	ErrNoHub = errors.New("task hub does not exist or is being deleted")
	// ErrBacklog: as many tellings as the store keeps for one instance wait for it
	// already. Nothing was stored; trying later helps when the instance takes some
	// in.
	ErrBacklog = errors.New("too many events wait for the instance")
	// ErrForeignHub: the hub belongs to another app.
	ErrForeignHub = errors.New("task hub belongs to another app")
	// ErrToken: the text is not a continuation token of this store.
	ErrToken = errors.New("not a continuation token")
)

// Store keeps one task hub. All methods may be called concurrently. Each call
// is durable when it returns nil. [ErrNoHub], and every error that is none of the
// sentinels above, is transient or unknown: the call may or may not have had its
// effect, and every method may be repeated with the same arguments.
type Store interface {
	// Create makes the hub's queues and tables where they are missing and
	// records owner as the app that the hub belongs to. ErrForeignHub when it
	// belongs to another app and owner.Shared is false, or when a worker of the
	// official engine is alive on it. ErrNoHub while the hub of that name is
	// being deleted: nothing can be made then, and a later call succeeds.
	Create(ctx context.Context, owner Owner) error

	// Send puts m on the queue, visible after the delay (rounded up to whole
	// seconds, at most MaxDelay). The lease it returns is good for as long as
	// the message is invisible: the sender may renew or delete its own message.
	Send(ctx context.Context, queue string, m *Message, delay time.Duration) (*Lease, error)
	// Receive takes up to max (1 to 32) visible messages and hides them for
	// the duration. Messages that do not decode come back with Err set.
	Receive(ctx context.Context, queue string, max int, hide time.Duration) ([]Delivery, error)
	// Open decodes the text of a message that somebody else received, as
	// Receive would. ErrUnread when that may succeed later, ErrPayloadGone when
	// the message is an orphan; every other error means that the text is no
	// message.
	Open(ctx context.Context, body []byte) (*Message, error)
	// Renew hides the message for another duration, counted from now; 0 makes
	// it visible at once. It replaces what the lease holds, so a lease must not
	// be used concurrently. ErrLeaseLost when somebody else has the message, and
	// never because the answer to this renewal was lost: that is an error which
	// is no sentinel. The message is then hidden until either time, and its
	// receipt may be one that the caller does not know.
	Renew(ctx context.Context, l *Lease, hide time.Duration) error
	// Remove deletes the message. A message that is gone or that somebody else
	// holds is not an error: its next delivery will be recognised.
	Remove(ctx context.Context, l *Lease) error

	// Insert writes the first row of an instance and sets its ETag. ErrExists
	// when there is a row; the caller reads it to learn whose it is.
	Insert(ctx context.Context, row *Instance) error
	// Replace writes the whole row over the one with the given ETag and sets
	// the new one. ErrChanged when the stored row is another, ErrNotFound when
	// it is gone.
	Replace(ctx context.Context, row *Instance, etag string) error
	// Merge changes columns of the row. ErrChanged and ErrNotFound as above.
	// It returns the row's new ETag.
	Merge(ctx context.Context, id string, change Change) (etag string, err error)
	// Instance reads a row. ErrNotFound when there is none.
	Instance(ctx context.Context, id string) (*Instance, error)
	// List reads a page of instance rows in the order of their keys, with one
	// request and one more for each large payload, in memory bounded by the page. ErrToken when q.Token is not
	// from a page of this store. A row that cannot be read does not make the
	// call fail: see Instance.Err.
	List(ctx context.Context, q Query) (*Page, error)
	// Purge removes what the hub keeps of the instance. It marks the row
	// (Instance.Purging) if it still has the ETag, then deletes the guard of
	// the history, so that no worker goes on with it, then the history rows,
	// then the large payloads, then the row. It returns how many rows it deleted, the guard and the
	// instance row included. Whether the instance is finished is the caller's
	// business. Inbox rows and receipts of the instance are deleted, too.
	//
	// A purge that was cut may be repeated, with the same ETag or that of the
	// marked row, by anybody, also by several at once. Rows of a history whose
	// instance row is gone are deleted too. ErrNotFound when nothing is there,
	// which after an unknown outcome means success; ErrChanged when the row has
	// another ETag or was replaced meanwhile: what belongs to the new execution
	// is not touched.
	//
	// Who starts over an instance that is Purging must not Replace its row, but
	// Purge it with the ETag of that row, and then do all of the start anew,
	// Insert and Send: large payloads that were written before are gone.
	Purge(ctx context.Context, id, etag string) (rows int, err error)

	// Commit appends events to a history. With more events than one
	// transaction holds it is a chain of transactions, each a valid prefix. It
	// returns the fence for the next commit. After an error that is none of
	// ErrConflict, ErrGone, ErrTaken, ErrRefused and ErrFormat the caller may repeat the
	// same Commit (same Nonce); rows that were applied are recognised and not
	// applied twice. After ErrTaken nothing of a commit of one transaction was
	// applied; of a longer one, a prefix may have been.
	Commit(ctx context.Context, c *Commit) (Fence, error)
	// Load reads the history of the current execution from the given row on
	// (0: all of it) and the fence that guards it, as they were together at one
	// moment. A missing history is not an error: the fence is then zero.
	// ErrUnreadable when rows are missing or do not decode.
	Load(ctx context.Context, id string, from uint64) (*History, error)
	// LoadPart is Load of at most so many events, one at least; it reads no more of a
	// long history than they take. Where a history is rewound meanwhile, events may be
	// of either time.
	LoadPart(ctx context.Context, id string, from uint64, most int) (*History, error)
	// Head reads the fence of the current execution, and so its State, with one
	// read of one row. The zero Fence when there is no history.
	Head(ctx context.Context, id string) (Fence, error)
	// Answered reports whether the current history has a result of the activity with
	// the id (TaskCompleted or TaskFailed), without reading the rest of it.
	Answered(ctx context.Context, id string, task int32) (bool, error)
	// Rewind changes rows of a committed history in place, as the official tools
	// do, fenced as a commit is: the same errors, and the same Rewind may be
	// repeated. More marks than one transaction holds are applied in order, so
	// the one of the event that ended the execution belongs last: until then a
	// rewind that was cut can be done anew from what Load returns. The same
	// transaction takes the outcome out of the State.
	Rewind(ctx context.Context, r *Rewind) (Fence, error)

	Inboxes

	// Clear deletes the history of an entity that is as the fence says (none where its
	// ETag is empty), and then its row if that has the ETag. Its inbox and the receipts
	// stay, so that what was told it counts, and counts once. ErrConflict when somebody
	// has committed since. A row that has changed is left.
	Clear(ctx context.Context, id string, fence Fence, etag string) error
	// Sweep deletes large payloads that neither the current history nor the row
	// of the instance names any more. It is for histories whose fence says
	// Apart, after a new execution; best effort, and it may be repeated.
	Sweep(ctx context.Context, id string, current Fence) error

	// SaveProgress keeps how far a call of an activity has come, in place of what
	// was kept for the key (letters and digits) before; nil removes it. It is kept
	// until then, or until the instance is purged. ErrTooLarge.
	SaveProgress(ctx context.Context, id, key string, p history.Payload) error
	// Progress reads it. nil when nothing is kept.
	Progress(ctx context.Context, id, key string) (history.Payload, error)

	// Secrets reads the named small secret blob of the hub, creating it with
	// initial where it does not exist (whoever creates it first wins). It is
	// kept apart from the tables.
	Secrets(ctx context.Context, name string, initial []byte) ([]byte, error)
	// ReplaceSecret replaces a secret if it still is old. ErrChanged when it is
	// neither old nor new, or missing.
	ReplaceSecret(ctx context.Context, name string, old, new []byte) error
}

// MaxDelay is the longest delay of a message: the service hides a message for
// at most seven days, and official tools split timers at six.
const MaxDelay = 6 * 24 * time.Hour

// MaxPayload is how large an input, a result or the data of an event may be
// where no setting says otherwise, in bytes.
const MaxPayload = 10 << 20

// Owner is the app that works on a hub.
type Owner struct {
	// Site is the name of the Function App; empty on a developer's machine,
	// which may work on every hub.
	Site string
	// Shared lifts the check.
	Shared bool
}

// Message is one message of a control or work-item queue.
type Message struct {
	// ID is the logical id, kept over retries of the sender and renewals: two
	// messages with one ID are one message. A GUID in the D form (lower case,
	// with dashes).
	ID    string
	Event *history.Event
	// Target is the orchestration that the message is for. An empty
	// ExecutionID means whichever execution is current.
	Target history.InstanceRef
	// Sender is the orchestration that sent it; zero for clients.
	Sender history.InstanceRef
	// Episode is the number of the sender's turn, nil for clients.
	Episode *int32
	// Tags of the orchestration, carried by TaskScheduled and by the
	// ExecutionStarted of children.
	Tags map[string]string
	// Sequence orders messages of one sender process that carry one timestamp.
	Sequence int64
}

// TerminateChildren are the options (Own.Options) of an ExecutionTerminated
// event that ends the unfinished children, too.
const TerminateChildren = `{"children":true}`

// Lease is the right to work on a message until its time is over. It is owned
// by one goroutine at a time.
type Lease struct {
	Queue string
	// MessageID and PopReceipt are the queue service's.
	MessageID  string
	PopReceipt string
	// Body is the message's text as it is stored; renewals must repeat it.
	Body string
	// Until is when the message becomes visible to others.
	Until time.Time
}

// Delivery is a message received, or one just sent by this process and handed
// over without a hop through the queue.
type Delivery struct {
	// Message is nil when Err is set.
	Message *Message
	Lease   *Lease
	// Dequeued counts the deliveries of the message so far, 0 for a message
	// that was never received.
	Dequeued int
	// Inserted is when the message was put on the queue.
	Inserted time.Time
	// Err says why the message could not be decoded, as Open does.
	Err error
}

// Instance is a row of the Instances table: what clients see of an
// orchestration.
type Instance struct {
	ID          string
	ExecutionID string
	Name        string
	Version     string
	Input       history.Payload
	// Output is the result of a completed instance (JSON text) or the reason of
	// a failed or terminated one (plain text).
	Output       history.Payload
	CustomStatus history.Payload
	Status       history.Status
	Created      time.Time
	Updated      time.Time
	Completed    time.Time
	Scheduled    time.Time
	Generation   *int32
	Tags         map[string]string
	// Origin is the execution that was started, which ExecutionID no longer is
	// after a continue-as-new. Empty on rows that an older version or another
	// program wrote: the ExecutionID then.
	Origin string
	// ParentInstanceID is the instance whose child it is; empty: none.
	ParentInstanceID string
	// Parked says why the engine stopped working on the instance
	// (non-determinism); empty otherwise. The official columns still say
	// Running then.
	Parked string
	// Backlog is a [Backlog]; empty: the instance takes events.
	Backlog string
	// Purging means that a purge has begun, so that the history may be gone. The
	// store sets it; writing it has no effect.
	Purging bool
	// Err says why a listed row could not be read. Only ID, ETag and Status,
	// which is history.Unknown, are set then.
	Err error
	// ETag is the version of the row, opaque.
	ETag string
}

// Change is a conditional change of some columns of an instance row. Nil
// fields are left alone.
type Change struct {
	// ETag that the row must have; empty: any, but the row must exist.
	ETag string
	// ExecutionID and Origin are written when not empty.
	ExecutionID  string
	Origin       string
	Status       *history.Status
	Output       *history.Payload
	CustomStatus *history.Payload
	Updated      time.Time
	Completed    *time.Time
	Created      *time.Time
	Input        *history.Payload
	Name         *string
	Version      *string
	Parked       *string
	Backlog      *string
}

// Fence is what a worker knows of a history's sentinel row. A commit succeeds
// only where the stored sentinel is still the one of the fence. The zero Fence
// means that there is no history yet.
type Fence struct {
	// ETag of the sentinel row, opaque; empty when there is none.
	ETag        string
	ExecutionID string
	// Number counts the commits of the instance.
	Number int64
	// NextRow is the key of the next history row, FirstRow that of the first
	// row of the current generation. Keys only grow.
	NextRow  uint64
	FirstRow uint64
	// Spilled are the ids of actions whose work is in messages of its own, as
	// closed ranges in ascending order.
	Spilled []Range
	// Apart means that large payloads of the instance are, or were once, kept
	// apart from its rows.
	Apart bool
	// Rewinds counts the rewinds of the instance. After a rewind the rows before
	// NextRow are not as they were: who remembers them with another count must
	// load them all again.
	Rewinds int32
	// State is as it was last committed or read.
	State State
}

// Range is a closed range of action ids.
type Range struct{ First, Last int32 }

// Commit is one step of a history.
type Commit struct {
	InstanceID  string
	ExecutionID string
	Fence       Fence
	// Nonce belongs to the commit and not to the try: it is how a lost answer
	// is told from a lost race. Random, never empty.
	Nonce string
	Time  time.Time
	// Events are appended in order. May be empty when only Spilled changes.
	Events []*history.Event
	// Spilled replaces the fence's ranges.
	Spilled []Range
	// State replaces the fence's State; nil: it stays as the fence has it.
	State *State
	// Takes are the inbox rows that leave with the commit.
	Takes []Take
	// Answers are written with the last event. Who told what they answer reads them.
	Answers []Answer
	// NewExecution starts a new generation (continue-as-new, or a start over a
	// finished instance): the rows before are no longer part of the history
	// and are deleted.
	NewExecution bool
}

// Answer is what a commit answers to a telling. It takes the place of the receipt.
type Answer struct {
	// Telling is the id of the telling.
	Telling string
	Payload history.Payload
}

// History is a history as loaded.
type History struct {
	Fence Fence
	// Events of the current execution, in order, from the row asked for.
	Events []*history.Event
	// Headless reports that there are rows of events and no sentinel, which guards
	// them: what a purge has not got to, and otherwise damage (see
	// [history.NoSentinel]). Fence and Events are empty then.
	Headless bool
}

// Rewind takes failures out of a history.
type Rewind struct {
	InstanceID string
	Fence      Fence
	// Nonce belongs to the rewind as that of a Commit does.
	Nonce string
	Time  time.Time
	Marks []Mark
}

// Mark is a change of one history row. The row keeps its other columns. What
// Fence.Spilled named is no longer spilled after a rewind: results that came
// after the end were dropped, so outstanding work is sent again.
type Mark struct {
	// Event is the position in History.Events as loaded from row 0.
	Event int
	// Generic makes the row's EventType GenericEvent.
	Generic bool
	// Reason is written in both cases: "Rewound: TaskFailed".
	Reason string
}

// Check finds marks that are outside of the history. Stores call it.
func (r *Rewind) Check() error {
	if r.Fence.ETag == "" {
		return fmt.Errorf("%w: there is no history", ErrGone)
	}
	rows := r.Fence.NextRow - r.Fence.FirstRow
	for _, m := range r.Marks {
		if m.Event < 0 || uint64(m.Event) >= rows {
			return fmt.Errorf("event %d is none of the %d of the history", m.Event, rows)
		}
	}
	return nil
}
