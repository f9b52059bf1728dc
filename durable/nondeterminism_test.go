package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/worker"
)

// stepper does something, waits for an event, and calls Hello.
func stepper(first func(*Context) error) *Orchestrator[None, string] {
	return NewOrchestrator("Stepper", func(ctx *Context, _ None) (string, error) {
		if err := first(ctx); err != nil {
			return "", err
		}
		if _, err := WaitForEvent[None](ctx, "Go").Await(); err != nil {
			return "", err
		}
		return testHello.Call(ctx, "you").Await()
	})
}

// twoCalls is the code with which the instances of these tests begin.
func twoCalls(ctx *Context) error {
	for _, city := range []string{"a", "b"} {
		if _, err := testHello.Call(ctx, city).Await(); err != nil {
			return err
		}
	}
	return nil
}

// otherCode is code that does not fit, and what is said about it.
var otherCode = map[string]struct {
	first func(*Context) error
	says  string
}{
	"another activity": {func(ctx *Context) error {
		_, err := CallActivity[string](ctx, "Bye", "a").Await()
		return err
	}, "action 0: the history has activity 'Hello', the code now asks for activity 'Bye'"},
	"another kind": {func(ctx *Context) error {
		if _, err := testHello.Call(ctx, "a").Await(); err != nil {
			return err
		}
		return ctx.Sleep(time.Second)
	}, "action 1: the history has activity 'Hello', the code now asks for a timer"},
	"another input": {func(ctx *Context) error {
		_, err := testHello.Call(ctx, "c").Await()
		return err
	}, "action 0: the history has activity 'Hello', the code now asks for activity 'Hello' with another input"},
	"more than before": {func(ctx *Context) error {
		_, err := All(testHello.Call(ctx, "a"), testHello.Call(ctx, "b"))
		return err
	}, "action 1: the history has nothing, the code now asks for activity 'Hello'"},
	"an early end": {func(ctx *Context) error {
		if _, err := testHello.Call(ctx, "a").Await(); err != nil {
			return err
		}
		return errors.New("no more")
	}, "action 1: the history has activity 'Hello', the code now asks for the end of the orchestration"},
}

// nonDeterminism is the whole of what is said.
func nonDeterminism(says string) string {
	return "Non-Deterministic workflow detected: orchestrator 'Stepper', " + says + ". " +
		"Was a change made to the orchestrator code after this instance had already started running? " +
		"Deploy code that asks for the same (or guard the change with a version or a patch), or terminate the instance, then restart or purge it."
}

// set makes the workers of a hub as the settings say.
func (h *hub) set(section string) {
	h.t.Helper()
	s, _, err := parseSettings([]byte(section))
	if err != nil {
		h.t.Fatal(err)
	}
	h.change = func(o *worker.Options) {
		made := s.worker(h.registry)
		o.FailNonDeterministic, o.MaxActions = made.FailNonDeterministic, made.MaxActions
	}
}

// changed starts an instance, deploys other code, and raises the event.
func (h *hub) changed(first func(*Context) error) *Instance[string] {
	h.t.Helper()
	h.deploy(stepper(twoCalls), testHello)
	run := startIt(h, stepper(twoCalls), None{})
	h.deploy(stepper(first), testHello)
	if err := h.client().RaiseEvent(h.t.Context(), run.ID, "Go", None{}); err != nil {
		h.t.Fatal(err)
	}
	h.settle()
	return &Instance[string]{ID: run.ID, client: h.client()}
}

