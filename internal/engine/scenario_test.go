package engine_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

var rewrite = flag.Bool("rewrite", false, "write what came out into testdata/*.txt")

// TestScenarios plays testdata/*.txt. A file is a list of blocks: a command,
// the lines of its body, "----", and what must come out, up to an empty line.
//
//	program [strict]      a new orchestration; the body is its code (see script)
//	change [strict]       other code for it
//	branch NAME           the body is a branch of it
//	turn [DURATION]       a turn, later by that; the body has its events
//	replay                goes on with a new instance that replays the history
//	cut N                 replay of the first N events, as after a torn commit
//	rewind ID             takes the failure of an action out, as the tools do
//	next                  goes on with the execution that continues as new
//
// After each turn the history is replayed at every prefix.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := (&player{t: t, file: strings.TrimSuffix(filepath.Base(file), ".txt")}).play(string(raw))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(raw) {
				t.Errorf("the outcome differs (-rewrite accepts it):\n%s", firstDifference(string(raw), got))
			}
		})
	}
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\nwant %s\ngot  %s", i+1, a[i], b[i])
		}
	}
	return "one is longer"
}

// player plays a scenario.
type player struct {
	t         *testing.T
	file      string
	scenarios int
	script    *script
	strict    bool
	execution int
	now       time.Time
	live      *engine.Instance
	stored    []*history.Event
	// since is the length of the history when the code was changed.
	since int
}

func (p *player) play(text string) string {
	var out strings.Builder
	for _, block := range strings.Split(strings.TrimRight(text, "\n"), "\n\n") {
		lines := strings.Split(block, "\n")
		if strings.HasPrefix(lines[0], "#") {
			out.WriteString(block + "\n\n")
			continue
		}
		body := lines[1:]
		for i, line := range body {
			if line == "----" {
				body = body[:i]
				break
			}
		}
		out.WriteString(strings.Join(append([]string{lines[0]}, body...), "\n") + "\n----\n")
		out.WriteString(p.command(strings.Fields(lines[0]), body) + "\n")
	}
	p.recordGolden()
	p.live.Close()
	return strings.TrimRight(out.String(), "\n") + "\n"
}

func (p *player) command(words, body []string) string {
	switch words[0] {
	case "program", "change":
		if words[0] == "program" {
			p.recordGolden()
		}
		p.strict = len(words) > 1
		p.script = &script{main: body, branches: map[string][]string{}}
		p.since = len(p.stored)
		if words[0] == "program" {
			p.since, p.now, p.stored, p.execution = 0, epoch, nil, 1
			if p.live != nil {
				p.live.Close()
			}
			p.live = p.instance()
		}
		return ""
	case "branch":
		p.script.branches[words[1]] = body
		return ""
	case "turn":
		if len(words) > 1 {
			p.now = p.now.Add(duration(words[1]))
		}
		return p.turn(body)
	case "replay":
		return p.replay(p.stored)
	case "cut":
		n, _ := strconv.Atoi(words[1])
		return p.replay(p.stored[:n])
	case "rewind":
		return p.rewind(words[1])
	case "next":
		return p.next()
	default:
		p.t.Fatalf("no command %s", words[0])
		return ""
	}
}

func (p *player) instance() *engine.Instance {
	return engine.New(engine.Options{InstanceID: "i1", Strict: p.strict, MaxActions: 1000, Program: func(string, string) (engine.Program, error) {
		return p.script.program, nil
	}})
}

func (p *player) turn(body []string) string {
	var events []*history.Event
	for _, line := range body {
		events = append(events, p.event(line))
	}
	return p.run(events)
}

func (p *player) run(events []*history.Event) string {
	turn, err := p.live.Turn(p.now, events)
	if err != nil {
		p.t.Fatal(err)
	}
	p.stored = append(p.stored, forStorage(turn.Events)...)
	var out strings.Builder
	for _, e := range turn.Events {
		if line := describe(e); line != "" {
			fmt.Fprintln(&out, line)
		}
	}
	if turn.CustomStatusChanged {
		fmt.Fprintf(&out, "custom status %s\n", turn.CustomStatus)
	}
	if turn.SideEffect {
		fmt.Fprintln(&out, "has a side effect")
	}
	fmt.Fprintln(&out, p.state(p.live))
	p.everyPrefix()
	return out.String()
}

