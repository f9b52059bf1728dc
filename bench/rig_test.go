package bench

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
	"github.com/durable-go/functions/internal/worker"
)

const (
	hubName = "Bench"
	// latency is how long each request takes, in virtual time: the time of a
	// whole orchestration divided by it is the number of requests in series.
	latency = 10 * time.Millisecond
	lease   = 30 * time.Second
)

// rig is a worker on a task hub in memory. It lives in a synctest bubble.
type rig struct {
	t       *testing.T
	account *fake.Account
	hub     *azure.Hub
	worker  *worker.Worker
	client  *client.Client
	o       rigOptions
	// ran counts the activities. Activities run one after the other, or are
	// counted by nobody.
	ran int
}

type rigOptions struct {
	dispatch worker.Dispatch
	// plain makes activities return at once, and nothing else.
	plain bool
	// stagger makes the i-th activity take a millisecond and i microseconds:
	// results then come one by one, in an order that is always the same.
	stagger bool
	// takes is how long activities take; 0: they are as stagger or plain say.
	takes time.Duration
	// stall is the number of the activity that does not return until its
	// worker is killed; 0: none.
	stall int
}

// bubble runs f with a rig on a new hub, whose creation is not counted.
func bubble(t *testing.T, o rigOptions, f func(*rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, account: fake.New(latency), o: o}
		connection, err := storage.Parse(r.account.ConnectionString())
		r.must(err)
		opened, err := storage.Open(connection, storage.Options{Transport: r.account})
		r.must(err)
		r.hub, err = azure.Open(opened, hubName, azure.Options{})
		r.must(err)
		r.must(r.hub.Create(t.Context(), taskhub.Owner{}))
		r.start()
		defer func() { r.worker.Stop(context.Background()) }()
		r.account.Reset()
		f(r)
	})
}

// start begins with a new worker, as a new process would.
func (r *rig) start() {
	var err error
	r.worker, err = worker.New(worker.Options{
		Store: r.hub, Programs: programs, Activities: r.activity, Entities: sums,
		Control:   taskhub.ControlQueue(hubName),
		WorkItems: func(string) string { return taskhub.WorkItemQueue(hubName) },
		Dispatch:  r.o.dispatch, Lease: lease, OrchestratorSlots: 20, ActivitySlots: 20,
		Log: slog.New(slog.DiscardHandler),
	})
	r.must(err)
	o := client.Options{Queue: taskhub.ControlQueue(hubName), Local: r.worker}
	if r.o.dispatch == worker.Local {
		o.Lease = lease
	}
	r.client = client.New(r.hub, o)
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// begin starts an orchestration and returns what ends when its row changes.
func (r *rig) begin(orchestrator string, n int) <-chan struct{} {
	changed, _ := r.worker.Watch("bench")
	_, err := r.client.Start(r.t.Context(), client.Start{Name: orchestrator, InstanceID: "bench", Input: number(n)})
	r.must(err)
	return changed
}

// run runs an orchestration to its end. series is how many requests it waited
// for, one after the other, until a reader of the instances table sees the
// result.
func (r *rig) run(orchestrator string, n int) (series float64) {
	began := time.Now()
	<-r.begin(orchestrator, n)
	took := time.Since(began)
	r.settle()
	return float64(took) / float64(latency)
}

// pass lets virtual time pass.
func pass(d time.Duration) { <-time.After(d) }

// settle waits until nothing is going on.
func (r *rig) settle() {
	synctest.Wait()
	pass(time.Second)
	synctest.Wait()
}

// result reads how the orchestration ended, past the counts.
func (r *rig) result() *taskhub.Instance {
	row, err := r.hub.Instance(r.t.Context(), "bench")
	r.must(err)
	return row
}

func number(n int) history.Payload {
	raw, err := json.Marshal(n)
	if err != nil {
		panic(err)
	}
	return raw
}

func read(p history.Payload) (n int, err error) { return n, json.Unmarshal(p, &n) }

// activity is one that returns its input.
func (r *rig) activity(string) (activity.Func, error) {
	return func(ctx context.Context, call *activity.Call) (history.Payload, *history.FailureDetails) {
		if r.o.plain {
			return call.Input, nil
		}
		if r.o.takes > 0 {
			pass(r.o.takes)
			return call.Input, nil
		}
		if r.o.stagger {
			pass(time.Millisecond + time.Duration(call.TaskID)*time.Microsecond)
			return call.Input, nil
		}
		if r.ran++; r.ran == r.o.stall {
			<-ctx.Done()
		}
		return call.Input, nil
	}, nil
}

// programs are the orchestrators: a chain and a fan-out of n activities, both
// of which return how many there were.
func programs(name, _ string) (engine.Program, error) {
	return func(rt *engine.Runtime, input history.Payload) (history.Payload, error) {
		n, err := read(input)
		if err != nil {
			return nil, err
		}
		switch name {
		case "events":
			return collect(rt, n)
		case "calls":
			return callSum(rt, n)
		}
		var tasks []*engine.Task
		for i := range n {
			task := rt.ScheduleActivity("Echo", number(i), nil)
			if name == "fan-out" {
				tasks = append(tasks, task)
			} else if _, err := task.Await(); err != nil {
				return nil, err
			}
		}
		for _, task := range tasks {
			if _, err := task.Await(); err != nil {
				return nil, err
			}
		}
		return number(n), nil
	}, nil
}

// collect waits for n events, one after the other.
func collect(rt *engine.Runtime, n int) (history.Payload, error) {
	for range n {
		if _, err := rt.WaitEvent("go").Await(); err != nil {
			return nil, err
		}
	}
	return number(n), nil
}
