package durable

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/journal"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
	"github.com/durable-go/functions/internal/taskhub/memory"
	"github.com/durable-go/functions/internal/worker"
)

// hub is an app on a task hub in memory, in virtual time.
type hub struct {
	t     *testing.T
	store taskhub.Store
	// memory is what all processes share, as an observer sees it whose requests
	// never fail.
	memory   sharedHub
	registry *registry
	dispatch worker.Dispatch
	// journal is that of the processes that open from now on; nil: none.
	journal journal.Journal
	// onDeath is called when a process has died and before the next begins.
	onDeath func()

	worker *worker.Worker
	core   *core
	stop   context.CancelFunc
	lease  time.Duration
	// change sets further options of the workers that open from now on; nil:
	// none.
	change func(*worker.Options)
}

const hubName = hubtest.Name

// sharedHub is a hub of package memory, or one of package hubtest.
type sharedHub interface {
	taskhub.Store
	// Pending counts the messages of a queue.
	Pending(queue string) int
}

// inHub runs a test in a bubble of virtual time with an app of the functions.
func inHub(t *testing.T, functions []Registration, test func(*hub)) {
	t.Helper()
	for _, dispatch := range []worker.Dispatch{worker.Local, worker.Queue} {
		t.Run([]string{"local", "queue"}[dispatch], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &hub{t: t, memory: memory.New(memory.Options{}), registry: newRegistry(), dispatch: dispatch}
				h.store = h.memory
				for _, f := range functions {
					if err := f.register(h.registry); err != nil {
						t.Fatal(err)
					}
				}
				h.open()
				test(h)
				h.stop()
				h.worker.Kill()
			})
		})
	}
}

// open starts a worker, as a new process would.
func (h *hub) open() {
	var err error
	h.registry.client = h.client()
	wo := worker.Options{
		Store: h.store, Programs: h.registry.program, Activities: h.registry.activity, Entities: h.registry.entity, Dispatch: h.dispatch,
		Control: taskhub.ControlQueue(hubName), WorkItems: func(string) string { return taskhub.WorkItemQueue(hubName) },
		MaxPayload: h.registry.maxPayload, Limit: h.registry.limit(), Strict: true, Lease: h.lease,
		Journal: h.journal, Log: slog.New(slog.DiscardHandler),
	}
	if h.change != nil {
		h.change(&wo)
	}
	h.worker, err = worker.New(wo)
	if err != nil {
		h.t.Fatal(err)
	}
	o := client.Options{Queue: taskhub.ControlQueue(hubName), Local: h.worker, MaxPayload: h.registry.maxPayload}
	if h.dispatch == worker.Local {
		o.Lease = cmp.Or(h.lease, 30*time.Second)
	}
	h.core = &core{client: client.New(h.store, o), registry: h.registry}
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	h.worker.Poll(ctx, taskhub.ControlQueue(hubName))
	h.worker.PollActivities(ctx, taskhub.WorkItemQueue(hubName))
}

// restart ends the process and begins another one, on the store.
func (h *hub) restart(store taskhub.Store) {
	h.stop()
	h.worker.Kill()
	h.store = store
	h.open()
}

// blamer is a journal that blames nothing but messages that came too often, in
// tests whose code does not end its process.
type blamer struct {
	supervised
	h *hub
}

func (b blamer) Begin(ctx context.Context, code journal.Code, deliveries int) (journal.Run, error) {
	if deliveries >= 10 {
		b.h.t.Errorf("%v came %d times", code, deliveries)
	}
	return b.supervised.Begin(ctx, code, 0)
}

func (h *hub) client() *Client { return &Client{core: func() (*core, error) { return h.core, nil }} }

// raise sends an external event, as a client does.
func (h *hub) raise(id, name, input string) {
	h.send(id, &history.Event{Type: history.EventRaised, ID: history.NoID, Name: name, Input: history.Payload(input), Timestamp: time.Now()})
}

func (h *hub) send(id string, e *history.Event) {
	h.t.Helper()
	m := &taskhub.Message{ID: taskhub.NewGUID(), Target: history.InstanceRef{InstanceID: id}, Event: e}
	if _, err := h.store.Send(h.t.Context(), taskhub.ControlQueue(hubName), m, 0); err != nil {
		h.t.Fatal(err)
	}
}

// result starts an orchestrator, calls during when it has settled, and waits
// for its result.
func result[In, Out any](h *hub, o *Orchestrator[In, Out], in In, during func(id string)) (Out, error) {
	h.t.Helper()
	run, err := o.Start(h.t.Context(), h.client(), in)
	if err != nil {
		h.t.Fatal(err)
	}
	if during != nil {
		synctest.Wait()
		during(run.ID)
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), 30*24*time.Hour)
	defer cancel()
	return run.Result(ctx)
}

var testHello = NewActivity("Hello", func(_ context.Context, city string) (string, error) { return "Hello " + city, nil })

