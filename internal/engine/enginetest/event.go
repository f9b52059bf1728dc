package enginetest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

// event reads an event:
//
//	start [INPUT]                     of the orchestrator O
//	begin [name=N] [version=V] [parent=ID] [tag=K:V] [input=I]
//	done ID [RESULT] / failed ID TEXT / final ID TEXT / failed-as ID TYPE TEXT
//	fired ID
//	child-done ID [RESULT] / child-failed ID TEXT
//	raise NAME [DATA]
//	suspend / resume / terminate [REASON]
func (p *Player) event(line string) *history.Event {
	verb, rest, _ := strings.Cut(line, " ")
	first, text, _ := strings.Cut(rest, " ")
	e := &history.Event{ID: history.NoID, Timestamp: p.now}
	if id, err := strconv.Atoi(first); err == nil {
		e.TaskID = int32(id)
	}
	switch verb {
	case "start":
		p.start(e, []string{"input=" + rest})
	case "begin":
		p.start(e, strings.Fields(rest))
	case "done":
		e.Type, e.Result = history.TaskCompleted, result(text)
	case "failed", "final", "failed-as":
		e.Type, e.Failure = history.TaskFailed, &history.FailureDetails{ErrorType: "error", ErrorMessage: text, NonRetriable: verb == "final"}
		if verb == "failed-as" {
			e.Failure.ErrorType, e.Failure.ErrorMessage, _ = strings.Cut(text, " ")
		}
	case "fired":
		e.Type = history.TimerFired
	case "child-done":
		e.Type, e.Result = history.SubOrchestrationInstanceCompleted, result(text)
	case "child-failed":
		e.Type, e.Failure = history.SubOrchestrationInstanceFailed, &history.FailureDetails{ErrorType: "error", ErrorMessage: text}
	case "raise":
		e.Type, e.Name, e.Input = history.EventRaised, first, history.Payload(text)
	default:
		p.control(e, verb, rest)
	}
	return e
}

// result is what a call has come to; without a text it has no result.
func result(text string) history.Payload {
	if text == "" {
		return nil
	}
	return history.Payload(text)
}

// start fills in a start.
func (p *Player) start(e *history.Event, words []string) {
	e.Type, e.Name = history.ExecutionStarted, "O"
	e.Instance = history.InstanceRef{InstanceID: "i1", ExecutionID: "e1"}
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "name":
			e.Name = value
		case "version":
			e.Version = value
		case "input":
			e.Input = history.Payload(value)
		case "parent":
			e.Parent = &history.Parent{Name: "P", Instance: history.InstanceRef{InstanceID: value}}
		case "tag":
			k, v, _ := strings.Cut(value, ":")
			e.Tags = map[string]string{k: v}
		default:
			p.t.Fatalf("no option %s of a start", key)
		}
	}
}

func (p *Player) control(e *history.Event, verb, reason string) {
	switch verb {
	case "suspend":
		e.Type = history.ExecutionSuspended
	case "resume":
		e.Type = history.ExecutionResumed
	case "terminate":
		e.Type, e.Input = history.ExecutionTerminated, history.Payload(reason)
	default:
		p.t.Fatalf("no event %s", verb)
	}
}

// State is how an instance stands: what it waits for, and what of its one-way
// actions is not settled.
func State(i *engine.Instance) string {
	status := "Running"
	if i.Suspended() {
		status = "Suspended"
	}
	if i.Outcome() != nil {
		return "-> " + i.Outcome().Status.String()
	}
	var open []string
	for _, e := range i.Outstanding() {
		kind := e.Type.String()
		if i.Step(e.ID) != nil {
			kind = "Step"
		}
		open = append(open, fmt.Sprintf("%d:%s(%s)", e.ID, kind, e.Input))
	}
	out := "-> " + status + " [" + strings.Join(open, " ") + "]"
	for _, e := range i.OneWay() {
		out += fmt.Sprintf(" sends %d", e.ID)
	}
	return out
}

// places are those that messages of panics name: another line with every change
// of a test.
var places = regexp.MustCompile(` \([\w/]+\.go:\d+\)`)

// Describe is an event on a line, with times from an epoch on; nothing for the
// frame of a turn.
func Describe(e *history.Event, epoch time.Time) string {
	at := func(t time.Time) string { return "+" + t.Sub(epoch).String() }
	switch e.Type {
	case history.OrchestratorStarted, history.OrchestratorCompleted:
		return ""
	case history.TaskScheduled:
		return trimmed("%d TaskScheduled %s %s %s%s", e.ID, e.Name, e.Input, e.Own.Options, extras(e))
	case history.TimerCreated:
		return fmt.Sprintf("%d TimerCreated %s", e.ID, at(e.FireAt))
	case history.SubOrchestrationInstanceCreated:
		detached := ""
		if history.IsDetached(e) {
			detached = " detached"
		}
		return fmt.Sprintf("%d SubOrchestrationInstanceCreated %s %s id %s%s%s", e.ID, e.Name, e.Input, e.InstanceID, detached, extras(e))
	case history.EventSent:
		return fmt.Sprintf("%d EventSent %s to %s: %s", e.ID, e.Name, e.InstanceID, e.Input)
	case history.ExecutionCompleted, history.ContinueAsNew:
		return fmt.Sprintf("%d %s %s: %s%s", e.ID, e.Type, e.Status, places.ReplaceAllString(string(e.Result), ""), kind(e.Failure))
	case history.ExecutionStarted:
		return trimmed("ExecutionStarted %s %s %s%s", e.Name, e.Instance.ExecutionID, e.Input, extras(e))
	case history.EventRaised:
		return fmt.Sprintf("EventRaised %s %s", e.Name, e.Input)
	case history.TaskFailed, history.SubOrchestrationInstanceFailed:
		return fmt.Sprintf("%s %d %s%s", e.Type, e.TaskID, e.Failure.ErrorMessage, kind(e.Failure))
	case history.TaskCompleted, history.SubOrchestrationInstanceCompleted, history.TimerFired:
		return trimmed("%s %d %s", e.Type, e.TaskID, e.Result)
	default:
		return trimmed("%s %s", e.Type, e.Input)
	}
}

func trimmed(format string, args ...any) string {
	return strings.TrimRight(fmt.Sprintf(format, args...), " ")
}

// extras are the version and the tags of a call.
func extras(e *history.Event) (out string) {
	if e.Version != "" {
		out = " version " + e.Version
	}
	for _, name := range slices.Sorted(maps.Keys(e.Tags)) {
		if name != "FireAndForget" {
			out += " tag " + name + "=" + e.Tags[name]
		}
	}
	return out
}

// kind is what details say of a failure beside its text.
func kind(f *history.FailureDetails) (out string) {
	if f == nil {
		return ""
	}
	if f.ErrorType != "error" {
		out = " (" + f.ErrorType + ")"
	}
	if f.NonRetriable {
		out += " final"
	}
	return out
}
