package worker

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

var (
	controlQueue = taskhub.ControlQueue(hubtest.Name)
	itemQueue    = taskhub.WorkItemQueue(hubtest.Name)
)

// newWorker makes a worker whose orchestrators are all the program, and whose
// activities answer 1 at once, unless change sets others.
func newWorker(t *testing.T, store taskhub.Store, program engine.Program, change func(*Options)) *Worker {
	t.Helper()
	o := Options{
		Store:      store,
		Programs:   func(string, string) (engine.Program, error) { return program, nil },
		Activities: only(func(context.Context) {}),
		Control:    controlQueue, WorkItems: func(string) string { return itemQueue },
		Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&o)
	}
	w, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// polling is a worker that receives from both queues until the end of the test.
func polling(t *testing.T, store taskhub.Store, program engine.Program, change func(*Options)) *Worker {
	t.Helper()
	w := newWorker(t, store, program, change)
	ctx, cancel := context.WithCancel(context.Background())
	w.Poll(ctx, controlQueue)
	w.PollActivities(ctx, itemQueue)
	t.Cleanup(func() {
		cancel()
		w.Kill()
	})
	return w
}

// only is an app whose activities all do the same and answer 1.
func only(do func(context.Context)) func(string) (activity.Func, error) {
	return func(string) (activity.Func, error) {
		return func(ctx context.Context, _ *activity.Call) (history.Payload, *history.FailureDetails) {
			do(ctx)
			if ctx.Err() != nil {
				return nil, &history.FailureDetails{ErrorType: "stopped", ErrorMessage: context.Cause(ctx).Error()}
			}
			return history.Payload(`1`), nil
		}, nil
	}
}

// start starts an instance as a client in the process does.
func start(t *testing.T, hub taskhub.Store, w *Worker, id string) {
	t.Helper()
	m, row := startMessage(id)
	if err := hub.Insert(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	lease, err := hub.Send(t.Context(), controlQueue, m, w.Lease)
	if err != nil {
		t.Fatal(err)
	}
	w.Started(taskhub.Delivery{Message: m, Lease: lease, Inserted: row.Created}, row)
}

func startMessage(id string) (*taskhub.Message, *taskhub.Instance) {
	generation, now := int32(0), time.Now().UTC()
	ref := history.InstanceRef{InstanceID: id, ExecutionID: "exec-" + id}
	row := &taskhub.Instance{ID: id, ExecutionID: ref.ExecutionID, Name: "O", Status: history.Pending, Created: now, Updated: now, Generation: &generation}
	return &taskhub.Message{ID: taskhub.GUID("start", id, ref.ExecutionID), Target: ref,
		Event: &history.Event{Type: history.ExecutionStarted, ID: history.NoID, Timestamp: now, Instance: ref, Name: "O", Generation: &generation}}, row
}

// raised is the message of an external event.
func raised(id, instance, name, input string) *taskhub.Message {
	return &taskhub.Message{ID: id, Target: history.InstanceRef{InstanceID: instance},
		Event: &history.Event{Type: history.EventRaised, ID: history.NoID, Name: name, Input: history.Payload(input), Timestamp: time.Now().UTC()}}
}

func send(t *testing.T, hub taskhub.Store, queue string, m *taskhub.Message) {
	t.Helper()
	if _, err := hub.Send(t.Context(), queue, m, 0); err != nil {
		t.Fatal(err)
	}
}

// finished waits for an instance to end, for at most so long, and returns its row.
func finished(t *testing.T, hub taskhub.Store, id string, within time.Duration) *taskhub.Instance {
	t.Helper()
	began, pause := time.Now(), within/1000
	for {
		row, err := hub.Instance(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if row.Status.Finished() {
			return row
		}
		if time.Since(began) > within {
			t.Fatalf("%s is %v after %v", id, row.Status, within)
		}
		<-time.After(pause)
	}
}

// each calls n activities and waits for all of them.
func each(n int) engine.Program {
	return func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
		return all(rt, n, func(int) *engine.Task { return rt.ScheduleActivity("A", nil, nil) })
	}
}

func all(_ *engine.Runtime, n int, ask func(int) *engine.Task) (history.Payload, error) {
	var tasks []*engine.Task
	for i := range n {
		if task := ask(i); task != nil {
			tasks = append(tasks, task)
		}
	}
	for _, task := range tasks {
		if _, err := task.Await(); err != nil {
			return nil, err
		}
	}
	return history.Payload(`1`), nil
}

// late is a store on a strict account each of whose requests takes so long.
func late(t *testing.T, hub hubtest.Hub, d time.Duration) taskhub.Store {
	t.Helper()
	return hub.Process(func(fake.Request) fake.Fault { return fake.Fault{Delay: d} })
}

// hooked is a store whose calls can be held up or made to fail: a hook that is
// not nil is called before the call, and its error is the call's.
type hooked struct {
	taskhub.Store
	commit  func(*taskhub.Commit) error
	renew   func(*taskhub.Lease) error
	merge   func(id string, c taskhub.Change) error
	remove  func(*taskhub.Lease) error
	receive func(queue string)
	// committed is called with the outcome of a commit.
	committed func(error)

	commits, sends, loads, read atomic.Int64
}

func (h *hooked) Send(ctx context.Context, queue string, m *taskhub.Message, delay time.Duration) (*taskhub.Lease, error) {
	h.sends.Add(1)
	return h.Store.Send(ctx, queue, m, delay)
}

func (h *hooked) Receive(ctx context.Context, queue string, most int, hide time.Duration) ([]taskhub.Delivery, error) {
	if h.receive != nil {
		h.receive(queue)
	}
	return h.Store.Receive(ctx, queue, most, hide)
}

func (h *hooked) Commit(ctx context.Context, c *taskhub.Commit) (taskhub.Fence, error) {
	h.commits.Add(1)
	if h.commit != nil {
		if err := h.commit(c); err != nil {
			return taskhub.Fence{}, err
		}
	}
	f, err := h.Store.Commit(ctx, c)
	if h.committed != nil {
		h.committed(err)
	}
	return f, err
}

func (h *hooked) Load(ctx context.Context, id string, from uint64) (*taskhub.History, error) {
	loaded, err := h.Store.Load(ctx, id, from)
	if err == nil {
		h.loads.Add(1)
		h.read.Add(int64(len(loaded.Events)))
	}
	return loaded, err
}

func (h *hooked) Renew(ctx context.Context, l *taskhub.Lease, hide time.Duration) error {
	if h.renew != nil {
		if err := h.renew(l); err != nil {
			return err
		}
	}
	return h.Store.Renew(ctx, l, hide)
}

func (h *hooked) Merge(ctx context.Context, id string, c taskhub.Change) (string, error) {
	if h.merge != nil {
		if err := h.merge(id, c); err != nil {
			return "", err
		}
	}
	return h.Store.Merge(ctx, id, c)
}

func (h *hooked) Remove(ctx context.Context, l *taskhub.Lease) error {
	if h.remove != nil {
		if err := h.remove(l); err != nil {
			return err
		}
	}
	return h.Store.Remove(ctx, l)
}
