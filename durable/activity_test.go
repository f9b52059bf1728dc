package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/history"
)

// endless is an activity that runs until it is told to stop, and says why.
func endless() (*Action[None], func() error) {
	var cause atomic.Pointer[error]
	a := NewAction("Endless", func(ctx context.Context, _ None) error {
		<-ctx.Done()
		why := context.Cause(ctx)
		cause.Store(&why)
		return ctx.Err()
	})
	return a, func() error {
		synctest.Wait()
		if why := cause.Swap(nil); why != nil {
			return *why
		}
		return nil
	}
}

func (h *hub) terminate(id string) {
	h.send(id, &history.Event{Type: history.ExecutionTerminated, ID: history.NoID, Input: history.Payload("enough"), Timestamp: time.Now()})
}

// TestWhyAnActivityIsStopped: the cause of its context says what happened.
func TestWhyAnActivityIsStopped(t *testing.T) {
	activity, cause := endless()
	waits := NewOrchestrator("Waits", func(ctx *Context, _ None) (None, error) { return activity.Call(ctx, None{}).Await() })
	races := NewOrchestrator("Races", func(ctx *Context, _ None) (string, error) {
		_ = activity.Call(ctx, None{})
		return "done", ctx.Sleep(10 * time.Second)
	})
	timed := NewOrchestrator("Timed", func(ctx *Context, _ None) (None, error) {
		return activity.Call(ctx, None{}, WithTimeout(time.Second)).Await()
	})
	begins := NewOrchestrator("Begins", func(ctx *Context, again bool) (string, error) {
		if again {
			return "again", nil
		}
		_ = activity.Call(ctx, None{})
		if err := ctx.Sleep(10 * time.Second); err != nil {
			return "", err
		}
		return "", ctx.ContinueAsNew(true)
	})
	tests := map[string]struct {
		start func(*hub) error
		after func(*hub)
		want  error
	}{
		"terminated": {func(h *hub) error { return begin(h, waits, None{}) }, func(h *hub) { h.terminate("x") }, ErrTerminated},
		"abandoned":  {func(h *hub) error { return begin(h, races, None{}) }, nil, ErrAbandoned},
		"anew":       {func(h *hub) error { return begin(h, begins, false) }, nil, ErrAbandoned},
		"timeout":    {func(h *hub) error { return begin(h, timed, None{}) }, nil, context.DeadlineExceeded},
		"shutdown": {func(h *hub) error { return begin(h, waits, None{}) }, func(h *hub) {
			ctx, cancel := context.WithTimeout(h.t.Context(), time.Second)
			defer cancel()
			h.worker.Stop(ctx)
		}, ErrShutdown},
		"kill": {func(h *hub) error { return begin(h, waits, None{}) }, func(h *hub) { h.worker.Kill() }, ErrShutdown},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inHub(t, []Registration{activity, waits, races, timed, begins}, func(h *hub) {
				_ = cause()
				if err := test.start(h); err != nil {
					h.t.Fatal(err)
				}
				<-time.After(2 * time.Second)
				if test.after != nil {
					test.after(h)
				}
				<-time.After(2 * time.Minute)
				if got := cause(); !errors.Is(got, test.want) {
					h.t.Errorf("the context ended with %v, want %v", got, test.want)
				}
			})
		})
	}
}

func begin[In, Out any](h *hub, o *Orchestrator[In, Out], in In) error {
	_, err := o.Start(h.t.Context(), h.client(), in, WithInstanceID("x"))
	return err
}

// TestTerminatedElsewhere: an activity learns that its orchestration was ended
// by another process, or purged, when its lease is renewed.
func TestTerminatedElsewhere(t *testing.T) {
	activity, cause := endless()
	o := NewOrchestrator("O", func(ctx *Context, _ None) (None, error) { return activity.Call(ctx, None{}).Await() })
	inHub(t, []Registration{activity, o}, func(h *hub) {
		_ = cause()
		if err := begin(h, o, None{}); err != nil {
			h.t.Fatal(err)
		}
		<-time.After(5 * time.Second)
		if got := cause(); got != nil {
			h.t.Fatalf("stopped at once: %v", got)
		}
		h.elsewhere(func(other *hub) {
			if err := other.client().Terminate(h.t.Context(), "x", "enough"); err != nil {
				h.t.Fatal(err)
			}
			other.settle()
		})
		<-time.After(time.Minute)
		if got := cause(); !errors.Is(got, ErrTerminated) {
			h.t.Errorf("the context ended with %v", got)
		}
	})
}

// TestMaxConcurrent: a cap holds, and nothing waits behind what it holds back.
func TestMaxConcurrent(t *testing.T) {
	var now, most, free atomic.Int64
	capped := NewAction("Capped", func(context.Context, int) error {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-time.After(time.Second)
		return nil
	})
	other := NewAction("Other", func(context.Context, int) error { free.Add(1); return nil })
	o := NewOrchestrator("O", func(ctx *Context, n int) (time.Duration, error) {
		var tasks []*Task[None]
		for i := range n {
			tasks = append(tasks, capped.Call(ctx, i))
		}
		for i := range n {
			tasks = append(tasks, other.Call(ctx, i))
		}
		start := ctx.Now()
		_, err := All(tasks...)
		return ctx.Now().Sub(start), err
	})
	inHub(t, []Registration{capped.LimitConcurrency(3), other, o}, func(h *hub) {
		most.Store(0)
		free.Store(0)
		took, err := result(h, o, 60, func(string) {
			<-time.After(5 * time.Second)
			if free.Load() != 60 {
				h.t.Errorf("%d of 60 other activities ran", free.Load())
			}
		})
		if err != nil || most.Load() != 3 || took < 20*time.Second {
			h.t.Errorf("at most %d at a time, in %v: %v", most.Load(), took, err)
		}
	})
}

