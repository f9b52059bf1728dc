package orchestration

import (
	"context"
	"log/slog"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/arrival"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/journal"
	"github.com/durable-go/functions/internal/mail"
)

// Host is the process that an orchestration lives in.
type Host interface {
	// Post puts items into the mailbox of an orchestration.
	Post(id string, items ...Item)
	// RowChanged tells who waits for it that the instance row has changed.
	RowChanged(id string)
	// RunCode runs code of an orchestrator: in a slot, known to the journal and
	// watched. A *Blame means that the code must not run, a journal.Elsewhere that
	// another process runs it; every other error is that of run or of ctx.
	RunCode(ctx context.Context, c journal.Code, deliveries int, eng *engine.Instance, run func() error) error
	// CloseCode ends the code of an orchestration.
	CloseCode(eng *engine.Instance)
}

// Blame means that code ended the process before and must not run.
type Blame struct{ Cause error }

func (b *Blame) Error() string { return b.Cause.Error() }

// Unwrap is the evidence.
func (b *Blame) Unwrap() error { return b.Cause }

// Env is what all orchestrations of a process share. Its fields do not change once
// an instance was made.
type Env struct {
	*mail.Sender
	Pool *activity.Pool
	Host Host
	Log  *slog.Logger
	// Observer is told of what commits have ended; nil: nothing is.
	Observer observe.Observer
	// Parkings keeps what is parked; nil where nothing observes.
	Parkings *Parkings

	// Programs finds the code of an orchestrator. Its error is the text with which
	// an instance of an unknown orchestrator fails.
	Programs func(name, version string) (engine.Program, error)
	// WorkItems names the queue of an activity.
	WorkItems func(activity string) string
	// Patience is how long a start waits for a slot here before other processes
	// may have it.
	Patience time.Duration
	// FirstTurn is how long the first turn may stay uncommitted while its first
	// activity runs.
	FirstTurn time.Duration
	// Budget bounds how long an orchestration that no host invocation carries is
	// worked on here before its work goes through the queues. 0: no bound.
	Budget     time.Duration
	MaxActions int
	MaxPayload int
	// MaxWaiting is how many events that the code does not wait for an instance may
	// have before clients raise no others.
	MaxWaiting int
	// FailNonDeterministic fails an instance whose code no longer fits its history;
	// otherwise it is parked.
	FailNonDeterministic bool
	// Strict compares the inputs of calls and the times of timers with those of the
	// history, too. Places notes where the code asks for its actions.
	Strict, Places bool
	// LogEnds logs the end of every orchestration, not of those alone that fail.
	LogEnds bool
	Journal journal.Journal
	// Numbers are those of the messages of other clients.
	Numbers *arrival.Numbers
	// NewID makes a random id of 32 hex digits.
	NewID func() string
}

func (v *Env) fits(p history.Payload) error { return activity.Fits(p, v.MaxPayload) }