// state is how the instance stands: what it waits for.
func (p *player) state(i *engine.Instance) string {
	status := "Running"
	if i.Suspended() {
		status = "Suspended"
	}
	if i.Outcome() != nil {
		return "-> " + i.Outcome().Status.String()
	}
	var open []string
	for _, e := range i.Outstanding() {
		open = append(open, fmt.Sprintf("%d:%s(%s)", e.ID, e.Type, e.Input))
	}
	return "-> " + status + " [" + strings.Join(open, " ") + "]"
}

// forStorage is what a store gives back: rows of calls have no input.
func forStorage(events []*history.Event) []*history.Event {
	var out []*history.Event
	for _, e := range events {
		stored := *e
		if e.Type == history.TaskScheduled || e.Type == history.SubOrchestrationInstanceCreated {
			stored.Input = nil
		}
		out = append(out, &stored)
	}
	return out
}

// everyPrefix replays the history as it was after each event: it fits the code
// at every place, and the whole gives the state of the live instance.
func (p *player) everyPrefix() {
	p.t.Helper()
	for n := 2; n <= len(p.stored); n++ {
		sides := p.script.sides
		i := p.instance()
		if err := i.Load(p.stored[:n]); err != nil {
			p.t.Errorf("replay of the first %d events: %v", n, err)
		}
		if n == len(p.stored) {
			if got, want := p.state(i), p.state(p.live); got != want {
				p.t.Errorf("a replay gives %s, the instance is %s", got, want)
			}
		} else if n >= p.since {
			p.sameTail(i, n)
		}
		i.Close()
		p.script.sides = sides
	}
}

// sameTail cuts a commit off within the actions of a turn: the replay asks for
// the rest again.
func (p *player) sameTail(i *engine.Instance, n int) {
	var want []string
	end := n
	for ; p.stored[end].Type != history.OrchestratorCompleted; end++ {
		e := p.stored[end]
		if e.ID == history.NoID && e.Type != history.TaskCompleted || e.Type == history.TaskScheduled && e.Name == "BuiltIn::SideEffect" {
			return
		}
		want = append(want, describe(e))
	}
	if end == n || p.stored[n].Type == history.TaskCompleted {
		return
	}
	turn, err := i.Turn(p.now, nil)
	if err != nil {
		p.t.Errorf("turn after the first %d events: %v", n, err)
		return
	}
	var got []string
	for _, e := range forStorage(turn.Events[:len(turn.Events)-1]) {
		got = append(got, describe(e))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		p.t.Errorf("after the first %d events a replay asks for %q, the code asked for %q", n, got, want)
	}
}

func (p *player) replay(events []*history.Event) string {
	p.live.Close()
	p.stored = events[:len(events):len(events)]
	p.live = p.instance()
	err := p.live.Load(events)
	var differs *engine.NonDeterminismError
	if errors.As(err, &differs) {
		return fmt.Sprintf("at %d: expected %s, actual %s\n", differs.Position, differs.Expected, differs.Actual)
	}
	if err != nil {
		return err.Error() + "\n"
	}
	out := p.state(p.live)
	if p.live.Unrecorded() {
		out += " and more to record"
	}
	return out + "\n"
}

// rewind changes the history as "func durable rewind" does.
func (p *player) rewind(id string) string {
	for n, e := range p.stored {
		failed := e.Type == history.TaskFailed && strconv.Itoa(int(e.TaskID)) == id
		scheduled := e.Type == history.TaskScheduled && strconv.Itoa(int(e.ID)) == id
		if failed || scheduled || e.Type == history.ExecutionCompleted {
			changed := *e
			changed.Type, changed.Reason = history.GenericEvent, history.Payload("Rewound: "+e.Type.String())
			p.stored[n] = &changed
		}
	}
	p.since = len(p.stored)
	return p.replay(p.stored)
}

