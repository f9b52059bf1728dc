package reconcile_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/reconcile"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
	"github.com/durable-go/functions/internal/worker"
)

const lease = 30 * time.Second

var (
	controlQueue = taskhub.ControlQueue(hubtest.Name)
	itemQueue    = taskhub.WorkItemQueue(hubtest.Name)
)

// kinds are the hubs on which the tests run in virtual time.
var kinds = map[string]hubtest.Kind{"memory": hubtest.Memory, "strict": hubtest.Strict}

// process is a worker with what else a process of an app has.
type process struct {
	*worker.Worker
	client *client.Client
	stop   func()
}

// newProcess starts a process that receives from both queues.
func newProcess(t *testing.T, hub hubtest.Hub, name string, program engine.Program, act func(ctx context.Context), change func(*worker.Options)) *process {
	t.Helper()
	o := worker.Options{
		Store: hub, Programs: func(string, string) (engine.Program, error) { return program, nil },
		Activities: func(string) (activity.Func, error) {
			return func(ctx context.Context, _ *activity.Call) (history.Payload, *history.FailureDetails) {
				act(ctx)
				return history.Payload(`1`), nil
			}, nil
		},
		Control: controlQueue, WorkItems: func(string) string { return itemQueue }, Log: slog.New(slog.DiscardHandler), Lease: lease,
	}
	if change != nil {
		change(&o)
	}
	w, err := worker.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.Poll(ctx, controlQueue)
	w.PollActivities(ctx, itemQueue)
	gauge, _ := any(hub).(taskhub.Gauge)
	r := reconcile.New(reconcile.Options{
		Hub: hub, Gauge: gauge, Process: name, Working: w.Working, ControlOf: func(string) string { return controlQueue },
		Lease: lease, Log: o.Log,
	})
	a := &reconcile.Announcer{Store: hub, Process: name, Working: w.Working, Log: o.Log}
	done := make(chan struct{}, 2)
	go func() { r.Run(ctx); done <- struct{}{} }()
	go func() { a.Run(ctx); done <- struct{}{} }()
	p := &process{Worker: w, client: client.New(hub, client.Options{Queue: controlQueue, Local: w, Lease: lease})}
	p.stop = func() {
		cancel()
		w.Kill()
		<-done
		<-done
		p.stop = func() {}
	}
	t.Cleanup(func() { p.stop() })
	return p
}

// steal receives every message that is visible, as a Functions host does that then
// ends, for the given time. None comes back while the test runs.
func steal(t *testing.T, hub taskhub.Store, d time.Duration) (stolen int) {
	t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); <-time.After(200 * time.Millisecond) {
		for _, queue := range []string{controlQueue, itemQueue} {
			got, err := hub.Receive(t.Context(), queue, 32, 24*time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			stolen += len(got)
		}
	}
	return stolen
}

// unfinished counts the instances that have not ended.
func unfinished(t *testing.T, hub taskhub.Store) (n int) {
	t.Helper()
	page, err := hub.List(t.Context(), taskhub.Query{Max: taskhub.MaxPage})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range page.Instances {
		if row.Status != history.Completed {
			n++
		}
	}
	return n
}

// everything has one of everything that an instance can wait for.
func everything(rt *engine.Runtime, in history.Payload) (history.Payload, error) {
	if string(in) == `"child"` {
		return rt.ScheduleActivity("A", nil, nil).Await()
	}
	var tasks []*engine.Task
	for range 5 {
		tasks = append(tasks, rt.ScheduleActivity("A", nil, nil))
	}
	tasks = append(tasks, rt.CallChild(&engine.Child{Name: "O", Input: history.Payload(`"child"`)}), rt.Timer(rt.Now().Add(4*time.Second)), rt.WaitEvent("go"))
	for _, task := range tasks {
		if _, err := task.Await(); err != nil {
			return nil, err
		}
	}
	return rt.CallChild(&engine.Child{Name: "O", Input: history.Payload(`"child"`)}).Await()
}

// A process ends at some moment, and a host that ends with it has taken every message
// that was visible then or became visible within a lease: no message is left. The next
// process finishes everything.
func TestNothingIsLeftToHiddenMessages(t *testing.T) {
	for name, kind := range kinds {
		for _, at := range []time.Duration{0, 30 * time.Millisecond, 300 * time.Millisecond, time.Second, 3 * time.Second, 5 * time.Second, 7 * time.Second} {
			t.Run(fmt.Sprint(name, " ", at), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					hub := kind(t)
					act := func(ctx context.Context) {
						select {
						case <-time.After(500 * time.Millisecond):
						case <-ctx.Done():
						}
					}
					first := newProcess(t, hub, "first", everything, act, func(o *worker.Options) { o.ActivitySlots = 8 })
					for i := range 10 {
						if _, err := first.client.Start(t.Context(), client.Start{Name: "O", InstanceID: fmt.Sprint("i", i)}); err != nil {
							t.Fatal(err)
						}
					}
					<-time.After(at)
					for i := range 10 {
						if err := first.client.Raise(t.Context(), fmt.Sprint("i", i), "go", history.Payload(`1`)); err != nil {
							t.Fatal(err)
						}
					}
					first.stop()
					stolen := steal(t, hub, lease+2*time.Second)
					left := unfinished(t, hub)
					newProcess(t, hub, "second", everything, act, nil)
					began := time.Now()
					for unfinished(t, hub) > 0 && time.Since(began) < 10*time.Minute {
						<-time.After(time.Second)
					}
					// Two waves: what the first one starts is not lost any more.
					if took := time.Since(began); unfinished(t, hub) > 0 || took > 35*time.Second+lease {
						t.Errorf("%d messages were taken, %d instances left; %d are left after %v", stolen, left, unfinished(t, hub), took)
					}
				})
			})
		}
	}
}

// What a process works on for long is left alone by the others: the activity runs once.
func TestWorkOfOthersIsLeftAlone(t *testing.T) {
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub := kind(t)
				var runs atomic.Int64
				act := func(ctx context.Context) {
					runs.Add(1)
					select {
					case <-time.After(20 * time.Minute):
					case <-ctx.Done():
					}
				}
				first := newProcess(t, hub, "first", everything, act, nil)
				if _, err := first.client.Start(t.Context(), client.Start{Name: "O", InstanceID: "x", Input: history.Payload(`"child"`)}); err != nil {
					t.Fatal(err)
				}
				<-time.After(time.Second)
				newProcess(t, hub, "second", everything, act, nil)
				<-time.After(30 * time.Minute)
				if n := unfinished(t, hub); n > 0 || runs.Load() != 1 {
					t.Errorf("%d instances have not ended, and the activity ran %d times", n, runs.Load())
				}
			})
		})
	}
}
