package durable

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/worker"
)

// elsewhere lets another process do something with the hub: this one does not
// poll meanwhile, and goes on with what it has in memory.
func (h *hub) elsewhere(do func(*hub)) {
	h.stop()
	synctest.Wait()
	other := &hub{t: h.t, store: h.memory, memory: h.memory, registry: h.registry.clone(), dispatch: h.dispatch}
	other.open()
	do(other)
	synctest.Wait()
	other.stop()
	other.worker.Kill()
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	h.worker.Poll(ctx, taskhub.ControlQueue(hubName))
	h.worker.PollActivities(ctx, taskhub.WorkItemQueue(hubName))
}

// TestPurgedElsewhere: an activity whose instance was terminated and purged by
// another process, or replaced there by a new one, learns that another process
// did that, and the new one's activity runs.
func TestPurgedElsewhere(t *testing.T) {
	activity, cause := endless()
	o := NewOrchestrator("O", func(ctx *Context, again bool) (string, error) {
		if again {
			out, err := testHello.Call(ctx, "again").Await()
			return out, errors.Join(err, ctx.Sleep(time.Minute))
		}
		call, timer := activity.Call(ctx, None{}), ctx.NewTimer(20*time.Minute)
		Select(call, timer)
		return "", nil
	})
	for name, replace := range map[string]bool{"purged": false, "replaced": true} {
		t.Run(name, func(t *testing.T) {
			inHub(t, []Registration{activity, testHello, o}, func(h *hub) {
				_ = cause()
				if err := begin(h, o, false); err != nil {
					h.t.Fatal(err)
				}
				if err := h.client().Suspend(h.t.Context(), "x", "pause"); err != nil {
					h.t.Fatal(err)
				}
				h.settle()
				h.elsewhere(func(other *hub) {
					if err := other.client().Terminate(h.t.Context(), "x", "enough"); err != nil {
						h.t.Fatal(err)
					}
					other.settle()
					if !replace {
						if _, err := other.client().Purge(h.t.Context(), "x"); err != nil {
							h.t.Fatal(err)
						}
					}
				})
				if got := cause(); got != nil {
					h.t.Fatalf("told so already: %v", got)
				}
				if replace {
					if err := begin(h, o, true); err != nil {
						h.t.Fatal(err)
					}
					h.settle()
					if status, output := h.shown("x"); status != "Running" || output != "" {
						h.t.Errorf("the new one is %s with %q", status, output)
					}
					ctx, cancel := context.WithTimeout(h.t.Context(), 10*time.Minute)
					defer cancel()
					got, err := (&Instance[string]{ID: "x", client: h.client()}).Result(ctx)
					want(h, got, err, "Hello again")
				}
				<-time.After(time.Minute)
				if got := cause(); !errors.Is(got, ErrPurged) {
					h.t.Errorf("the context ended with %v", got)
				}
			})
		})
	}
}

// thief is a store that gives the message of the next renewal to others, which give
// it back soon.
type thief struct {
	taskhub.Store
	steals atomic.Bool
}

func (s *thief) Renew(ctx context.Context, l *taskhub.Lease, hide time.Duration) error {
	if hide > 0 && s.steals.CompareAndSwap(true, false) {
		other := *l
		if err := s.Store.Renew(ctx, &other, 2*time.Second); err != nil {
			return err
		}
	}
	return s.Store.Renew(ctx, l, hide)
}

// copier sends work items twice: the answer to the first was lost.
type copier struct{ taskhub.Store }

func (s copier) Send(ctx context.Context, queue string, m *taskhub.Message, delay time.Duration) (*taskhub.Lease, error) {
	if m.Event.Type == history.TaskScheduled {
		if _, err := s.Store.Send(ctx, queue, m, delay+5*time.Second); err != nil {
			return nil, err
		}
	}
	return s.Store.Send(ctx, queue, m, delay)
}

// TestWorkItemTwice: a copy of a work item that comes while the activity runs, or
// after it has ended, runs nothing.
func TestWorkItemTwice(t *testing.T) {
	runs := 0
	activity := NewActivity("Runs", func(_ context.Context, takes time.Duration) (int, error) {
		runs++
		<-time.After(takes)
		return runs, nil
	})
	o := NewOrchestrator("O", func(ctx *Context, takes time.Duration) (int, error) {
		n, err := activity.Call(ctx, takes).Await()
		return n, errors.Join(err, ctx.Sleep(time.Minute))
	})
	for _, takes := range []time.Duration{time.Second, 20 * time.Second} {
		inHub(t, []Registration{activity, o}, func(h *hub) {
			runs = 0
			h.restart(copier{h.memory})
			got, err := result(h, o, takes, nil)
			want(h, got, err, 1)
			if runs != 1 {
				h.t.Errorf("it ran %d times", runs)
			}
		})
	}
}

// TestLeaseLost: an activity whose message others have got stops, says why, and
// runs again for who has it now, which may be before the first run has ended.
func TestLeaseLost(t *testing.T) {
	runs := 0
	var cause error
	var takes time.Duration
	activity := NewActivity("Second", func(ctx context.Context, _ None) (string, error) {
		if runs++; runs > 1 {
			return "second", nil
		}
		<-ctx.Done()
		cause = context.Cause(ctx)
		<-time.After(takes)
		return "", ctx.Err()
	})
	o := NewOrchestrator("O", func(ctx *Context, _ None) (string, error) { return activity.Call(ctx, None{}).Await() })
	for _, takes = range []time.Duration{0, 5 * time.Second} {
		inHub(t, []Registration{activity, o}, func(h *hub) {
			runs, cause = 0, nil
			h.stop()
			h.worker.Kill()
			store := &thief{Store: h.memory}
			h.store = store
			h.open()
			before := time.Now()
			got, err := result(h, o, None{}, func(string) {
				<-time.After(10 * time.Second)
				store.steals.Store(true)
			})
			want(h, got, err, "second")
			if !errors.Is(cause, ErrLeaseLost) || runs != 2 {
				h.t.Errorf("the context of the first of %d runs ended with %v", runs, cause)
			}
			// Here the message is taken anew while the first run ends; one of a queue
			// waits for that.
			if took := time.Since(before); h.dispatch == worker.Local && took > 30*time.Second {
				h.t.Errorf("it took %v", took)
			}
		})
	}
}
