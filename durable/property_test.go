package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
	"github.com/durable-go/functions/internal/worker"
	"pgregory.net/rapid"
)

// plan is a random orchestrator: what it does in each generation.
type plan struct {
	Generations [][]step
}

// step is one statement of a plan.
type step struct {
	Kind  string
	N     int
	Child *plan
}

// progress is the input of a plan's orchestrator.
type progress struct {
	Plan   plan
	At     int
	Seen   []string
	Events []string
}

// plans is an app that carries plans out.
func plans() []Registration {
	double := NewActivity("Double", func(_ context.Context, n int) (int, error) {
		if n%7 == 0 {
			return 0, errors.New("sevens fail")
		}
		return 2 * n, nil
	})
	follow := DeclareOrchestrator[progress, string]("Follow")
	return []Registration{double, follow.Implement(func(ctx *Context, p progress) (string, error) {
		for _, s := range p.Plan.Generations[p.At] {
			if s.Kind == "event" {
				e, err := WaitForEvent[string](ctx, "E").Await()
				if err != nil {
					return "", err
				}
				p.Events = append(p.Events, e)
				continue
			}
			p.Seen = append(p.Seen, carryOut(ctx, double, follow, s))
		}
		if p.At++; p.At < len(p.Plan.Generations) {
			return "", ctx.ContinueAsNew(p)
		}
		return p.text(), nil
	})}
}

func (p *progress) text() string {
	slices.Sort(p.Events)
	return strings.Join(p.Seen, " ") + " / " + strings.Join(p.Events, " ")
}

func carryOut(ctx *Context, double *Activity[int, int], follow *Orchestrator[progress, string], s step) string {
	one := func(n int, err error) string {
		if err != nil {
			return "failed"
		}
		return fmt.Sprint(n)
	}
	switch s.Kind {
	case "call":
		return one(double.Call(ctx, s.N).Await())
	case "retry":
		return one(double.Call(ctx, s.N, WithRetry(RetryPolicy{MaxAttempts: 2, FirstInterval: time.Second})).Await())
	case "all":
		var tasks []*Task[int]
		for i := range s.N {
			tasks = append(tasks, double.Call(ctx, i+1))
		}
		var out []string
		for _, r := range AllSettled(tasks...) {
			out = append(out, one(r.Value, r.Err))
		}
		return strings.Join(out, "+")
	case "any":
		never := WaitForEvent[int](ctx, "Never")
		_, first := Any(never, double.Call(ctx, s.N))
		return one(first.Await())
	case "timer":
		if err := ctx.Sleep(time.Duration(s.N) * time.Second); err != nil {
			return err.Error()
		}
		return "slept"
	case "race":
		timer := ctx.NewTimer(time.Duration(s.N) * time.Hour)
		call := double.Call(ctx, s.N)
		if Select(timer, call) == 0 {
			return "timer first"
		}
		timer.Cancel()
		return one(call.Await())
	default:
		out, err := follow.Call(ctx, progress{Plan: *s.Child}).Await()
		if err != nil {
			return "(" + err.Error() + ")"
		}
		return "(" + out + ")"
	}
}

// interpret is what a plan comes to, said simply.
func interpret(p plan, events []string) string {
	double := func(n int) string {
		if n%7 == 0 {
			return "failed"
		}
		return fmt.Sprint(2 * n)
	}
	out := progress{Events: slices.Clone(events)}
	for _, s := range slices.Concat(p.Generations...) {
		switch s.Kind {
		case "call", "retry", "any", "race":
			out.Seen = append(out.Seen, double(s.N))
		case "all":
			var all []string
			for i := range s.N {
				all = append(all, double(i+1))
			}
			out.Seen = append(out.Seen, strings.Join(all, "+"))
		case "timer":
			out.Seen = append(out.Seen, "slept")
		case "child":
			out.Seen = append(out.Seen, "("+interpret(*s.Child, nil)+")")
		}
	}
	return out.text()
}

func (p plan) events() (n int) {
	for _, s := range slices.Concat(p.Generations...) {
		if s.Kind == "event" {
			n++
		}
	}
	return n
}

