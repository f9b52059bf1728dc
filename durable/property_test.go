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

	"pgregory.net/rapid"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/faults"
	"github.com/durable-go/functions/internal/taskhub/memory"
	"github.com/durable-go/functions/internal/worker"
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
			return ContinueAsNew[string](ctx, p)
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
		return one(Any(never, double.Call(ctx, s.N)).Await())
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
		var got, state string
		synctest.Test(t, func(t *testing.T) { got, state = badDay(t, p, seed, dispatch) })
		var events []string
		for n := range p.events() {
			events = append(events, fmt.Sprint("e", n))
		}
		if want := `"` + interpret(p, events) + `"`; got != want {
			raw, _ := json.Marshal(p)
			rt.Fatalf("plan %s\ngot  %s\nwant %s\n%s", raw, got, want, state)
		}
	})
}

// noisy is one of the processes of a bad day.
type noisy struct {
	*hub
	noise *faults.Noise
	// queue is the control queue, where it is not that of hubName.
	queue string
}

func (p *noisy) control() string {
	if p.queue != "" {
		return p.queue
	}
	return taskhub.ControlQueue(hubName)
}

func (p *noisy) begin(seed uint64) {
	p.noise = faults.NewNoise(p.memory, 5*time.Second, seed)
	p.store = p.noise
	p.open()
}

func (p *noisy) die() {
	p.noise.Die()
	p.stop()
	p.worker.Kill()
}

func badDay(t *testing.T, p plan, seed uint64, dispatch worker.Dispatch) (output, state string) {
	random := rand.New(rand.NewPCG(seed, 2))
	shared := memory.New(memory.Options{})
	var processes [2]*noisy
	for n := range processes {
		one := &noisy{hub: &hub{t: t, memory: shared, registry: newRegistry(), dispatch: dispatch}}
		for _, f := range plans() {
			if err := f.register(one.registry); err != nil {
				t.Fatal(err)
			}
		}
		one.begin(random.Uint64())
		processes[n] = one
	}
	defer func() {
		for _, one := range processes {
			one.die()
		}
		<-time.After(time.Hour)
	}()
	o := DeclareOrchestrator[progress, string]("Follow")
	start := func() error {
		_, err := o.Start(t.Context(), processes[random.IntN(2)].client(), progress{Plan: p}, WithInstanceID("x"))
		return err
	}
	for err := start(); err != nil && !errors.Is(err, ErrAlreadyExists); err = start() {
		<-time.After(time.Second)
	}
	raised := 0
	for second := range 7200 {
		<-time.After(time.Second)
		if row, err := shared.Instance(t.Context(), "x"); err == nil && row.Status.Finished() {
			return string(row.Output), describeRun(t, shared, "x")
		}
		if raised < p.events() && random.IntN(3) == 0 {
			processes[random.IntN(2)].raiseTwice("x", raised)
			raised++
		}
		if random.IntN(40) == 0 && second < 600 {
			one := processes[random.IntN(2)]
			one.die()
			one.begin(random.Uint64())
		}
		if second%60 == 59 {
			_ = start() // a client whose process died sends the start again
		}
	}
	return "", describeRun(t, shared, "x")
}

// describeRun is what the hub knows of an instance and its children.
func describeRun(t *testing.T, hub *memory.Hub, id string) string {
	var out strings.Builder
	row, err := hub.Instance(t.Context(), id)
	if err != nil {
		return fmt.Sprintln(id, err)
	}
	loaded, err := hub.Load(t.Context(), id, 0)
	fmt.Fprintln(&out, id, row.ExecutionID, row.Status, row.Parked, hub.Pending(taskhub.ControlQueue(hubName)), "messages", time.Now(), err)
	for _, e := range loaded.Events {
		fmt.Fprintf(&out, "  %v %v id %d task %d %s %s\n", e.Timestamp.Format("04:05.00"), e.Type, e.ID, e.TaskID, e.Name, e.Result)
	}
	for _, e := range loaded.Events {
		if e.Type == history.SubOrchestrationInstanceCreated {
			out.WriteString(describeRun(t, hub, e.InstanceID))
		}
	}
	return out.String()
}

// raiseTwice sends an event as a client does whose first try may have had its
// effect.
func (p *noisy) raiseTwice(id string, n int) {
	m := &taskhub.Message{ID: taskhub.GUID("event", id, fmt.Sprint(n)), Target: history.InstanceRef{InstanceID: id},
		Event: &history.Event{Type: history.EventRaised, ID: history.NoID, Name: "E", Input: history.Payload(fmt.Sprintf(`"e%d"`, n)), Timestamp: time.Now()}}
	for {
		if _, err := p.store.Send(p.t.Context(), p.control(), m, 0); err == nil {
			return
		}
	}
}
