package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/entity"
	"github.com/durable-go/functions/internal/executor"
	"github.com/durable-go/functions/internal/journal"
	"github.com/durable-go/functions/internal/taskhub"
)

// Options configure a Worker. Store, Programs, Activities, Control and
// WorkItems are required; the zero value of every other field means its
// default.
type Options struct {
	Store taskhub.Store
	// Programs finds the code of an orchestrator. Its error is the text with
	// which an instance of an unknown orchestrator fails.
	Programs func(name, version string) (engine.Program, error)
	// Activities finds an activity. Its error is the text with which the call
	// of an unknown activity fails.
	Activities func(name string) (activity.Func, error)

	// Entities finds an entity by its lower-case name. Its error is the text with which
	// the call of an unknown entity fails. nil: there are none.
	Entities func(name string) (*entity.Code, error)
	// SignalDropped is called when a signal to the entity of an unknown name or
	// operation was dropped. nil: nothing is.
	SignalDropped func(id string)

	// Limit bounds how many runs of an activity there are here at the same time;
	// 0: only ActivitySlots does. nil: no activity has a bound of its own.
	Limit func(activity string) int

	// Control is the queue on which messages to orchestrations are sent, but for
	// orchestrators for which ControlOf names another one.
	Control string
	// ControlOf names the queue of an orchestrator. nil: Control for all.
	ControlOf func(orchestrator string) string
	// WorkItems names the queue of an activity.
	WorkItems func(activity string) string

	// Dispatch says where work runs that this process could run itself.
	Dispatch Dispatch
	// Lease is how long a message stays hidden without renewal; a worker that
	// dies is replaced after that time. Default 30 s, at least 1 s. Leases are
	// renewed at half time.
	Lease time.Duration
	// OrchestratorSlots bounds the turns that run at the same time, default ten a
	// core; ActivitySlots the activities, default DefaultActivitySlots.
	OrchestratorSlots int
	ActivitySlots     int
	// Patience is how long an activity, or a start, waits for a slot here
	// before what is behind it is offered to other processes. Default 200 ms.
	Patience time.Duration
	// FirstTurn is how long the first turn may stay uncommitted while its first
	// activity runs. Default 50 ms.
	FirstTurn time.Duration
	// Budget bounds how long an orchestration that no host invocation carries
	// is worked on here before its work goes through the queues: the plan ends
	// processes that look idle, and adds them by the length of the queues. 0: no
	// bound.
	Budget time.Duration
	// Cache is how many idle orchestrations stay in memory; a negative number is
	// none. Default 1,000.
	Cache int
	// Keep is asked whether an idle orchestration whose history has so many
	// events may stay in memory. It must not call the worker. nil: each may.
	Keep func(id string, events int) bool
	// MaxActions ends an orchestration that asks for more. Default
	// DefaultMaxActions.
	MaxActions int
	// MaxPayload is the largest input, result or event, in bytes. Default
	// taskhub.MaxPayload.
	MaxPayload int
	// MaxWaiting is how many events that its code does not wait for an instance may
	// have before clients raise no others. Default taskhub.MaxWaiting.
	MaxWaiting int
	// LogEnds logs the end of every orchestration, not of those alone that fail.
	LogEnds bool
	// FailNonDeterministic fails an instance whose code no longer fits its
	// history; otherwise it is parked until code comes that fits.
	FailNonDeterministic bool
	// Strict compares the inputs of calls and the times of timers with those of
	// the history, too.
	Strict bool
	// Places notes where the code asks for its actions, for the text of an
	// instance that is parked. It takes time.
	Places bool

	// Poison puts the text of a message that cannot be decoded where people find it,
	// after PoisonAfter deliveries (default 5). nil: such a message is put off again and
	// again.
	Poison      func(ctx context.Context, queue, body string) error
	PoisonAfter int

	// Reported reports whether an error of the store is told by the store itself, so
	// that the worker does not. nil: none is.
	Reported func(error) bool

	// Observer is told of what the worker does; nil: nothing is.
	Observer observe.Observer
	// Queues are those that the observer may read, Gauge how: default the Store, where it
	// can.
	Queues []string
	Gauge  taskhub.Gauge

	Journal journal.Journal
	Clock   executor.Clock
	Log     *slog.Logger
	// NewID makes a random id of 32 hex digits. Default taskhub.NewID.
	NewID func() string
}

// DefaultMaxActions is how many actions an orchestration may ask for where no
// setting says otherwise.
const DefaultMaxActions = 100_000

// DefaultActivitySlots is how many activities run at the same time where no setting
// says otherwise. Most of them wait for a network, which costs a goroutine and no
// core.
const DefaultActivitySlots = 100

// Dispatch is where turns and activities run.
type Dispatch int

const (
	// Local runs the next step in the process that holds the lease, as long as
	// it has room.
	Local Dispatch = iota
	// Queue sends every step through the queues, so that each is an invocation
	// of its own.
	Queue
)

func (o *Options) setDefaults() error {
	if o.Store == nil || o.Programs == nil || o.Activities == nil || o.Control == "" || o.WorkItems == nil {
		return errors.New("worker: Store, Programs, Activities, Control and WorkItems are required")
	}
	defaultTo(&o.Lease, 30*time.Second)
	defaultTo(&o.OrchestratorSlots, 10*runtime.GOMAXPROCS(0))
	defaultTo(&o.ActivitySlots, DefaultActivitySlots)
	defaultTo(&o.Patience, 200*time.Millisecond)
	defaultTo(&o.FirstTurn, 50*time.Millisecond)
	defaultTo(&o.Cache, 1000)
	defaultTo(&o.MaxActions, DefaultMaxActions)
	defaultTo(&o.MaxPayload, taskhub.MaxPayload)
	defaultTo(&o.PoisonAfter, 5)
	defaultTo(&o.MaxWaiting, taskhub.MaxWaiting)
	if o.Lease < time.Second {
		return errors.New("worker: a lease is at least one second")
	}
	if o.Entities == nil {
		o.Entities = func(name string) (*entity.Code, error) { return nil, fmt.Errorf("there is no entity %q here", name) }
	}
	if o.ControlOf == nil {
		o.ControlOf = func(string) string { return o.Control }
	}
	if o.Journal == nil {
		o.Journal = journal.None
	}
	if o.Clock == nil {
		o.Clock = executor.SystemClock{}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.NewID == nil {
		o.NewID = taskhub.NewID
	}
	return nil
}

func defaultTo[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
