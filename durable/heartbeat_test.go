package durable

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/activity"
)

// counts is a piece of work of ten parts, a second each, that reports how far it
// has come and goes on from there. fail may end it.
func counts(done *[]int, fail func(part, attempt int) error) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		from, _, err := LastHeartbeat[int](ctx)
		if err != nil {
			return 0, err
		}
		for part := from; part < 10; part++ {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return 0, ctx.Err()
			}
			if err := fail(part, ActivityInfoFromContext(ctx).Attempt); err != nil {
				return 0, err
			}
			*done = append(*done, part)
			if err := Heartbeat(ctx, part+1); err != nil {
				return 0, err
			}
		}
		return from, nil
	}
}

func (h *hub) progress(id string, task int32) string {
	h.t.Helper()
	synctest.Wait()
	loaded, err := h.memory.Load(h.t.Context(), id, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	p, err := h.memory.Progress(h.t.Context(), id, activity.ProgressKey(loaded.Fence.ExecutionID, task))
	if err != nil {
		h.t.Fatal(err)
	}
	return string(p)
}

// TestProgressOverRetries: the next attempt goes on where the last one failed,
// and nothing is left behind.
func TestProgressOverRetries(t *testing.T) {
	var done []int
	work := counts(&done, func(part, attempt int) error {
		if part == 3*attempt && attempt < 3 {
			return fmt.Errorf("part %d", part)
		}
		return nil
	})
	activity := NewActivity("Count", func(ctx context.Context, _ None) (int, error) { return work(ctx) })
	retry := WithRetry(RetryPolicy{MaxAttempts: 3, FirstInterval: time.Second})
	called := NewOrchestrator("Called", func(ctx *Context, _ None) (int, error) { return activity.Call(ctx, None{}, retry).Await() })
	stepped := NewOrchestrator("Stepped", func(ctx *Context, _ None) (int, error) { return Step(ctx, "Count", work, retry).Await() })
	for _, o := range []*Orchestrator[None, int]{called, stepped} {
		inHub(t, []Registration{activity, o}, func(h *hub) {
			done = nil
			var id string
			from, err := result(h, o, None{}, func(started string) { id = started })
			if want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}; err != nil || from != 6 || fmt.Sprint(done) != fmt.Sprint(want) {
				h.t.Errorf("went on from %d: %v %v", from, done, err)
			}
			if p := h.progress(id, 0); p != "" {
				h.t.Errorf("progress %s was left", p)
			}
		})
	}
}

// TestProgressOverCrash: a call that runs again after the end of its process
// loses at most half a lease of progress.
func TestProgressOverCrash(t *testing.T) {
	for _, after := range []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond, 4500 * time.Millisecond, 9500 * time.Millisecond} {
		for _, lease := range []time.Duration{2 * time.Second, 8 * time.Second} {
			t.Run(fmt.Sprint(after, " ", lease), func(t *testing.T) {
				var done []int
				work := counts(&done, func(int, int) error { return nil })
				activity := NewActivity("Count", func(ctx context.Context, _ None) (int, error) { return work(ctx) })
				o := NewOrchestrator("O", func(ctx *Context, _ None) (int, error) { return activity.Call(ctx, None{}).Await() })
				inHub(t, []Registration{activity, o}, func(h *hub) {
					done = nil
					h.stop()
					h.worker.Kill()
					h.lease = lease
					h.open()
					reached := 0
					from, err := result(h, o, None{}, func(string) {
						<-time.After(after)
						synctest.Wait()
						reached = len(done)
						h.stop()
						h.worker.Kill()
						h.open()
					})
					if lost := reached - from; err != nil || lost < 0 || time.Duration(lost)*time.Second > lease/2 {
						h.t.Errorf("went on from %d after %d: %v", from, reached, err)
					}
				})
			})
		}
	}
}

// TestProgressOfFailure: the last attempt leaves nothing behind.
func TestProgressOfFailure(t *testing.T) {
	activity := NewAction("Fails", func(ctx context.Context, final bool) error {
		if err := Heartbeat(ctx, 1); err != nil {
			return err
		}
		if err := errors.New("no"); !final {
			return err
		}
		return NonRetryable(errors.New("never"))
	})
	o := NewOrchestrator("O", func(ctx *Context, final bool) (None, error) {
		return activity.Call(ctx, final, WithRetry(RetryPolicy{MaxAttempts: 2, FirstInterval: time.Second})).Await()
	})
	inHub(t, []Registration{activity, o}, func(h *hub) {
		for _, final := range []bool{true, false} {
			var id string
			if _, err := result(h, o, final, func(started string) { id = started }); err == nil {
				h.t.Error("it did not fail")
			}
			if p := h.progress(id, 0); p != "" {
				h.t.Errorf("progress %s was left", p)
			}
		}
	})
}

