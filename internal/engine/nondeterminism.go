package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc64"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// NonDeterminismError means that orchestrator code does not do what it did when
// the history was made: it was changed while the instance was running, or it
// depends on something that a replay does not repeat.
type NonDeterminismError struct {
	InstanceID   string
	Orchestrator string
	// Position is the id of the action at which code and history part.
	Position int32
	// Expected is the recorded action, Actual what the code asked for; either
	// may be absent ("nothing").
	Expected string
	Actual   string
	// Place is where the code asks for it, as file:line; empty where that was not
	// noted, and where the engine asks by itself.
	Place string
}

// ChangeHint ends the text of a NonDeterminismError: it says what to do about a
// change of the code.
const ChangeHint = "Was a change made to the orchestrator code after this instance had already started running? " +
	"Deploy code that asks for the same (or guard the change with a version or a patch), or terminate the instance, then restart or purge it."

// Error says what differs and what to do about it.
func (e *NonDeterminismError) Error() string {
	place := ""
	if e.Place != "" {
		place = " (" + e.Place + ")"
	}
	return fmt.Sprintf("Non-Deterministic workflow detected: orchestrator '%s', action %d: the history has %s, the code now asks for %s%s. ",
		e.Orchestrator, e.Position, e.Expected, e.Actual, place) + ChangeHint
}

func (i *Instance) differs(recorded, asked *history.Event) error {
	err := &NonDeterminismError{InstanceID: i.options.InstanceID, Expected: describe(recorded), Actual: describe(asked)}
	if err.Expected == err.Actual {
		switch recorded.Type {
		case history.TimerCreated:
			err.Expected += " for " + timeOf(recorded)
			err.Actual += " for " + timeOf(asked)
		default:
			err.Actual += " with another input"
		}
	}
	if asked != nil && i.rt.places != nil {
		err.Place = i.rt.places.of[asked.ID].String()
	}
	if i.started != nil {
		err.Orchestrator = i.started.Name
	}
	if recorded != nil {
		err.Position = recorded.ID
	} else {
		err.Position = asked.ID
	}
	return err
}

// tick is the unit of recorded times.
const tick = 100 * time.Nanosecond

func timeOf(timer *history.Event) string {
	return timer.FireAt.UTC().Truncate(tick).Format(time.RFC3339Nano)
}

// sameTime reports whether a timer is for the recorded time. After a failure that
// was rewound the code asks for its timers at other times.
func (i *Instance) sameTime(recorded, asked *history.Event) bool {
	return !i.options.Strict || i.loading.loose || recorded.FireAt.IsZero() ||
		recorded.FireAt.Truncate(tick).Equal(asked.FireAt.Truncate(tick))
}

// same reports whether an action of the code is the recorded one. Names are
// compared without case, as the official engine does; inputs and the times of
// timers only where that is wanted.
func (i *Instance) same(recorded, asked *history.Event) bool {
	if recorded.Type != asked.Type || recorded.ID != asked.ID {
		return false
	}
	if i.options.Strict && !sameInput(recorded.Own.InputHash, asked) {
		return false
	}
	switch recorded.Type {
	case history.TaskScheduled, history.SubOrchestrationInstanceCreated, history.EventSent:
		if recorded.Type == history.EventSent && !sameEntity(recorded, asked) {
			return false
		}
		return strings.EqualFold(recorded.Name, asked.Name)
	case history.TimerCreated:
		return i.sameTime(recorded, asked)
	}
	return true
}

// sameInput compares the recorded hash of an input, 0 where there is none. That
// of an earlier engine is of JSON without spaces and with escapes for HTML.
func sameInput(recorded uint64, asked *history.Event) bool {
	if recorded == 0 || recorded == asked.Own.InputHash {
		return true
	}
	var compact, escaped bytes.Buffer
	if json.Compact(&compact, asked.Input) != nil {
		return false
	}
	json.HTMLEscape(&escaped, compact.Bytes())
	return recorded == hashOf(escaped.Bytes())
}

// Describe says what an action is, as a NonDeterminismError does; nil is
// "nothing".
func Describe(e *history.Event) string { return describe(e) }

func describe(e *history.Event) string {
	if e == nil {
		return "nothing"
	}
	switch e.Type {
	case history.TaskScheduled:
		if name, builtIn := strings.CutPrefix(e.Name, "BuiltIn::"); builtIn {
			return fmt.Sprintf("the value of '%s'", name)
		}
		return fmt.Sprintf("activity '%s'", e.Name)
	case history.SubOrchestrationInstanceCreated:
		return fmt.Sprintf("sub-orchestration '%s'", e.Name)
	case history.TimerCreated:
		return "a timer"
	case history.EventSent:
		if history.IsEntity(e.InstanceID) {
			return describeEntity(e)
		}
		return fmt.Sprintf("event '%s' to instance '%s'", e.Name, e.InstanceID)
	case history.ContinueAsNew:
		return "a continuation as new"
	case history.TaskCompleted:
		return fmt.Sprintf("the value of action %d", e.TaskID)
	default:
		return "the end of the orchestration"
	}
}

var hashTable = crc64.MakeTable(crc64.ECMA)

// hashOf is what an action remembers of its input, never 0.
func hashOf(p history.Payload) uint64 {
	return crc64.Checksum(p, hashTable) | 1
}
