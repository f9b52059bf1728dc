// Package program is an interpreter for small programs that are given as JSON,
// as an orchestrator and its activities: ordinary user code, with which random
// programs are played on this engine and on the official one.
package program

import (
	"context"
	"encoding/json"

	"github.com/durable-go/functions/durable"
)

// Value is any JSON value, passed on as it is.
type Value = json.RawMessage

// Input is what the orchestrator Program is started with.
type Input struct {
	Steps []Step `json:"steps"`
	// Results come before those of the steps in the output.
	Results []Value `json:"results,omitempty"`
}

// Step is one thing that a program does. Do names it, and with it the fields
// that count; each step adds what it gives to the results.
type Step struct {
	Do string `json:"do"`
	// Quiet adds nothing to the results.
	Quiet bool `json:"quiet,omitempty"`

	// Steps, Catch and Of are what a step is made of.
	Steps []Step   `json:"steps,omitempty"`
	Catch []Step   `json:"catch,omitempty"`
	Of    [][]Step `json:"of,omitempty"`
	// N is how often a repeat or a loop runs its steps.
	N int `json:"n,omitempty"`

	// Activity and Input are those of a call. Name is the orchestrator of a
	// child, Program where it is empty; ID is added to the own instance id.
	Activity string `json:"activity,omitempty"`
	Input    Value  `json:"input,omitempty"`
	Name     string `json:"name,omitempty"`
	ID       string `json:"id,omitempty"`
	// Attempts, where not 0, is a retry policy of a call or a child.
	Attempts    int     `json:"attempts,omitempty"`
	FirstMS     int     `json:"firstMs,omitempty"`
	Coefficient float64 `json:"coefficient,omitempty"`

	// MS is the time of a timer.
	MS int `json:"ms,omitempty"`
	// Event is waited for, for TimeoutMS where that is given, or sent to To.
	Event     string `json:"event,omitempty"`
	TimeoutMS *int   `json:"timeoutMs,omitempty"`
	To        string `json:"to,omitempty"`
	Data      Value  `json:"data,omitempty"`

	// Entity, Op and Input are those of an ask or a signal, AfterMS the delay of a
	// signal; Entities are those that a lock holds while it runs its Steps.
	Entity   string   `json:"entity,omitempty"`
	Op       string   `json:"op,omitempty"`
	AfterMS  int      `json:"afterMs,omitempty"`
	Entities []string `json:"entities,omitempty"`

	Message string `json:"message,omitempty"`
	Value   Value  `json:"value,omitempty"`
	// Keep is whether a continue keeps the results so far, PreserveEvents whether
	// it keeps events that nothing has waited for. nil: yes.
	Keep           *bool `json:"keep,omitempty"`
	PreserveEvents *bool `json:"preserveEvents,omitempty"`
}

// Functions are the orchestrator, its activities and the entity Cell, for durable.App.Register.
func Functions() []durable.Registration { return FunctionsWith(new(tries).run) }

// FunctionsWith are the [Functions] with another implementation of [FailTimes]: one that
// counts calls where this process is not the only one, or ends.
func FunctionsWith(failTimes func(context.Context, Failures) (Value, error)) []durable.Registration {
	return []durable.Registration{Program.Implement(run), Give, Hello, Fail, FailTimes.Implement(failTimes), Slow, Cell}
}
