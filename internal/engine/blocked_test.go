package engine_test

import (
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

// TestGiveUp gives up code that waits for a channel, at each place where code
// runs: the call returns, the text says what it waits for, and the code ends at
// its next call of the Runtime without another trace.
func TestGiveUp(t *testing.T) {
	type call func(i *engine.Instance) error
	turn := func(i *engine.Instance) error {
		_, err := i.Turn(epoch, []*history.Event{start(), completed(0, "1"), completed(0, "2")})
		return err
	}
	load := func(i *engine.Instance) error { return i.Load(recorded(2)) }
	stop := func(i *engine.Instance) error {
		if _, err := i.Turn(epoch, []*history.Event{start()}); err != nil {
			return err
		}
		i.Close()
		return nil
	}
	cases := []struct {
		name string
		code func(rt *engine.Runtime, wait func())
		call call
		want error
	}{
		{"turn", func(rt *engine.Runtime, wait func()) { wait() }, turn, new(engine.BlockedError)},
		{"branch", func(rt *engine.Runtime, wait func()) {
			b := rt.Go(func() error { wait(); return nil })
			rt.Go(func() error { _, err := rt.WaitEvent("e").Await(); return err })
			_, _ = b.Await()
		}, turn, new(engine.BlockedError)},
		{"replay", func(rt *engine.Runtime, wait func()) { wait() }, load, new(engine.BlockedError)},
		{"deferred call", func(rt *engine.Runtime, wait func()) {
			defer wait()
			_, _ = rt.WaitEvent("e").Await()
		}, stop, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release, after := make(chan struct{}), false
				i := newInstance(func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
					c.code(rt, func() { <-release })
					_ = rt.ScheduleActivity("Hello", nil, nil)
					after = true
					return nil, nil
				})
				result := make(chan error, 1)
				go func() { result <- c.call(i) }()
				synctest.Wait()
				blocked := i.Blocked(engine.Stacks())
				for _, part := range []string{"chan receive", "engine_test.TestGiveUp", "blocked_test.go:"} {
					if !strings.Contains(blocked.Where, part) {
						t.Errorf("%q does not say %q", blocked.Where, part)
					}
				}
				if blocked.Running {
					t.Error("code that waits is said to run")
				}
				returned := false
				if !i.GiveUp(blocked, func() { returned = true }) {
					t.Error("the code is not given up")
				}
				if err := <-result; !errors.Is(err, c.want) && !errors.As(err, new(*engine.BlockedError)) {
					t.Errorf("the call returned %v", err)
				}
				i.Close()
				if i.GiveUp(blocked, nil) || returned {
					t.Error("given up twice, or came back too early")
				}
				close(release)
				synctest.Wait()
				if after || !returned {
					t.Errorf("went on: %v, came back: %v", after, returned)
				}
			})
		})
	}
}

// TestSpinning says of code that computes that it runs.
func TestSpinning(t *testing.T) {
	var end, in atomic.Bool
	i := newInstance(func(*engine.Runtime, history.Payload) (history.Payload, error) {
		for !end.Load() {
			in.Store(true)
		}
		return nil, nil
	})
	defer i.Close()
	done := make(chan error)
	go func() {
		_, err := i.Turn(epoch, []*history.Event{start()})
		done <- err
	}()
	for !in.Load() {
		runtime.Gosched()
	}
	if blocked := i.Blocked(engine.Stacks()); !blocked.Running {
		t.Errorf("code that computes does not run: %s", blocked.Where)
	}
	end.Store(true)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestGiveUpNothing has nothing to give up while no call is under way.
func TestGiveUpNothing(t *testing.T) {
	i := newInstance(loop(2))
	defer i.Close()
	if _, err := i.Turn(time.Time{}, []*history.Event{start()}); err != nil {
		t.Fatal(err)
	}
	if i.GiveUp(i.Blocked(nil), nil) {
		t.Error("a parked instance was given up")
	}
	if turn, err := i.Turn(time.Time{}, []*history.Event{completed(0, "1")}); err != nil || len(turn.Events) == 0 {
		t.Errorf("the next turn: %v", err)
	}
}
