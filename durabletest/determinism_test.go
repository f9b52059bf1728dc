package durabletest_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// failure runs an example and returns what it panicked with.
func failure(o durabletest.Options, example func(env *durabletest.Env), functions ...durable.Registration) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = fmt.Sprint(p)
		}
	}()
	o.Example(example, functions...)
	return ""
}

// fickle asks for something else when it comes to its n-th action again.
func fickle(n int) *durable.Orchestrator[int, string] {
	var visited atomic.Bool
	return durable.NewOrchestrator("Fickle", func(ctx *durable.Context, actions int) (string, error) {
		for i := range actions {
			if i == n && visited.Swap(true) {
				return "early", nil
			}
			if err := ctx.Sleep(time.Hour); err != nil {
				return "", err
			}
		}
		return "done", nil
	})
}

func TestCodeThatIsNotDeterministicIsFound(t *testing.T) {
	t.Parallel()
	const actions = 100
	for _, n := range []int{0, 1, 20, 40, actions - 2, actions - 1} {
		code := fickle(n)
		got := failure(durabletest.Options{}, func(env *durabletest.Env) {
			_, _ = durabletest.Start(env, code, actions).Result()
		}, code)
		if !strings.Contains(got, "the end of the orchestration") {
			t.Errorf("after %d of %d actions: %q", n, actions, got)
		}
		code = fickle(n)
		if got := failure(durabletest.Options{Cached: true}, func(env *durabletest.Env) {
			_, _ = durabletest.Start(env, code, actions).Result()
		}, code); got != "" {
			t.Errorf("cached, after %d of %d actions: %q", n, actions, got)
		}
	}
}

// What the engine has found, and a test expects, is no failure of the test.
func TestParkedAndFailedAreExpected(t *testing.T) {
	t.Parallel()
	code := fickle(0)
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		parked := durabletest.Start(env, code, 2)
		env.RunUntilIdle()
		if parked.Parked() == nil {
			t.Error("it is not parked")
		}
	}, code)
	code = fickle(0)
	durabletest.Options{Settings: `{"nonDeterminism": "fail"}`}.Run(t, func(t *testing.T, env *durabletest.Env) {
		failed := durabletest.Start(env, code, 2)
		env.RunUntilIdle()
		check(t, failed.Status().RuntimeStatus, nil, "Failed")
	}, code)
}

// An execution that never leaves memory is replayed when the next one begins.
func TestExecutionThatContinuesAsNewIsReplayed(t *testing.T) {
	t.Parallel()
	visits := 0
	code := durable.NewOrchestrator("Fickle", func(ctx *durable.Context, round int) (string, error) {
		for i := range 3 {
			if i == 1 && round == 1 {
				if visits++; visits > 1 {
					return "early", nil
				}
			}
			if _, err := charge.Call(ctx, i).Await(); err != nil {
				return "", err
			}
		}
		if round == 1 {
			return "", ctx.ContinueAsNew(2)
		}
		return "done", nil
	})
	got := failure(durabletest.Options{}, func(env *durabletest.Env) {
		_, _ = durabletest.Start(env, code, 1).Result()
	}, code, charge)
	if !strings.Contains(got, "the history has activity 'Charge', the code asks for the end of the orchestration") {
		t.Errorf("got %q", got)
	}
}

// The limit of actions is the same in the replay at the end of a test.
func TestOrchestrationAtItsLimit(t *testing.T) {
	t.Parallel()
	const limit = 100_000 // the default
	code := durable.NewOrchestrator("Loop", func(ctx *durable.Context, actions int) (string, error) {
		for i := range actions {
			_ = charge.Call(ctx, i)
		}
		return "done", nil
	})
	var saved []byte
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		i := durabletest.Start(env, code, limit+1)
		if _, err := i.Result(); err == nil || !strings.Contains(err.Error(), "more than 100000 actions") {
			t.Errorf("got %v", err)
		}
		saved = i.HistoryJSON()
	}, code, charge)
	durabletest.Replay(t, saved, code)
}

// What calls are made with, and for when timers are, is compared, too: another
// order is found although each call is one of the same activity. The order is
// another one each time the code runs, which that of a map only mostly is.
func TestInputsAndTimesAreCompared(t *testing.T) {
	t.Parallel()
	var runs atomic.Int64
	unordered := func() (minutes []int) {
		first := int(runs.Add(1))
		for i := range 40 {
			minutes = append(minutes, (first+i)%40+1)
		}
		return minutes
	}
	for name, c := range map[string]struct {
		code func(ctx *durable.Context) error
		want string
	}{
		"inputs": {func(ctx *durable.Context) error {
			for _, m := range unordered() {
				_ = charge.Call(ctx, m)
			}
			return nil
		}, "the history has activity 'Charge', the code asks for activity 'Charge' with another input"},
		"times": {func(ctx *durable.Context) error {
			for _, m := range unordered() {
				_ = ctx.NewTimer(time.Duration(m) * time.Minute)
			}
			return nil
		}, "the code asks for a timer for 2000-01-01T00:"},
	} {
		code := durable.NewOrchestrator("Unordered", func(ctx *durable.Context, _ durable.None) (string, error) {
			return "done", c.code(ctx)
		})
		run := func(env *durabletest.Env) {
			got, err := durabletest.Start(env, code, durable.None{}).Result()
			if err != nil || got != "done" {
				t.Errorf("%s: got %q, %v", name, got, err)
			}
		}
		got := failure(durabletest.Options{}, run, code, charge)
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q", name, got)
		}
		if got := failure(durabletest.Options{Loose: true}, run, code, charge); got != "" {
			t.Errorf("%s, loose: %q", name, got)
		}
	}
}

// Timers of the engine's own making are for the same time in every replay.
func TestTimersOfTheEngineAreTheSame(t *testing.T) {
	t.Parallel()
	code := durable.NewOrchestrator("Timers", func(ctx *durable.Context, _ durable.None) (string, error) {
		past := ctx.NewTimerAt(ctx.Now().Add(-time.Hour))
		if _, err := past.Await(); err != nil {
			return "", err
		}
		long := ctx.NewTimer(30*24*time.Hour + 333*time.Nanosecond)
		if _, err := order.Call(ctx, 5).Await(); err == nil {
			return "", errors.New("the bank is open")
		}
		_, err := durable.WaitForEvent[string](ctx, "Never", durable.WithTimeout(time.Hour+77*time.Nanosecond)).Await()
		if !errors.Is(err, durable.ErrTimeout) {
			return "", err
		}
		_, err = charge.Call(ctx, 5, durable.WithRetry(durable.RetryPolicy{
			MaxAttempts: 4, FirstInterval: 1234567 * time.Nanosecond, Backoff: 1.7, Jitter: 0.5,
		})).Await()
		if err == nil {
			return "", errors.New("the bank is open again")
		}
		_, err = long.Await()
		return "done", err
	})
	durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
		env.Fail("Charge", durabletest.Always, errors.New("the bank is closed"))
		got, err := durabletest.Start(env, code, durable.None{}).Result()
		check(t, got, err, "done")
	}, code, order, charge)
}