func (h *hub) shown(id string) (status, output string) {
	h.t.Helper()
	s, err := h.client().Status(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := json.Unmarshal(s.Output, &output); s.Output != nil && err != nil {
		h.t.Fatal(err)
	}
	return s.RuntimeStatus, output
}

// TestNonDeterminismParks: by default an instance whose code does not fit waits
// for code that does, and says so; its history stays as it is.
func TestNonDeterminismParks(t *testing.T) {
	for name, c := range otherCode {
		t.Run(name, func(t *testing.T) {
			inHub(t, nil, func(h *hub) {
				run := h.changed(c.first)
				if status, output := h.shown(run.ID); status != "Suspended" || output != nonDeterminism(c.says) {
					h.t.Errorf("%s: %s", status, output)
				}
				if events, err := h.client().History(h.t.Context(), run.ID); err != nil || len(events) != 11 {
					h.t.Errorf("%d events, want the 11 of three turns: %v", len(events), err)
				}
			})
		})
	}
}

// TestNonDeterminismFails: where the settings say so, it fails.
func TestNonDeterminismFails(t *testing.T) {
	for name, c := range otherCode {
		t.Run(name, func(t *testing.T) {
			inHub(t, nil, func(h *hub) {
				h.set(`{"nonDeterminism":"fail"}`)
				run := h.changed(c.first)
				text := "Orchestrator function 'Stepper' failed: " + nonDeterminism(c.says)
				if status, output := h.shown(run.ID); status != "Failed" || output != text {
					h.t.Errorf("%s: %s", status, output)
				}
				_, err := run.Result(h.t.Context())
				if failed := new(OrchestrationError); !errors.As(err, &failed) || failed.Message != text {
					h.t.Errorf("the wait ended with %v", err)
				}
				if row := h.row(run.ID); row.Parked != "" {
					h.t.Errorf("parked, too: %s", row.Parked)
				}
				loaded, err := h.memory.Load(h.t.Context(), run.ID, 0)
				if err != nil {
					h.t.Fatal(err)
				}
				end := loaded.Events[len(loaded.Events)-2]
				if end.Failure == nil || end.Failure.ErrorType != "NonDeterminismError" || !end.Failure.NonRetriable {
					h.t.Errorf("the end is %+v", end)
				}
			})
		})
	}
}

// TestNonDeterminismOfAChild: the parent of a child that failed so learns it.
func TestNonDeterminismOfAChild(t *testing.T) {
	parent := NewOrchestrator("Parent", func(ctx *Context, _ None) (string, error) {
		_, err := CallOrchestrator[string](ctx, "Stepper", None{}, WithInstanceID("kid"), WithRetry(RetryPolicy{MaxAttempts: 3, FirstInterval: time.Second})).Await()
		return fmt.Sprint(err), nil
	})
	inHub(t, []Registration{parent, stepper(twoCalls), testHello}, func(h *hub) {
		h.set(`{"nonDeterminism":"fail"}`)
		run := startIt(h, parent, None{})
		c := otherCode["another kind"]
		h.deploy(parent, stepper(c.first), testHello)
		h.raise("kid", "Go", "null")
		ctx, cancel := context.WithTimeout(h.t.Context(), time.Hour)
		defer cancel()
		got, err := (&Instance[string]{ID: run.ID, client: h.client()}).Result(ctx)
		if err != nil || !strings.Contains(got, nonDeterminism(c.says)) {
			h.t.Errorf("the parent got %s, %v", got, err)
		}
	})
}

// TestControlOfTheParked: what clients may ask of a parked instance, and what
// becomes of it.
func TestControlOfTheParked(t *testing.T) {
	c := otherCode["another kind"]
	inHub(t, nil, func(h *hub) {
		ctx := h.t.Context()
		run := h.changed(c.first)
		if err := h.client().Suspend(ctx, run.ID, "lunch"); !errors.Is(err, ErrSuspended) {
			h.t.Errorf("suspend: %v", err)
		}
		if err := h.client().Rewind(ctx, run.ID, ""); !errors.Is(err, ErrNotFailed) {
			h.t.Errorf("rewind: %v", err)
		}
		if _, err := h.client().Purge(ctx, run.ID); !errors.Is(err, ErrNotFinished) {
			h.t.Errorf("purge: %v", err)
		}
		if _, err := h.client().StartNew(ctx, "Stepper", None{}, WithInstanceID(run.ID)); !errors.Is(err, ErrAlreadyExists) {
			h.t.Errorf("start: %v", err)
		}
		// A resumption finds the same code, and the same is said again.
		if err := h.client().Resume(ctx, run.ID, ""); err != nil {
			h.t.Errorf("resume: %v", err)
		}
		h.settle()
		if status, output := h.shown(run.ID); status != "Suspended" || output != nonDeterminism(c.says) {
			h.t.Errorf("resumed: %s: %s", status, output)
		}
		if err := h.client().Terminate(ctx, run.ID, "give up"); err != nil {
			h.t.Errorf("terminate: %v", err)
		}
		h.settle()
		if status, output := h.shown(run.ID); status != "Terminated" || output != "give up" {
			h.t.Errorf("terminated: %s: %s", status, output)
		}
		if _, err := h.client().Purge(ctx, run.ID); err != nil {
			h.t.Errorf("purge: %v", err)
		}
		if text := h.gone(run.ID); text != "" {
			h.t.Error(text)
		}
		<-time.After(10 * time.Minute)
		if text := h.gone(run.ID); text != "" {
			h.t.Errorf("later %s", text)
		}
	})
}

// TestRunaway: a loop that never ends fails at the limit, by default 100,000,
// and leaves neither history nor calls behind.
func TestRunaway(t *testing.T) {
	runs := 0
	counted := NewAction("Counted", func(context.Context, int) error { runs++; return nil })
	o := NewOrchestrator("Runaway", func(ctx *Context, _ None) (string, error) {
		if _, err := counted.Call(ctx, 0).Await(); err != nil {
			return "", err
		}
		for n := 1; ; n++ {
			counted.Call(ctx, n)
		}
	})
	for section, limit := range map[string]string{`{}`: "100000", `{"maxOrchestrationActions":50}`: "50"} {
		inHub(t, nil, func(h *hub) {
			runs = 0
			h.set(section)
			h.deploy(o, counted)
			_, err := result(h, o, None{}, nil)
			failed := new(OrchestrationError)
			if !errors.As(err, &failed) || !strings.Contains(failed.Message, "more than "+limit+" actions (maxOrchestrationActions)") {
				h.t.Fatalf("it ended with %v", err)
			}
			<-time.After(time.Minute)
			loaded, err := h.memory.Load(h.t.Context(), failed.InstanceID, 0)
			if err != nil || len(loaded.Events) > 10 || runs != 1 {
				h.t.Errorf("%d events and %d calls: %v", len(loaded.Events), runs, err)
			}
			if end := loaded.Events[len(loaded.Events)-2]; end.Type != history.ExecutionCompleted || end.Failure.ErrorType != "TooManyActions" {
				h.t.Errorf("the end is %+v", end)
			}
		})
	}
}
