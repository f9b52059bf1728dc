package entity

import (
	"context"
	"log/slog"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/arrival"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/journal"
	"github.com/durable-go/functions/internal/mail"
)

// Host is the process that an entity lives in.
type Host interface {
	// Wake puts an alarm into the mailbox of the entity.
	Wake(id string)
	// Answered takes an answer that was stored for a client of this process, so that it
	// need not read it.
	Answered(id, telling string, answer history.Payload)
	// RowChanged tells who waits for it that the instance row has changed.
	RowChanged(id string)
	// RunBatch runs operations in a slot.
	RunBatch(ctx context.Context, run func()) error
	// RunOperation runs one operation, known to the journal. An error says that the
	// operation must not run: a journal.Elsewhere that another process runs it, any
	// other, while ctx lives, why it failed.
	RunOperation(ctx context.Context, c journal.Code, deliveries int, run func()) error
}

// Env is what all entities of a process share. Its fields do not change.
type Env struct {
	*mail.Sender
	Host Host
	Log  *slog.Logger
	// Observer is told of the operations that commits have stored; nil: nothing is.
	Observer observe.Observer
	Journal  journal.Journal
	// Numbers are those of the messages of other clients.
	Numbers *arrival.Numbers
	// Entities finds the code of an entity by its lower-case name. Its error is the text
	// with which the call of an unknown entity fails.
	Entities   func(name string) (*Code, error)
	MaxPayload int
	// NewID makes a random id of 32 hex digits.
	NewID func() string
	// Dropped counts signals that were dropped: of unknown entities and operations.
	Dropped func(id string)
}

const (
	// pause is the least time between two looks while only signals come, so that each
	// look finds many; linger is how long wake-ups stay after a look that came soon
	// after the last one.
	pause  = 100 * time.Millisecond
	linger = 150 * time.Millisecond
	// ownerCheck is how long a lock is held before an entity for which others wait looks
	// whether its owner still runs, and how often it looks again.
	ownerCheck = 30 * time.Second
	// showEvery is how far the row may be behind an entity that goes on.
	showEvery = time.Second
	// batchTime ends a batch whose operations take long, so that what was done is stored.
	batchTime = 500 * time.Millisecond
	// suspectDeliveries is from when on a wake-up brings one operation after the other
	// to storage: one of them may have ended the process before, and the others shall
	// not be there when it does so again.
	suspectDeliveries = 3
	// maxTries is how often a pass goes on after another process was faster.
	maxTries = 5
)

// Bounds of one commit: with the row of the new state, that of the old one and the
// sentinel a transaction has at most 100 operations.
const (
	maxOperations = 95
	maxAnswers    = 1 << 20 // bytes
)
