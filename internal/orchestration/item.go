package orchestration

import (
	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/lease"
	"github.com/durable-go/functions/internal/taskhub"
)

// Item is one thing that an orchestration has to look at: a [*Message], a [*Result],
// an [*Overflow], a [Poke], or one of its own.
type Item interface{ item() }

// Message is a message to the orchestration, with the lease on it.
type Message struct {
	taskhub.Delivery
	Lease *lease.Lease
	// Row is the instance row that this process has just inserted with the start
	// message; nil for all other messages.
	Row *taskhub.Instance
}

// Result is the end of an activity that ran in this process.
type Result struct {
	Call *activity.Call
	// Event is nil when the run was given up.
	Event *history.Event
	// Carrier is the work item that asked for the run; nil when the orchestration
	// itself did.
	Carrier *lease.Lease
	// work is the id that a work item for the run has, or would have. A rewind gives
	// the call another one.
	work string
	// settled means that the result is history. A pass may look at its batch again
	// after that, over a history that a rewind has made ask for the call anew.
	settled bool
}

// Overflow are activities that this process will not begin soon.
type Overflow struct{ Runs []*activity.Run }

// Poke is a reason to look at the inbox: something was told, and this process held
// a wake-up.
type Poke struct{}

// local is an event that the orchestration has made itself, for one execution.
type local struct {
	event     *history.Event
	execution string
	counted   bool
	settled   bool // as that of a Result
}

// alarm means that the orchestration has waited for a while.
type alarm struct{}

func (*Message) item()  {}
func (*Result) item()   {}
func (*Overflow) item() {}
func (Poke) item()      {}
func (*local) item()    {}
func (alarm) item()     {}

// Wakes reports whether an item is worth bringing an orchestration into memory
// for, rather than only of interest to one that is there.
func Wakes(i Item) bool {
	switch i.(type) {
	case alarm, Poke:
		return false
	}
	return true
}

// kind sorts what messages mean to an instance.
type kind int

const (
	// starts: ExecutionStarted.
	starts kind = iota
	// answers: the result of an activity, a timer, a child or an entity, for the
	// execution that asked.
	answers
	// tells: an external event, suspend, resume or terminate that came as a message,
	// from a client of another make. It belongs into the inbox first.
	tells
	// looks: a wake-up. What it asks to look at is in the inbox or the history.
	looks
)

func kindOf(e *history.Event) kind {
	switch {
	case e.Type == history.ExecutionStarted:
		return starts
	case history.IsAnswer(e):
		return answers
	}
	switch e.Type {
	case history.EventRaised, history.ExecutionSuspended, history.ExecutionResumed, history.ExecutionTerminated:
		return tells
	case history.GenericEvent, history.ExecutionRewound:
		return looks
	}
	return answers
}
