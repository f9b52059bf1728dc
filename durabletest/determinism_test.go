package durabletest_test

import (
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
