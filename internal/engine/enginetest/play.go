// Package enginetest plays scenarios: files that say what an orchestrator is
// made of, which events come, and what comes of that.
package enginetest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

// Epoch is the time at which each scenario begins.
var Epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Code is an orchestrator that a scenario has written down, and how it is run.
type Code struct {
	Program func(name, version string) (engine.Program, error)
	// Strict and MaxActions are those of engine.Options.
	Strict     bool
	MaxActions int
	// Sides counts the side effects that ran. Replays that only check something
	// do not count.
	Sides int
}

// Language makes code of the words after "program" and the lines below it.
// Branches come into the map later, before the code runs.
type Language func(words, lines []string, branches map[string][]string) (*Code, error)

// Scenario is what was played from one "program" to the next.
type Scenario struct {
	// File and Number say where it is written, Number from 1.
	File   string
	Number int
	// Words, Lines and Branches are its code, as it was last; Changed means that it
	// was changed on the way.
	Words    []string
	Lines    []string
	Branches map[string][]string
	Changed  bool
	// Events are the history of its last execution, State how that stands.
	Events []*history.Event
	State  string
}

// Options say what Play plays.
type Options struct {
	Language Language
	// Rewrite writes what came out into the files, instead of comparing.
	Rewrite bool
	// Done gets each scenario at its end. nil: nobody.
	Done func(*Scenario)
}

// Play plays testdata/*.txt. A file is a list of blocks: a command, the lines of
// its body, "----", and what must come out, up to an empty line. Blocks that
// begin with # are remarks.
//
//	program [WORDS]       a new orchestration; the body is its code, see Language
//	change [WORDS]        other code for it
//	branch NAME           the body is a branch of it
//	turn [DURATION]       a turn, later by that; the body has its events
//	replay                goes on with a new instance that replays the history
//	cut N                 replay of the first N events, as after a torn commit
//	rewind ID             takes the failure of an action out, as the tools do
//	next                  goes on with the execution that continues as new
//
// After each turn the history is replayed at every prefix.
func Play(t *testing.T, o Options) {
	Files(t, "testdata/*.txt", o.Rewrite, func(t *testing.T, name, text string) string {
		p := &Player{t: t, options: o, file: name}
		out := Blocks(text, p.command)
		p.done()
		return out
	})
}

// Player plays scenarios. It is for one goroutine.
type Player struct {
	t         *testing.T
	options   Options
	file      string
	scenarios int
	code      *Code
	words     []string
	lines     []string
	branches  map[string][]string
	execution int
	now       time.Time
	live      *engine.Instance
	stored    []*history.Event
	// since is the length of the history when the code was changed.
	since int
}

// NewPlayer begins an orchestration of some code. The caller closes it.
func NewPlayer(t *testing.T, code *Code) *Player {
	p := &Player{t: t, code: code}
	p.begin()
	return p
}

// Live is the instance as it stands.
func (p *Player) Live() *engine.Instance { return p.live }

// Close ends the code.
func (p *Player) Close() { p.live.Close() }

func (p *Player) begin() {
	p.since, p.now, p.stored, p.execution = 0, Epoch, nil, 1
	p.live = p.instance()
}

// done ends a scenario.
func (p *Player) done() {
	if p.live == nil {
		return
	}
	p.scenarios++
	if p.options.Done != nil {
		p.options.Done(&Scenario{File: p.file, Number: p.scenarios, Words: p.words, Lines: p.lines, Branches: p.branches,
			Changed: p.since > 0, Events: p.stored, State: State(p.live)})
	}
	p.live.Close()
}

func (p *Player) command(words, body []string) string {
	switch words[0] {
	case "program":
		p.done()
		p.write(words[1:], body)
		p.begin()
		return ""
	case "change":
		p.write(words[1:], body)
		p.since = len(p.stored)
		return ""
	case "branch":
		p.branches[words[1]] = body
		return ""
	case "turn":
		if len(words) > 1 {
			return p.Turn(p.duration(words[1]), body)
		}
		return p.Turn(0, body)
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

func (p *Player) duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		p.t.Fatal(err)
	}
	return d
}

// write makes the code of a scenario.
func (p *Player) write(words, lines []string) {
	p.words, p.lines, p.branches = words, lines, map[string][]string{}
	code, err := p.options.Language(words, lines, p.branches)
	if err != nil {
		p.t.Fatal(err)
	}
	p.code = code
}

func (p *Player) instance() *engine.Instance {
	return engine.New(engine.Options{InstanceID: "i1", Strict: p.code.Strict, MaxActions: p.code.MaxActions, Program: p.code.Program})
}

// Turn runs a turn, later than the last one by a time, with events (see the
// lines that event reads), and returns what came of it.
func (p *Player) Turn(later time.Duration, body []string) string {
	p.now = p.now.Add(later)
	var events []*history.Event
	for _, line := range body {
		events = append(events, p.event(line))
	}
	return p.run(events)
}

func (p *Player) run(events []*history.Event) string {
	turn, err := p.live.Turn(p.now, events)
	if err != nil {
		p.t.Fatal(err)
	}
	p.stored = append(p.stored, forStorage(turn.Events)...)
	var out strings.Builder
	for _, e := range turn.Events {
		if line := Describe(e, Epoch); line != "" {
			fmt.Fprintln(&out, line)
		}
	}
	if turn.CustomStatusChanged {
		fmt.Fprintf(&out, "custom status %s\n", short(turn.CustomStatus))
	}
	if turn.SideEffect {
		fmt.Fprintln(&out, "has a side effect")
	}
	fmt.Fprintln(&out, State(p.live))
	p.everyPrefix()
	return out.String()
}

// short is a payload that fits on a line.
func short(p history.Payload) string {
	if len(p) > 100 {
		return fmt.Sprintf("of %d bytes", len(p))
	}
	return string(p)
}

func (p *Player) replay(events []*history.Event) string {
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
	out := State(p.live)
	if p.live.Unrecorded() {
		out += " and more to record"
	}
	return out + "\n"
}

// rewind changes the history as "func durable rewind" does.
func (p *Player) rewind(id string) string {
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

func (p *Player) next() string {
	next := p.live.Next()
	if next == nil {
		return "nothing\n"
	}
	p.live.Close()
	p.execution++
	p.live, p.stored = p.instance(), nil
	return p.run(next.Events("e"+strconv.Itoa(p.execution), p.now))
}
