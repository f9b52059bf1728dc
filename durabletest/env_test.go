package durabletest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

var charge = durable.NewActivity("Charge", func(_ context.Context, cents int) (string, error) {
	return fmt.Sprintf("receipt over %d", cents), nil
})

var order = durable.NewOrchestrator("Order", func(ctx *durable.Context, cents int) (string, error) {
	return charge.Call(ctx, cents, durable.WithRetry(durable.RetryPolicy{MaxAttempts: 3, FirstInterval: time.Minute})).Await()
})

var approval = durable.NewOrchestrator("Approval", func(ctx *durable.Context, _ durable.None) (string, error) {
	who, err := durable.WaitForEvent[string](ctx, "Approved", durable.WithTimeout(72*time.Hour)).Await()
	if errors.Is(err, durable.ErrTimeout) {
		return "escalated", nil
	}
	return "approved by " + who, err
})

// check fails the test unless a result is as wanted.
func check[T comparable](t *testing.T, got T, err error, want T) {
	t.Helper()
	if err != nil || got != want {
		t.Fatalf("got %v, %v; want %v", got, err, want)
	}
}

func TestAYearOfTimers(t *testing.T) {
	t.Parallel()
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		one := durabletest.Start(env, every, schedule{1, 365 * 24 * time.Hour})
		got, err := durabletest.Start(env, every, schedule{365, 24 * time.Hour}).Result()
		check(t, got, err, "2000-12-31 00:00:00")
		got, err = one.Result()
		check(t, got, err, "2000-12-31 00:00:00")
		got, err = durabletest.Start(env, monitor, schedule{365, 24 * time.Hour}).Result()
		check(t, got, err, "2001-12-31 00:00:00")
	}, every, monitor)
}

func TestFailAndReplace(t *testing.T) {
	t.Parallel()
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		env.Fail("charge", 2, errors.New("the bank is closed"))
		got, err := durabletest.Start(env, order, 5).Result()
		check(t, got, err, "receipt over 5")
		check(t, env.Elapsed(), nil, 2*time.Minute)
		calls := env.Calls("Charge")
		if len(calls) != 3 || calls[2].Attempt != 3 || string(calls[2].Input) != "5" {
			t.Errorf("calls: %+v", calls)
		}
		durabletest.Replace(env, charge, func(_ context.Context, cents int) (string, error) { return "free", nil })
		got, err = durabletest.Start(env, order, 6).Result()
		check(t, got, err, "free")
		if got := fmt.Sprint(durabletest.Inputs(env, charge)); got != "[5 5 5 6]" {
			t.Errorf("inputs %s", got)
		}
		env.Fail("Charge", durabletest.Always, errors.New("no"))
		_, err = durabletest.Start(env, order, 7).Result()
		if failed := new(durable.OrchestrationError); !errors.As(err, &failed) || failed.Status != "Failed" || len(env.Calls("CHARGE")) != 7 {
			t.Errorf("%v after %d calls", err, len(env.Calls("CHARGE")))
		}
	}, order, charge)
}

func TestEventsAndControl(t *testing.T) {
	t.Parallel()
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		a, b, c := durabletest.Start(env, approval, durable.None{}), durabletest.Start(env, approval, durable.None{}), durabletest.Start(env, approval, durable.None{})
		if due := a.Timers(); len(due) != 1 || due[0].Sub(env.Now()) != 72*time.Hour {
			t.Errorf("timers %v", due)
		}
		env.Advance(time.Hour)
		a.Suspend("wait")
		c.Terminate("enough")
		a.RaiseEvent("approved", "Ann")
		env.RunUntilIdle()
		check(t, a.Status().RuntimeStatus, nil, "Suspended")
		a.Resume("go on")
		got, err := a.Result()
		check(t, got, err, "approved by Ann")
		got, err = b.Result()
		check(t, got, err, "escalated")
		check(t, c.Status().RuntimeStatus, nil, "Terminated")
	}, approval)
}

func TestEveryCrash(t *testing.T) {
	t.Parallel()
	durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
		got, err := durabletest.Start(env, order, 5).Result()
		check(t, got, err, "receipt over 5")
		if n := len(env.Calls("Charge")); n > 2 {
			t.Errorf("charged %d times", n)
		}
	}, order, charge)
}

func TestCrashes(t *testing.T) {
	t.Parallel()
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		a := durabletest.Start(env, approval, durable.None{})
		env.Crash()
		a.RaiseEvent("Approved", "Ann")
		got, err := a.Result()
		check(t, got, err, "approved by Ann")
		check(t, env.Processes(), nil, 2)
		env.CrashAt(1)
		got, err = durabletest.Start(env, order, 5).Result()
		check(t, got, err, "receipt over 5")
		check(t, env.Processes(), nil, 3)
	}, approval, order, charge)
}

// Activities that sleep do so in virtual time, and nothing is left behind.
func TestNoGoroutineIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	slow := durable.NewActivity("Slow", func(ctx context.Context, d time.Duration) (string, error) {
		select {
		case <-time.After(d):
			return "slow", nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	})
	o := durable.NewOrchestrator("O", func(ctx *durable.Context, d time.Duration) (string, error) { return slow.Call(ctx, d).Await() })
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		got, err := durabletest.Start(env, o, time.Hour).Result()
		check(t, got, err, "slow")
		check(t, env.Elapsed(), nil, time.Hour)
		durabletest.Start(env, o, 1000*time.Hour)
		durabletest.Start(env, approval, durable.None{})
		env.Advance(time.Minute)
	}, o, slow, approval)
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
		}
	}
}