// TestHeartbeatTimeout: an activity that falls silent is stopped, and tried
// again.
func TestHeartbeatTimeout(t *testing.T) {
	activity := NewActivity("Silent", func(ctx context.Context, beats int) (int, error) {
		for range beats * ActivityInfoFromContext(ctx).Attempt {
			<-time.After(3 * time.Second)
			if err := Heartbeat(ctx, nil); err != nil {
				return 0, err
			}
		}
		if ActivityInfoFromContext(ctx).Attempt == 2 {
			return 2, nil
		}
		<-ctx.Done()
		if cause := context.Cause(ctx); !errors.Is(cause, ErrHeartbeatTimeout) {
			return 0, NonRetryable(cause)
		}
		return 0, ctx.Err()
	})
	o := NewOrchestrator("O", func(ctx *Context, attempts int) (int, error) {
		n, err := activity.Call(ctx, 5, WithHeartbeatTimeout(4*time.Second), WithRetry(RetryPolicy{MaxAttempts: attempts, FirstInterval: time.Second})).Await()
		if attempts == 1 && !errors.Is(err, ErrHeartbeatTimeout) {
			return 0, fmt.Errorf("not the timeout: %w", err)
		}
		if attempts == 1 {
			return 1, nil
		}
		return n, err
	})
	inHub(t, []Registration{activity, o}, func(h *hub) {
		for attempts := 1; attempts <= 2; attempts++ {
			got, err := result(h, o, attempts, nil)
			want(h, got, err, attempts)
		}
	})
}

// TestHeartbeatOfTerminated: the heartbeat of an activity whose orchestration
// was terminated says so.
func TestHeartbeatOfTerminated(t *testing.T) {
	var last error
	activity := NewAction("Beats", func(ctx context.Context, _ None) error {
		for last = nil; last == nil; last = Heartbeat(ctx, 1) {
			<-time.After(time.Second)
		}
		return last
	})
	o := NewOrchestrator("O", func(ctx *Context, _ None) (None, error) { return activity.Call(ctx, None{}).Await() })
	inHub(t, []Registration{activity, o}, func(h *hub) {
		if err := begin(h, o, None{}); err != nil {
			h.t.Fatal(err)
		}
		<-time.After(3 * time.Second)
		h.terminate("x")
		<-time.After(time.Minute)
		synctest.Wait()
		if !errors.Is(last, ErrTerminated) {
			h.t.Errorf("the heartbeat returned %v", last)
		}
		if p := h.progress("x", 0); p != "" {
			h.t.Errorf("progress %s was left", p)
		}
	})
}

func TestHeartbeatBadInput(t *testing.T) {
	if err := Heartbeat(t.Context(), 1); err == nil {
		t.Error("a heartbeat outside an activity")
	}
	if _, _, err := LastHeartbeat[int](t.Context()); err == nil {
		t.Error("progress outside an activity")
	}
	r := newRegistry()
	tried := NewActivity("A", func(ctx context.Context, what string) (string, error) {
		switch what {
		case "unencodable":
			return "", Heartbeat(ctx, func() {})
		case "type":
			if err := Heartbeat(ctx, "text"); err != nil {
				return "", err
			}
			_, _, err := LastHeartbeat[int](ctx)
			return "", err
		}
		return "", nil
	})
	for what, want := range map[string]string{`"unencodable"`: "heartbeat: json", `"type"`: "last heartbeat: json"} {
		if _, failure := tried.call(t.Context(), r, &activity.Call{Name: "A", Input: []byte(what)}); failure == nil || !strings.Contains(failure.ErrorMessage, want) {
			t.Errorf("%s: %+v, want %q", what, failure, want)
		}
	}
	o := &callOptions{}
	WithHeartbeatTimeout(-1).activity(o)
	if err := o.check(); err == nil {
		t.Error("a negative heartbeat timeout")
	}
}
