package durable

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

// held is what an orchestrator has made before another goroutine uses it.
type held struct {
	ctx      *Context
	task     *Task[None]
	channel  *EventChannel[None]
	branches *WaitGroup
}

var heldActivity = NewActivity("A", func(context.Context, None) (None, error) { return None{}, nil })
var heldEvent = NewEvent[None]("e")
var heldAction = NewAction("Do", func(context.Context, None) error { return nil })
var heldChild = NewOrchestrator("C", func(*Context, None) (None, error) { return None{}, nil })

// foreignCalls uses everything that belongs to a Context.
var foreignCalls = map[string]func(h *held){
	"Context.InstanceID":      func(h *held) { h.ctx.InstanceID() },
	"Context.Name":            func(h *held) { h.ctx.Name() },
	"Context.Version":         func(h *held) { h.ctx.Version() },
	"Context.CompareVersion":  func(h *held) { h.ctx.CompareVersion("1") },
	"Context.Tags":            func(h *held) { h.ctx.Tags() },
	"Context.Parent":          func(h *held) { h.ctx.Parent() },
	"Context.SetCustomStatus": func(h *held) { h.ctx.SetCustomStatus(1) },
	"Context.Rand":            func(h *held) { h.ctx.Rand() },
	"Context.Now":             func(h *held) { h.ctx.Now() },
	"Context.NewGUID":         func(h *held) { h.ctx.NewGUID() },
	"Context.IsReplaying":     func(h *held) { h.ctx.IsReplaying() },
	"Context.Logger":          func(h *held) { h.ctx.Logger() },
	"Context.SendEvent":       func(h *held) { _ = h.ctx.SendEvent("", "", nil) },
	"Context.NewTimer":        func(h *held) { h.ctx.NewTimer(-1) },
	"Context.NewTimerAt":      func(h *held) { h.ctx.NewTimerAt(time.Time{}) },
	"Context.Sleep":           func(h *held) { _ = h.ctx.Sleep(time.Second) },
	"Activity.Call":           func(h *held) { heldActivity.Call(h.ctx, None{}) },
	"CallActivity":            func(h *held) { CallActivity[None](h.ctx, "", nil) },
	"Orchestrator.Call":       func(h *held) { heldChild.Call(h.ctx, None{}) },
	"CallOrchestrator":        func(h *held) { CallOrchestrator[None](h.ctx, "", nil) },
	"Orchestrator.StartDetached": func(h *held) {
		_, _ = heldChild.StartDetached(h.ctx, None{}, WithInstanceID("@"))
	},
	"Go":                      func(h *held) { Go(h.ctx, func(*Context) (None, error) { return None{}, nil }) },
	"WaitGroup.Go":            func(h *held) { h.branches.Go(h.ctx, func(*Context) error { return nil }) },
	"WaitGroup.Wait":          func(h *held) { _ = h.branches.Wait() },
	"WaitForEvent":            func(h *held) { WaitForEvent[None](h.ctx, "") },
	"Events":                  func(h *held) { Events[None](h.ctx, "e") },
	"EventChannel.Receive":    func(h *held) { _, _ = h.channel.Receive() },
	"EventChannel.TryReceive": func(h *held) { _, _, _ = h.channel.TryReceive() },
	"ContinueAsNew":           func(h *held) { _, _ = ContinueAsNew[None](h.ctx, 1) },
	"Context.ContinueAsNew":   func(h *held) { _ = h.ctx.ContinueAsNew(1) },
	"Orchestrator.ContinueAsNew": func(h *held) {
		_, _ = heldChild.ContinueAsNew(h.ctx, None{})
	},
	"CallHTTP":       func(h *held) { CallHTTP(h.ctx, HTTPRequest{}) },
	"SideEffect":     func(h *held) { SideEffect(h.ctx, func() int { return 1 }) },
	"Patched":        func(h *held) { Patched(h.ctx, "p") },
	"CallEntity":     func(h *held) { CallEntity[None](h.ctx, EntityID{Name: "e"}, "o", nil) },
	"Operation.Call": func(h *held) { (&Operation[None, None]{entity: "e", name: "o"}).Call(h.ctx, "k", None{}) },
	"View.Call":      func(h *held) { (&View[None, None, None]{of: NewEntity[None]("e"), name: "o"}).Call(h.ctx, "k", None{}) },
	"Critical": func(h *held) {
		_, _ = Critical(h.ctx, func() (None, error) { return None{}, nil }, EntityID{Name: "e"})
	},
	"Context.LockedEntities": func(h *held) { h.ctx.LockedEntities() },
	"Step": func(h *held) {
		Step(h.ctx, "s", func(context.Context) (None, error) { return None{}, nil })
	},
	"Action.Do":     func(h *held) { _ = heldAction.Do(h.ctx, None{}) },
	"Event.Wait":    func(h *held) { heldEvent.Wait(h.ctx) },
	"Event.Channel": func(h *held) { heldEvent.Channel(h.ctx) },
	"Event.Send":    func(h *held) { _ = heldEvent.Send(h.ctx, "i", None{}) },
	"MapSettled":    func(h *held) { _ = MapSettled(h.ctx, []None{}, heldActivity) },
	"Map":           func(h *held) { _, _ = Map(h.ctx, []None{}, heldActivity) },
	"All":           func(h *held) { _, _ = All(h.task) },
	"AllSettled":    func(h *held) { AllSettled(h.task) },
	"FirstError":    func(h *held) { _, _ = FirstError(h.task) },
	"Any":           func(h *held) { Any(h.task) },
	"Select":        func(h *held) { Select(h.task) },
	"AsCompleted":   func(h *held) { AsCompleted(h.task)(func(int, *Task[None]) bool { return false }) },
	"Task.Await":    func(h *held) { _, _ = h.task.Await() },
	"Task.Done":     func(h *held) { h.task.Done() },
	"Task.Cancel":   func(h *held) { h.task.Cancel() },
}

