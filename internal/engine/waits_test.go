package engine_test

import (
	"context"
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

// below is the line after the one that calls it, as Waits shows it.
func below() string {
	_, file, line, _ := runtime.Caller(1)
	return fmt.Sprintf("%s/%s:%d", path.Base(path.Dir(file)), path.Base(file), line+1)
}

// waitingFor is code that waits for one thing of every kind, and at notes the
// lines on which it does.
func waitingFor(at map[string]string) engine.Program {
	return func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
		retry := &engine.Retry{MaxAttempts: 3, First: time.Minute}
		call := rt.CallActivity(&engine.Call{Name: "Charge", Retry: retry})
		rt.ScheduleActivity("Later", nil, nil)
		rt.Go(func() error {
			at["child"] = below()
			_, err := rt.CallChild(&engine.Child{Name: "Ship", InstanceID: "ship-1"}).Await()
			return err
		})
		rt.Go(func() error {
			at["charge"] = below()
			_, err := call.Await()
			return err
		})
		g := rt.Group(
			rt.WaitEvent("Approval"), rt.WaitEventUntil("Answer", epoch.Add(time.Hour)), rt.WaitEventUntil("Slow", epoch.Add(1000*time.Hour)),
			rt.Timer(epoch.Add(time.Minute)), rt.Timer(epoch.Add(2000*time.Hour)))
		defer g.Close()
		at["group"] = below()
		g.Next()
		at["again"] = below()
		g.Next()
		return nil, nil
	}
}

func TestWaits(t *testing.T) {
	at := map[string]string{}
	i := newInstance(waitingFor(at))
	defer i.Close()
	if i.Waits() != nil {
		t.Error("an instance that has not begun waits")
	}
	turn, err := i.Turn(epoch, []*history.Event{start()})
	if err != nil || !turn.Now.Equal(epoch) {
		t.Fatalf("%v, the clock is %v", err, turn.Now)
	}
	want := []engine.Wait{
		{Kind: engine.ForEvent, Name: "Approval", ID: -1, Since: epoch, Place: at["group"]},
		{Kind: engine.ForActivity, Name: "Charge", ID: 0, Since: epoch, Place: at["charge"]},
		{Kind: engine.ForActivity, Name: "Later", ID: 1, Since: epoch},
		{Kind: engine.ForEvent, Name: "Answer", ID: 2, Since: epoch, Due: epoch.Add(time.Hour), Place: at["group"]},
		{Kind: engine.ForEvent, Name: "Slow", ID: 3, Since: epoch, Due: epoch.Add(1000 * time.Hour), Place: at["group"]},
		{Kind: engine.ForTimer, ID: 4, Since: epoch, Due: epoch.Add(time.Minute), Place: at["group"]},
		{Kind: engine.ForTimer, ID: 5, Since: epoch, Due: epoch.Add(2000 * time.Hour), Place: at["group"]},
		{Kind: engine.ForOrchestration, Name: "Ship", ID: 6, InstanceID: "ship-1", Since: epoch, Place: at["child"]},
	}
	compare := func(i *engine.Instance, want []engine.Wait) {
		t.Helper()
		if got := i.Waits(); !slices.Equal(got, want) {
			t.Errorf("got\n%v\nwant\n%v", got, want)
		}
	}
	compare(i, want)
	compare(i, want) // asking changes nothing

	replayed := newInstance(waitingFor(at))
	defer replayed.Close()
	if err := replayed.Load(turn.Events); err != nil {
		t.Fatal(err)
	}
	compare(replayed, want)

	// The code goes on as if nothing had been asked.
	later := epoch.Add(time.Minute)
	failed := &history.Event{Type: history.TaskFailed, ID: history.NoID, TaskID: 0, Failure: &history.FailureDetails{ErrorMessage: "no"}}
	if _, err := i.Turn(later, []*history.Event{{Type: history.TimerFired, ID: history.NoID, TaskID: 4}, failed}); err != nil {
		t.Fatal(err)
	}
	want = slices.Delete(want, 5, 6)
	want = slices.Delete(want, 1, 2)
	for n := range want {
		if want[n].Place == at["group"] {
			want[n].Place = at["again"]
		}
	}
	want = append(want, engine.Wait{Kind: engine.ForTimer, ID: 7, Since: later, Due: later.Add(time.Minute), Place: at["charge"]})
	compare(i, want)

	if _, err := i.Turn(later, []*history.Event{raisedEvent("approval"), raisedEvent("answer")}); err != nil || i.Outcome() == nil {
		t.Fatalf("%v, %v", err, i.Outcome())
	}
	if i.Waits() != nil {
		t.Error("an instance that has ended waits")
	}
}

func raisedEvent(name string) *history.Event {
	return &history.Event{Type: history.EventRaised, ID: history.NoID, Name: name}
}

// A replay ends between two events when it is told to.
func TestLoadIsInterrupted(t *testing.T) {
	const steps = 1000
	events := recorded(steps)
	reached := 0
	program := func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
		for range steps {
			reached++
			if _, err := rt.ScheduleActivity("Hello", nil, nil).Await(); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	left := 2000
	i := engine.New(engine.Options{
		InstanceID: "i1", Program: func(string, string) (engine.Program, error) { return program, nil },
		Interrupt: func() error {
			if left--; left == 0 {
				cancel()
			}
			return ctx.Err()
		},
	})
	if err := i.Load(events); !errors.Is(err, context.Canceled) {
		t.Errorf("Load returned %v", err)
	}
	if reached == 0 || reached >= 600 {
		t.Errorf("%d of %d steps were replayed", reached, steps)
	}
	i.Close()
}

// A timer's delay counts from the clock of the turn that has asked for it, in the
// process that asked and in every other.
func TestDelayCountsFromTheTurn(t *testing.T) {
	program := func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
		g := rt.Group(rt.Timer(rt.Now().Add(time.Minute)), rt.Timer(time.Time{}), rt.Timer(rt.Now().Add(-time.Hour)))
		defer g.Close()
		g.Next()
		return nil, nil
	}
	i := newInstance(program)
	defer i.Close()
	turn, err := i.Turn(epoch.Add(17*time.Hour), []*history.Event{start()})
	if err != nil {
		t.Fatal(err)
	}
	replayed := newInstance(program)
	defer replayed.Close()
	if err := replayed.Load(turn.Events); err != nil {
		t.Fatal(err)
	}
	for _, i := range []*engine.Instance{i, replayed} {
		var got []time.Duration
		for _, e := range i.Outstanding() {
			got = append(got, engine.Delay(e))
			if e.FireAt.Before(history.MinTime) {
				t.Errorf("timer %d is for %v", e.ID, e.FireAt)
			}
		}
		if !slices.Equal(got, []time.Duration{time.Minute, 0, 0}) {
			t.Errorf("the delays are %v", got)
		}
	}
}
