package engine_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// chain calls Hello for each city in turn.
func chain(cities ...string) engine.Program {
	return func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
		var out []string
		for _, city := range cities {
			result, err := rt.ScheduleActivity("Hello", history.Payload(city), nil).Await()
			if err != nil {
				return nil, err
			}
			out = append(out, string(result))
		}
		return history.Payload(strings.Join(out, ",")), nil
	}
}

func newInstance(p engine.Program) *engine.Instance {
	return engine.New(engine.Options{
		InstanceID: "i1",
		Program: func(name, _ string) (engine.Program, error) {
			if name != "O" {
				return nil, fmt.Errorf("no orchestrator %s", name)
			}
			return p, nil
		},
	})
}

func start() *history.Event {
	return &history.Event{Type: history.ExecutionStarted, ID: history.NoID, Name: "O", Timestamp: epoch}
}

func completed(task int32, result string) *history.Event {
	return &history.Event{Type: history.TaskCompleted, ID: history.NoID, TaskID: task, Result: history.Payload(result), Timestamp: epoch}
}

func turn(t *testing.T, i *engine.Instance, events ...*history.Event) []*history.Event {
	t.Helper()
	out, err := i.Turn(epoch, events)
	if err != nil {
		t.Fatal(err)
	}
	return out.Events
}

// run drives an orchestration to its end, answering Hello, and returns its
// history as a store would give it back: without inputs.
func run(t *testing.T, p engine.Program) []*history.Event {
	t.Helper()
	i := newInstance(p)
	defer i.Close()
	all := turn(t, i, start())
	for i.Outcome() == nil {
		open := i.Outstanding()
		if len(open) == 0 {
			t.Fatal("the orchestration waits for nothing")
		}
		all = append(all, turn(t, i, completed(open[0].ID, "Hello "+string(open[0].Input)))...)
	}
	for n, e := range all {
		if e.Type == history.TaskScheduled {
			stored := *e
			stored.Input = nil
			all[n] = &stored
		}
	}
	return all
}

func TestChain(t *testing.T) {
	history := run(t, chain("Tokyo", "Seattle", "London"))
	last := history[len(history)-2]
	if got := string(last.Result); got != "Hello Tokyo,Hello Seattle,Hello London" {
		t.Errorf("result %q", got)
	}
	if last.ID != 3 {
		t.Errorf("the completion has id %d, want 3", last.ID)
	}
}

// TestReplayAtEveryPrefix cuts a history at every event: the rest of the
// actions must come again, with their inputs.
func TestReplayAtEveryPrefix(t *testing.T) {
	full := run(t, chain("a", "b", "c"))
	for cut := 2; cut < len(full); cut++ {
		i := newInstance(chain("a", "b", "c"))
		if err := i.Load(full[:cut]); err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if i.Unrecorded() {
			events := turn(t, i)
			if events[len(events)-1].Type != history.OrchestratorCompleted {
				t.Errorf("cut at %d: the regenerated turn does not end", cut)
			}
		}
		for i.Outcome() == nil {
			open := i.Outstanding()
			if len(open) != 1 || len(open[0].Input) != 1 {
				t.Fatalf("cut at %d: open actions %v", cut, open)
			}
			turn(t, i, completed(open[0].ID, "Hello "+string(open[0].Input)))
		}
		if got := string(i.Outcome().Result); got != "Hello a,Hello b,Hello c" {
			t.Errorf("cut at %d: result %q", cut, got)
		}
		i.Close()
	}
}