// Each use of a Context on a goroutine that is not its orchestrator's ends that
// goroutine and fails the orchestration. What belongs to a Context is found in the
// source, so that nothing can be forgotten here.
func TestForeignGoroutineIsNoticedByEverything(t *testing.T) {
	var known []string
	for name := range maps.Keys(foreignCalls) {
		known = append(known, name)
	}
	slices.Sort(known)
	if declared := usesOfContext(t); !slices.Equal(known, declared) {
		t.Fatalf("the package declares\n%q, the test knows\n%q", declared, known)
	}
	for _, name := range known {
		t.Run(name, func(t *testing.T) {
			returned := false
			outcome := outcomeOf(t, func(ctx *Context) {
				h := &held{ctx: ctx, task: WaitForEvent[None](ctx, "never"), channel: Events[None](ctx, "never"), branches: &WaitGroup{}}
				h.branches.Go(ctx, func(*Context) error { return nil })
				done := make(chan struct{})
				go func() {
					defer close(done)
					foreignCalls[name](h)
					returned = true
				}()
				<-done
			})
			if returned {
				t.Error("the call returned")
			}
			if outcome == nil || outcome.Failure == nil || outcome.Failure.ErrorType != "ForeignGoroutine" {
				t.Errorf("the orchestration ended with %+v", outcome)
			}
		})
	}
}

// outcomeOf runs an orchestrator's first turn.
func outcomeOf(t *testing.T, f func(*Context)) *history.Event {
	t.Helper()
	r := newRegistry()
	o := NewOrchestrator("O", func(ctx *Context, _ None) (None, error) { f(ctx); return None{}, nil })
	for _, registration := range []Registration{o, heldChild, heldActivity} {
		if err := registration.register(r); err != nil {
			t.Fatal(err)
		}
	}
	i := engine.New(engine.Options{InstanceID: "i", Program: r.program})
	t.Cleanup(i.Close)
	start := &history.Event{Type: history.ExecutionStarted, ID: history.NoID, Name: "O", Instance: history.InstanceRef{InstanceID: "i", ExecutionID: "e"}}
	if _, err := i.Turn(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), []*history.Event{start}); err != nil {
		t.Fatal(err)
	}
	return i.Outcome()
}

// usesOfContext finds the exported functions and methods that take a Context or
// a task, and the methods of what belongs to a Context.
func usesOfContext(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok || !f.Name.IsExported() {
				continue
			}
			receiver := ""
			if f.Recv != nil {
				receiver = typeOfExpr(f.Recv.List[0].Type)
			}
			if belongs(receiver) || slices.ContainsFunc(f.Type.Params.List, func(p *ast.Field) bool { return belongs(typeOfExpr(p.Type)) }) {
				names = append(names, strings.TrimPrefix(receiver+"."+f.Name.Name, "."))
			}
		}
	}
	slices.Sort(names)
	return names
}

func belongs(typeName string) bool {
	return slices.Contains([]string{"Context", "Task", "Timer", "Awaitable", "EventChannel", "WaitGroup"}, typeName)
}

// typeOfExpr is the name of a type without stars, dots and type arguments.
func typeOfExpr(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return typeOfExpr(e.X)
	case *ast.Ellipsis:
		return typeOfExpr(e.Elt)
	case *ast.ArrayType:
		return typeOfExpr(e.Elt)
	case *ast.IndexExpr:
		return typeOfExpr(e.X)
	case *ast.IndexListExpr:
		return typeOfExpr(e.X)
	}
	return ""
}

// A goroutine that uses the Context while the orchestrator makes calls fails the
// orchestration at its next call, or at its end.
func TestForeignGoroutineBesideCalls(t *testing.T) {
	hello := NewActivity("Hello", func(_ context.Context, n int) (int, error) { return n, nil })
	o := NewOrchestrator("O", func(ctx *Context, _ None) (time.Time, error) {
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			for {
				_ = ctx.Now()
			}
		}()
		for n := range 20 {
			if _, err := hello.Call(ctx, n).Await(); err != nil {
				return time.Time{}, err
			}
		}
		<-gone
		return time.Time{}, nil
	})
	c, stop := RunForTest(o, hello)
	defer stop()
	run, err := o.Start(t.Context(), c, None{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = run.Result(t.Context()); err == nil {
		t.Error("the orchestration completed although another goroutine used its Context")
	}
}