func TestLimitBadInput(t *testing.T) {
	a := NewAction("A", func(context.Context, int) error { return nil })
	o := NewOrchestrator("O", func(*Context, None) (None, error) { return None{}, nil })
	for want, bad := range map[string]Registration{
		"must be at least 1":    a.LimitConcurrency(0),
		"only an activity":      LimitConcurrency(o, 3),
		"has no implementation": DeclareActivity[int, None]("B").LimitConcurrency(2),
	} {
		if err := bad.register(newRegistry()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestMiddleware: middleware sees and changes input, result and error, the first
// one outermost; its panics and bad results are failures.
func TestMiddleware(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, city string) (string, error) { return testHello.Call(ctx, city).Await() })
	wrap := func(name string) func(ActivityHandler) ActivityHandler {
		return func(next ActivityHandler) ActivityHandler {
			return func(ctx context.Context, input []byte) ([]byte, error) {
				var text string
				if err := json.Unmarshal(input, &text); err != nil {
					return nil, err
				}
				switch text {
				case "panic":
					panic("in the middle")
				case "bad":
					return []byte("{"), nil
				case "error":
					return nil, NonRetryable(fmt.Errorf("%s refuses: %w", ActivityInfoFromContext(ctx).Activity, errMiddle))
				}
				return next(ctx, fmt.Appendf(nil, "%q", text+"+"+name))
			}
		}
	}
	around := func(next OrchestratorHandler) OrchestratorHandler {
		return func(ctx *Context, input []byte) ([]byte, error) {
			result, err := next(ctx, input)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", ctx.Name(), err)
			}
			return fmt.Appendf(nil, "[%s]", result), nil
		}
	}
	inHub(t, []Registration{o, testHello}, func(h *hub) {
		h.registry.aroundActivities = []func(ActivityHandler) ActivityHandler{wrap("a"), wrap("b")}
		h.registry.aroundOrchestrators = []func(OrchestratorHandler) OrchestratorHandler{around}
		for in, want := range map[string]string{
			"you":   `["Hello you+a+b"]`,
			"panic": "panic: in the middle",
			"bad":   "no JSON",
			"error": "Orchestrator function 'O' failed: O: Activity function 'Hello' failed: Hello refuses: middle",
		} {
			run, err := o.Start(h.t.Context(), h.client(), in)
			if err != nil {
				h.t.Fatal(err)
			}
			row, err := h.core.client.Wait(h.t.Context(), run.ID, "")
			if err != nil || !strings.Contains(string(row.Output), want) {
				h.t.Errorf("%s: %s %v, want %q", in, row.Output, err, want)
			}
		}
	})
}

var errMiddle = errors.New("middle")

// TestClientInActivity: what a repeated run starts is started once.
func TestClientInActivity(t *testing.T) {
	var started atomic.Int64
	other := NewOrchestrator("Other", func(ctx *Context, _ None) (None, error) { started.Add(1); return None{}, nil })
	starts := NewActivity("Starts", func(ctx context.Context, _ None) ([]string, error) {
		c, ok := ClientFromContext(ctx)
		if !ok {
			return nil, errors.New("no client")
		}
		var ids []string
		for range 2 {
			run, err := other.Start(ctx, c, None{})
			if err != nil {
				return nil, err
			}
			ids = append(ids, run.ID)
		}
		return ids, nil
	})
	o := NewOrchestrator("O", func(ctx *Context, _ None) ([]string, error) { return starts.Call(ctx, None{}).Await() })
	inHub(t, []Registration{o, other, starts}, func(h *hub) {
		started.Store(0)
		ids, err := result(h, o, None{}, nil)
		if err != nil || len(ids) != 2 || ids[0] == ids[1] {
			h.t.Fatalf("%q %v", ids, err)
		}
		<-time.After(time.Minute)
		run, err := h.registry.activity("starts")
		if err != nil {
			h.t.Fatal(err)
		}
		call := &activity.Call{Name: "Starts", IdempotencyKey: "a:1"}
		first, _ := run(h.t.Context(), call)
		<-time.After(time.Minute)
		again, _ := run(h.t.Context(), call)
		<-time.After(time.Minute)
		if string(first) != string(again) || started.Load() != 4 {
			h.t.Errorf("%s, then %s; %d started", first, again, started.Load())
		}
	})
	if _, ok := ClientFromContext(t.Context()); ok {
		t.Error("there is a client outside activities")
	}
}

func TestTags(t *testing.T) {
	a := NewActivity("A", func(ctx context.Context, _ None) (string, error) {
		return ActivityInfoFromContext(ctx).Tags["team"], nil
	})
	o := NewOrchestrator("O", func(ctx *Context, _ None) (string, error) {
		called, err := a.Call(ctx, None{}, WithTags(map[string]string{"team": "red"})).Await()
		if err != nil {
			return "", err
		}
		stepped, err := Step(ctx, "S", func(ctx context.Context) (string, error) { return ActivityInfoFromContext(ctx).Tags["team"], nil },
			WithTags(map[string]string{"team": "blue"})).Await()
		if err != nil {
			return "", err
		}
		mapped, err := Map(ctx, []None{{}}, a, WithTags(map[string]string{"team": "green"}))
		return called + stepped + mapped[0], err
	})
	inHub(t, []Registration{a, o}, func(h *hub) {
		got, err := result(h, o, None{}, nil)
		want(h, got, err, "redbluegreen")
	})
}