func drawPlan(t *rapid.T, depth int) plan {
	kinds := []string{"call", "retry", "all", "any", "timer", "race"}
	if depth == 0 {
		kinds = append(kinds, "event", "event", "child", "child")
	}
	var p plan
	for range rapid.IntRange(1, 3).Draw(t, "generations") {
		var steps []step
		for range rapid.IntRange(0, 4).Draw(t, "steps") {
			s := step{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), N: rapid.IntRange(1, 12).Draw(t, "n")}
			if s.Kind == "child" {
				child := drawPlan(t, depth+1)
				s.Child = &child
			}
			steps = append(steps, s)
		}
		p.Generations = append(p.Generations, steps)
	}
	return p
}

// TestPlansOnABadDay carries random plans out by two processes that die now and
// then, on a hub whose messages come late, twice and in any order and whose
// answers are lost: the outcome is that of the interpreter.
func TestPlansOnABadDay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPlan(rt, 0)
		seed := rapid.Uint64().Draw(rt, "seed")
		dispatch := rapid.SampledFrom([]worker.Dispatch{worker.Local, worker.Queue}).Draw(rt, "dispatch")
		var d *day
		pestered := rapid.Bool().Draw(rt, "suspended now and then")
		var meanwhile func(*noisy, int, *rand.Rand)
		if pestered {
			meanwhile = pester
		}
		synctest.Test(t, func(t *testing.T) { d = badDay(t, hubtest.Memory, p, seed, dispatch, meanwhile) })
		if wrong := d.differs(p); wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

// differs says how the outcome of the day is not that of the interpreter; empty:
// it is.
func (d *day) differs(p plan) string {
	var events []string
	for n := range p.events() {
		events = append(events, fmt.Sprint("e", n))
	}
	want := `"` + interpret(p, events) + `"`
	if d.row != nil && string(d.row.Output) == want {
		return ""
	}
	raw, _ := json.Marshal(p)
	return fmt.Sprintf("plan %s\nwant %s\n%s", raw, want, d.state)
}

// pester suspends and resumes the instance now and then, and in the end resumes
// it until it goes on.
func pester(p *noisy, second int, random *rand.Rand) {
	switch c := p.core.client; {
	case second > 600 && second%60 == 30, second <= 600 && random.IntN(20) == 0:
		_ = c.Resume(p.t.Context(), "x", "go on")
	case second <= 600 && random.IntN(20) == 0:
		_ = c.Suspend(p.t.Context(), "x", "wait")
	}
}

// TestTerminatedOnABadDay terminates the instance and its children at some time
// of such a day: all of them end, and the rows say what the histories say.
func TestTerminatedOnABadDay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPlan(rt, 0)
		seed := rapid.Uint64().Draw(rt, "seed")
		at := rapid.IntRange(0, 60).Draw(rt, "terminated at")
		dispatch := rapid.SampledFrom([]worker.Dispatch{worker.Local, worker.Queue}).Draw(rt, "dispatch")
		synctest.Test(t, func(t *testing.T) {
			d := badDay(t, hubtest.Memory, p, seed, dispatch, func(one *noisy, second int, _ *rand.Rand) {
				if second >= at && second%5 == 0 {
					_ = one.core.client.Terminate(t.Context(), "x", "enough", client.TerminateOptions{Children: true})
				}
			})
			if wrong := d.unfinished(t, "x"); wrong != "" {
				rt.Fatalf("%s\n%s", wrong, d.state)
			}
		})
	})
}

// unfinished says what is not over of an instance and its children; empty:
// nothing.
func (d *day) unfinished(t *testing.T, id string) string {
	row, err := d.hub.Instance(t.Context(), id)
	if err != nil {
		return err.Error()
	}
	loaded, err := d.hub.Load(t.Context(), id, 0)
	if err != nil {
		return err.Error()
	}
	var end history.Status
	for _, e := range loaded.Events {
		switch e.Type {
		case history.ExecutionCompleted:
			end = e.Status
		case history.SubOrchestrationInstanceCreated:
			if _, err := d.hub.Instance(t.Context(), e.InstanceID); errors.Is(err, taskhub.ErrNotFound) {
				continue
			}
			if wrong := d.unfinished(t, e.InstanceID); wrong != "" {
				return wrong
			}
		}
	}
	if !row.Status.Finished() || row.Status != end {
		return fmt.Sprintf("%s is %v in its row and %v in its history", id, row.Status, end)
	}
	return ""
}
