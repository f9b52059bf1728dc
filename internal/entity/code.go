package entity

import (
	"context"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// Code is an entity as the app has registered it.
type Code struct {
	// Run runs an operation. It never panics, and runs no two at the same time for one
	// entity.
	Run func(ctx context.Context, op *Operation) *Outcome
	// MaxState is the largest state in bytes, MaxBatch the most operations that one
	// commit takes in; 0: the defaults. Timeout bounds an operation; 0: nothing does.
	MaxState, MaxBatch int
	Timeout            time.Duration
}

// Operation is one operation as its implementation sees it.
type Operation struct {
	Entity history.EntityID
	Name   string
	Input  history.Payload
	// Request is the id of the request: the same whenever the operation is run again.
	Request string
	// Caller is the orchestration that calls or signals; empty for clients and entities.
	Caller string
	// State is nil when the entity does not exist. Decoded is what the last operation
	// has left as Outcome.Decoded, if State is what that left; nil otherwise.
	State   history.Payload
	Decoded any
	// Now is the clock of the operation.
	Now time.Time
}

// Outcome is what an operation did.
type Outcome struct {
	Result  history.Payload
	Failure *history.FailureDetails
	// State is the new state, nil where the entity is deleted.
	State   history.Payload
	Decoded any
	Signals []Signal
	Starts  []Start
}

// Signal is an operation of another entity that is asked for one way.
type Signal struct {
	Entity    history.EntityID
	Operation string
	Input     history.Payload
	// Due is when it may run; zero: at once.
	Due time.Time
}

// Start is the start of an orchestration.
type Start struct {
	Name, Version, InstanceID string
	Input                     history.Payload
	Tags                      map[string]string
	At                        time.Time
}