func want[T comparable](h *hub, got T, err error, want T) {
	h.t.Helper()
	if err != nil || got != want {
		h.t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestTimers(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, d time.Duration) (time.Duration, error) {
		start := ctx.Now()
		err := ctx.Sleep(d)
		return ctx.Now().Sub(start), err
	})
	inHub(t, []Registration{o}, func(h *hub) {
		for _, d := range []time.Duration{10 * time.Millisecond, 90 * time.Second, 2 * time.Hour} {
			slept, err := result(h, o, d, nil)
			if err != nil || slept < d || slept > d+2*time.Second {
				h.t.Errorf("slept %v for %v: %v", slept, d, err)
			}
		}
	})
}

func TestTimerOutlivesItsProcess(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, _ None) (string, error) {
		if err := ctx.Sleep(time.Hour); err != nil {
			return "", err
		}
		return testHello.Call(ctx, "you").Await()
	})
	inHub(t, []Registration{o, testHello}, func(h *hub) {
		got, err := result(h, o, None{}, func(string) {
			h.stop()
			h.worker.Kill()
			h.open()
		})
		want(h, got, err, "Hello you")
		synctest.Wait()
		if n := h.memory.Pending(taskhub.ControlQueue(hubName)); n != 0 {
			h.t.Errorf("%d messages left", n)
		}
	})
}

func TestEvents(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, _ None) (string, error) {
		first, err := WaitForEvent[string](ctx, "Go").Await()
		if err != nil {
			return "", err
		}
		second, err := WaitForEvent[string](ctx, "go").Await()
		return first + second, err
	})
	inHub(t, []Registration{o}, func(h *hub) {
		got, err := result(h, o, None{}, func(id string) {
			h.raise(id, "GO", `"a"`)
			h.raise(id, "go", `"b"`)
		})
		want(h, got, err, "ab")
	})
}

func TestChildren(t *testing.T) {
	child := NewOrchestrator("Child", func(ctx *Context, city string) (string, error) {
		if city == "" {
			return "", &TaskError{Message: "no city"}
		}
		return testHello.Call(ctx, city).Await()
	})
	o := NewOrchestrator("O", func(ctx *Context, city string) (string, error) {
		return child.Call(ctx, city).Await()
	})
	inHub(t, []Registration{o, child, testHello}, func(h *hub) {
		got, err := result(h, o, "you", nil)
		want(h, got, err, "Hello you")
		if _, err := result(h, o, "", nil); err == nil {
			h.t.Error("the failure of a child was lost")
		}
	})
}

func TestContinueAsNew(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, n int) (int, error) {
		if _, err := testHello.Call(ctx, "x").Await(); err != nil {
			return 0, err
		}
		if n == 20 {
			return n, nil
		}
		return 0, ctx.ContinueAsNew(n + 1)
	})
	inHub(t, []Registration{o, testHello}, func(h *hub) {
		got, err := result(h, o, 0, nil)
		want(h, got, err, 20)
	})
}

func TestTerminateAndSuspend(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, _ None) (string, error) {
		return WaitForEvent[string](ctx, "Go").Await()
	})
	inHub(t, []Registration{o}, func(h *hub) {
		_, err := result(h, o, None{}, func(id string) {
			h.send(id, &history.Event{Type: history.ExecutionTerminated, ID: history.NoID, Input: history.Payload("enough"), Timestamp: time.Now()})
		})
		if failed := new(OrchestrationError); !errors.As(err, &failed) || failed.Status != "Terminated" || failed.Message != "enough" {
			h.t.Errorf("terminated: %v", err)
		}
		got, err := result(h, o, None{}, func(id string) {
			h.send(id, &history.Event{Type: history.ExecutionSuspended, ID: history.NoID, Reason: history.Payload("wait"), Timestamp: time.Now()})
			<-time.After(5 * time.Second)
			if s, err := h.client().Status(h.t.Context(), id); err != nil || s.RuntimeStatus != "Suspended" {
				h.t.Errorf("suspended: %+v %v", s, err)
			}
			h.raise(id, "Go", `"on"`)
			h.send(id, &history.Event{Type: history.ExecutionResumed, ID: history.NoID, Reason: history.Payload("go on"), Timestamp: time.Now()})
		})
		want(h, got, err, "on")
	})
}

func TestFanOut(t *testing.T) {
	o := NewOrchestrator("O", func(ctx *Context, n int) (int, error) {
		tasks := make([]*Task[string], n)
		for i := range tasks {
			tasks[i] = testHello.Call(ctx, "x")
		}
		all, err := All(tasks...)
		return len(all), err
	})
	inHub(t, []Registration{o, testHello}, func(h *hub) {
		for _, n := range []int{0, 1, 5, 500} {
			got, err := result(h, o, n, nil)
			want(h, got, err, n)
		}
	})
}