func TestNonDeterminism(t *testing.T) {
	full := run(t, chain("a", "b"))
	other := func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
		return rt.ScheduleActivity("Bye", nil, nil).Await()
	}
	fewer := func(*engine.Runtime, history.Payload) (history.Payload, error) { return nil, nil }
	more := func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
		rt.ScheduleActivity("Hello", nil, nil)
		return rt.ScheduleActivity("Extra", nil, nil).Await()
	}
	cases := []struct {
		name             string
		program          engine.Program
		expected, actual string
		position         int32
	}{
		{"other name", other, "activity 'Hello'", "activity 'Bye'", 0},
		{"ends early", fewer, "activity 'Hello'", "the end of the orchestration", 0},
		{"asks for more", more, "nothing", "activity 'Extra'", 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			i := newInstance(c.program)
			defer i.Close()
			err := i.Load(full[:5])
			var differs *engine.NonDeterminismError
			if !errors.As(err, &differs) {
				t.Fatalf("got %v", err)
			}
			if differs.Expected != c.expected || differs.Actual != c.actual || differs.Position != c.position {
				t.Errorf("got %+v", differs)
			}
		})
	}
}

func TestHowCodeEnds(t *testing.T) {
	boom := errors.New("boom")
	cases := []struct {
		name    string
		program engine.Program
		want    string
	}{
		{"error", func(*engine.Runtime, history.Payload) (history.Payload, error) { return nil, boom }, "Orchestrator function 'O' failed: boom"},
		{"panic", func(*engine.Runtime, history.Payload) (history.Payload, error) { panic("oh") }, "Orchestrator function 'O' failed: panic: oh (engine/engine_test.go:171)"},
		{"Goexit", func(*engine.Runtime, history.Payload) (history.Payload, error) { runtime.Goexit(); return nil, nil }, "Orchestrator function 'O' failed: the orchestrator ended its goroutine with runtime.Goexit"},
		{"foreign goroutine", func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				rt.ScheduleActivity("Hello", nil, nil)
			}()
			<-done
			return rt.ScheduleActivity("Hello", nil, nil).Await()
		}, "Orchestrator function 'O' failed: the Context of an orchestrator was used on another goroutine; use durable.Go for concurrent branches, and activities for everything else"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			i := newInstance(c.program)
			defer i.Close()
			turn(t, i, start())
			if i.Outcome() == nil || string(i.Outcome().Result) != c.want {
				t.Errorf("outcome %+v", i.Outcome())
			}
		})
	}
}

func TestUnknownOrchestratorFails(t *testing.T) {
	i := newInstance(nil)
	e := start()
	e.Name = "X"
	turn(t, i, e)
	if got := string(i.Outcome().Result); got != "Orchestrator function 'X' failed: no orchestrator X" {
		t.Errorf("outcome %q", got)
	}
}

func TestDuplicatesAreDropped(t *testing.T) {
	i := newInstance(chain("a", "b"))
	defer i.Close()
	turn(t, i, start())
	if events := turn(t, i, start()); len(events) != 0 {
		t.Errorf("a second start made %d events", len(events))
	}
	turn(t, i, completed(0, "x"))
	for _, e := range []*history.Event{completed(0, "again"), completed(7, "never asked for")} {
		if events := turn(t, i, e); len(events) != 0 {
			t.Errorf("result %s made %d events", e.Result, len(events))
		}
	}
}

func TestTooManyActions(t *testing.T) {
	i := engine.New(engine.Options{InstanceID: "i1", MaxActions: 10, Program: func(string, string) (engine.Program, error) {
		return func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
			for {
				rt.ScheduleActivity("Hello", nil, nil)
			}
		}, nil
	}})
	defer i.Close()
	turn(t, i, start())
	if got := i.Outcome(); got == nil || got.Failure.ErrorType != "TooManyActions" {
		t.Errorf("outcome %+v", got)
	}
}

// TestCloseRunsDeferredCalls parks code whose deferred call uses the Runtime
// and whose loop recovers panics: neither keeps it alive.
func TestCloseRunsDeferredCalls(t *testing.T) {
	before := goleak.IgnoreCurrent()
	ran := false
	i := newInstance(func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
		defer func() {
			ran = true
			rt.ScheduleActivity("Cleanup", nil, nil)
		}()
		for {
			func() {
				defer func() { _ = recover() }()
				_, _ = rt.ScheduleActivity("Hello", nil, nil).Await()
			}()
		}
	})
	turn(t, i, start())
	i.Close()
	if !ran {
		t.Error("the deferred call did not run")
	}
	goleak.VerifyNone(t, before)
}