func (p *player) next() string {
	next := p.live.Next()
	if next == nil {
		return "nothing\n"
	}
	p.live.Close()
	p.execution++
	p.live, p.stored = p.instance(), nil
	return p.run(next.Events("e"+strconv.Itoa(p.execution), p.now))
}

func (p *player) event(line string) *history.Event {
	verb, rest, _ := strings.Cut(line, " ")
	first, text, _ := strings.Cut(rest, " ")
	e := &history.Event{ID: history.NoID, Timestamp: p.now}
	if id, err := strconv.Atoi(first); err == nil {
		e.TaskID = int32(id)
	}
	payload := history.Payload(text)
	switch verb {
	case "start":
		e.Type, e.Name, e.Input = history.ExecutionStarted, "O", history.Payload(rest)
		e.Instance = history.InstanceRef{InstanceID: "i1", ExecutionID: "e1"}
	case "done":
		e.Type, e.Result = history.TaskCompleted, payload
	case "failed", "final":
		e.Type, e.Failure = history.TaskFailed, &history.FailureDetails{ErrorType: "error", ErrorMessage: text, NonRetriable: verb == "final"}
	case "fired":
		e.Type = history.TimerFired
	case "child-done":
		e.Type, e.Result = history.SubOrchestrationInstanceCompleted, payload
	case "child-failed":
		e.Type, e.Failure = history.SubOrchestrationInstanceFailed, &history.FailureDetails{ErrorType: "error", ErrorMessage: text}
	case "raise":
		e.Type, e.Name, e.Input = history.EventRaised, first, payload
	case "suspend":
		e.Type = history.ExecutionSuspended
	case "resume":
		e.Type = history.ExecutionResumed
	case "terminate":
		e.Type, e.Input = history.ExecutionTerminated, history.Payload(rest)
	default:
		p.t.Fatalf("no event %s", verb)
	}
	return e
}

// describe prints an event, but for the frame of the turn.
func describe(e *history.Event) string {
	at := func(t time.Time) string { return "+" + t.Sub(epoch).String() }
	switch e.Type {
	case history.OrchestratorStarted, history.OrchestratorCompleted:
		return ""
	case history.TaskScheduled:
		return strings.TrimRight(fmt.Sprintf("%d TaskScheduled %s %s %s", e.ID, e.Name, e.Input, e.Own.Options), " ")
	case history.TimerCreated:
		return fmt.Sprintf("%d TimerCreated %s", e.ID, at(e.FireAt))
	case history.SubOrchestrationInstanceCreated:
		detached := ""
		if engine.Detached(e) {
			detached = " detached"
		}
		return fmt.Sprintf("%d SubOrchestrationInstanceCreated %s %s id %s%s", e.ID, e.Name, e.Input, e.InstanceID, detached)
	case history.EventSent:
		return fmt.Sprintf("%d EventSent %s to %s: %s", e.ID, e.Name, e.InstanceID, e.Input)
	case history.ExecutionCompleted, history.ContinueAsNew:
		return fmt.Sprintf("%d %s %s: %s", e.ID, e.Type, e.Status, e.Result)
	case history.ExecutionStarted:
		return strings.TrimRight(fmt.Sprintf("ExecutionStarted %s %s %s", e.Name, e.Instance.ExecutionID, e.Input), " ")
	case history.EventRaised:
		return fmt.Sprintf("EventRaised %s %s", e.Name, e.Input)
	case history.TaskFailed, history.SubOrchestrationInstanceFailed:
		return fmt.Sprintf("%s %d %s", e.Type, e.TaskID, e.Failure.ErrorMessage)
	case history.TaskCompleted, history.SubOrchestrationInstanceCompleted, history.TimerFired:
		return strings.TrimRight(fmt.Sprintf("%s %d %s", e.Type, e.TaskID, e.Result), " ")
	default:
		return strings.TrimRight(fmt.Sprintf("%s %s", e.Type, e.Input), " ")
	}
}
