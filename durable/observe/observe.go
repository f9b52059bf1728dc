// Package observe is what an app tells of its work to code that makes traces and
// metrics of it. Package durableotel, a module of its own, does that with OpenTelemetry; an
// app that does not ask for it links nothing of it.
package observe

import (
	"context"
	"net/http"
	"time"
)

// Observer is told of what an app does: see App.Observe of package durable. Its
// methods are called concurrently, while work waits, so they must be fast, and they
// must not call back.
type Observer interface {
	// Begin is called before something begins that this process does. The context that
	// it returns is for the code that runs, and end, which is never nil, is called once
	// when that is over, after the outcome was set in s. A span whose ID is drawn is
	// written by Ended, perhaps by another process: Begin gives its context only, and
	// end does nothing.
	//
	// Begin sets s.Own where others are to continue the trace.
	Begin(ctx context.Context, s *Span) (_ context.Context, end func())
	// Ended is called with what a commit has ended, once it is stored and by the process
	// that stored it: nothing is told twice, in no replay and after no crash. What was
	// stored by a process that died before it called Ended is not told at all.
	Ended(spans []*Span)
	// Root is the trace context of an orchestration that came without one. Its span has
	// the ID of s. The same orchestration must get the same one. A zero Trace means that
	// it is not traced.
	Root(s *Span) Trace
	// Handler puts what the Observer needs around the HTTP function of a name.
	Handler(function string, h http.Handler) http.Handler
	// Request is called after each try of a request to the storage account. status is
	// the HTTP status, 0 where no answer came.
	Request(service, operation string, status int, took time.Duration)
	// Measure is called with each measurement of what happens.
	Measure(m Measurement)
	// Watch is called when the process begins to work on a task hub, with what can be
	// read of it from then on until stop, which is never nil, was called.
	Watch(g Gauges) (stop func())
	// Flush sends what is not sent yet. It is called when the app stops, with what is
	// left of the time for that.
	Flush(ctx context.Context) error
}

// Kind is what a span is about. The texts are those of the attribute durabletask.type.
type Kind string

// Kinds of spans.
const (
	Orchestration Kind = "orchestration"
	Activity      Kind = "activity"
	Timer         Kind = "timer"
	Event         Kind = "event"
	Entity        Kind = "entity"
	// Step is a Step of an orchestrator, Trigger the run of a trigger function. The
	// official extension has no spans of them.
	Step    Kind = "step"
	Trigger Kind = "trigger"
)

// Role is the side of an operation that a span shows.
type Role int

// Roles of spans.
const (
	// Serves: the operation itself.
	Serves Role = iota
	// Calls: the wait of the caller.
	Calls
	// Sends: the request of a sender that does not wait.
	Sends
	// Handles: an operation of an entity whose sender does not wait.
	Handles
	// Begins is no span: an orchestration has begun, which is counted.
	Begins
)

// NoTask is the TaskID of what is no action of an orchestration.
const NoTask int32 = -1

// Span is something that an app did. Only the fields that its Kind and Role need are
// set.
type Span struct {
	Kind Kind
	Role Role
	// Name is that of the orchestrator, activity, event, entity, Step or trigger
	// function; the orchestrator's for timers.
	Name, Version string
	// Operation of an entity.
	Operation string
	// InstanceID and ExecutionID are the orchestration or entity that does it, or is
	// started; TargetID is the instance that an event, or a request to an entity, is for.
	InstanceID, ExecutionID, TargetID string
	// TaskID numbers the actions of an orchestration.
	TaskID int32
	// Attempt counts the runs of an activity under a retry policy, from 1.
	Attempt int
	// Trace is the context of the parent; Own that of the span itself, for those that
	// continue the trace.
	Trace, Own Trace
	// ID is the span's id, 16 hex digits, where it was drawn beforehand: derived from
	// the execution and the action, so that each process knows it.
	ID string
	// Start and End are UTC. Asked is when it was asked for: what lies between Asked and
	// Start was spent waiting.
	Start, End, Asked time.Time
	// FireAt is when a timer was due.
	FireAt time.Time
	// Scheduled is when a signal to an entity was to run; zero: at once.
	Scheduled time.Time
	// Status is the runtime status with which an orchestration has ended.
	Status string
	// Failure is how it failed; nil where it did not.
	Failure *Failure
	// Links are the contexts in which events were sent that an orchestration took in.
	Links []Trace
	// Events is the length of the history of an orchestration that has ended, Bytes that
	// of the payloads in it: inputs as far as the history has them, results, failures.
	Events, Bytes int
}

// Failure is how something failed.
type Failure struct{ Type, Message, Stack string }
