package durabletest_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

var eternal = durable.NewOrchestrator("Eternal", func(ctx *durable.Context, round int) (int, error) {
	if err := ctx.Sleep(time.Hour); err != nil {
		return 0, err
	}
	return 0, ctx.ContinueAsNew(round + 1)
})

// Mistakes of a test end it, with a text that says what to look at.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		test func(env *durabletest.Env)
		want string
	}{
		"the name of an activity": {func(env *durabletest.Env) {
			env.Fail("Chrage", durabletest.Always, errors.New("the bank is closed"))
			_, _ = durabletest.Start(env, order, 5).Result()
		}, `the test replaced activity "Chrage", or made it fail, and nobody called it. The function 'Chrage' doesn't exist`},
		"the name of an orchestrator": {func(env *durabletest.Env) {
			env.FailOrchestrator("Odrer", durabletest.Always, errors.New("out of stock"))
			_, _ = durabletest.Start(env, order, 5).Result()
		}, `the test replaced orchestrator "Odrer", or made it fail, and nobody called it. The app has ["Approval" "Eternal" "Order"]`},
		"an event for what has finished": {func(env *durabletest.Env) {
			env.Fail("Charge", durabletest.Always, errors.New("the bank is closed"))
			i := durabletest.Start(env, order, 5)
			env.RunUntilIdle()
			i.RaiseEvent("Approved", "Ann")
		}, `the instance has finished: Failed "Orchestrator function 'Order' failed: Activity function 'Charge' failed: the bank is closed"`},
		"an event that does not come": {func(env *durabletest.Env) {
			i := durabletest.Start(env, approval, durable.None{})
			i.Suspend("wait")
			_, _ = i.Result()
		}, "does not finish: it is Suspended"},
		"a function that is not registered": {func(env *durabletest.Env) {
			durabletest.Start(env, monitor, schedule{})
		}, "The function 'Monitor' doesn't exist"},
		"a failure without an error": {func(env *durabletest.Env) {
			env.Fail("Charge", 1, nil)
		}, `activity "Charge" is to fail, but the error is nil`},
		"an orchestrator's failure without an error": {func(env *durabletest.Env) {
			env.FailOrchestrator("Order", durabletest.Always, nil)
		}, `orchestrator "Order" is to fail, but the error is nil`},
		"a failure that makes no sense": {func(env *durabletest.Env) {
			env.Fail("Charge", -2, errors.New("the bank is closed"))
		}, `activity "Charge" cannot fail -2 times`},
		"a clock that goes back": {func(env *durabletest.Env) {
			env.Advance(-time.Second)
		}, "Advance(-1s): time does not go back"},
		"an orchestrator that never ends": {func(env *durabletest.Env) {
			_, _ = durabletest.Start(env, eternal, 0).Result()
		}, "there is no end in sight; for orchestrations that never end use Advance"},
		"an orchestrator that never ends, by name": {func(env *durabletest.Env) {
			durabletest.Start(env, eternal, 0, durable.WithInstanceID("e"))
			env.RunUntilIdle()
		}, "Eternal runs (instance e), and there is no end in sight"},
		"a result of another type": {func(env *durabletest.Env) {
			durabletest.Start(env, order, 5, durable.WithInstanceID("o"))
			if _, err := durabletest.Find[[]int](env, "o").Result(); err != nil {
				panic(err)
			}
		}, "the result of instance o (Order) is no []int: json: cannot unmarshal string"},
	} {
		if got := failure(durabletest.Options{}, c.test, order, charge, approval, eternal); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// An activity that the test does not have ends it at once and says so, unless the test is
// about that: then the call fails.
func TestMissingActivity(t *testing.T) {
	t.Parallel()
	var took time.Duration
	var failed error
	test := func(env *durabletest.Env) {
		defer func() { took = env.Elapsed() }()
		_, failed = durabletest.Start(env, order, 5).Result()
	}
	const want = `an orchestration calls activity "Charge", which the test does not have: give it to Run, or replace it. The function 'Charge' doesn't exist`
	if got := failure(durabletest.Options{}, test, order); !strings.Contains(got, want) || took > time.Second || failed != nil {
		t.Errorf("after %v: %q, %v", took, got, failed)
	}
	if got := failure(durabletest.Options{Unregistered: true}, test, order); got != "" || failed == nil || !strings.Contains(failed.Error(), "The function 'Charge' doesn't exist") {
		t.Errorf("where that is allowed: %q, %v", got, failed)
	}
}

// An entity that the test does not have ends it like an activity.
func TestMissingEntity(t *testing.T) {
	t.Parallel()
	var failed error
	test := func(env *durabletest.Env) { _, failed = durabletest.Start(env, callers, "alice").Result() }
	const want = `the app has no entity "account", which is called or signalled: give it to Run. The function 'account' doesn't exist`
	if got := failure(durabletest.Options{}, test, callers); !strings.Contains(got, want) || failed != nil {
		t.Errorf("got %q, %v", got, failed)
	}
	if got := failure(durabletest.Options{Unregistered: true}, test, callers); got != "" || failed == nil || !strings.Contains(failed.Error(), "not an entity function") {
		t.Errorf("where that is allowed: %q, %v", got, failed)
	}
}

// What only a planned crash brings about is not logged as if it were a mistake.
func TestPlannedCrashesAreNotLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	quiet := slog.New(durabletest.Planned(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})))
	err := durabletest.Options{Log: quiet}.CheckEveryCrash(func(env *durabletest.Env) error {
		_, err := durabletest.Start(env, order, 5).Result()
		return err
	}, order, charge)
	if err != nil || strings.Contains(log.String(), "dead") || strings.Contains(log.String(), "lost") {
		t.Errorf("%v, the log is\n%s", err, log.String())
	}
	quiet.Error("a request failed", "error", errors.New("no disk"))
	if !strings.Contains(log.String(), "no disk") {
		t.Error("another error was left out")
	}
}

// An app belongs to one environment at a time, and to the next one afterwards.
func TestAppInTwoEnvironments(t *testing.T) {
	t.Parallel()
	app := durable.NewApp()
	app.Register(order, charge)
	o := durabletest.Options{App: app}
	for range 2 {
		o.Run(t, func(t *testing.T, env *durabletest.Env) {
			got, err := durabletest.Start(env, order, 5).Result()
			check(t, got, err, "receipt over 5")
			if err := o.Check([]byte(`[]`)); err == nil || !strings.Contains(err.Error(), "another environment") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// What the engine says again each minute of virtual time is said once.
func TestWarningsAreLoggedOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	once := durabletest.DefaultLog(&log)
	code := fickle(0)
	durabletest.Options{Log: once}.Run(t, func(t *testing.T, env *durabletest.Env) {
		i := durabletest.Start(env, code, 2)
		env.Advance(24 * time.Hour)
		if i.Parked() == nil {
			t.Error("it is not parked")
		}
	}, code)
	if n := strings.Count(log.String(), "orchestration parked"); n != 1 || strings.Count(log.String(), "\n") > 3 {
		t.Errorf("said %d times:\n%s", n, log.String())
	}
}

// A request that ended because its process did is no failure of storage.
func TestEndOfProcessIsNoStorageFailure(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	o := durabletest.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}
	o.Run(t, func(t *testing.T, env *durabletest.Env) {
		i := durabletest.Start(env, approval, durable.None{})
		env.Advance(time.Second)
		i.Suspend("wait")
		i.RaiseEvent("Approved", "Ann")
		i.Resume("go on")
		env.Crash()
		last := durabletest.Start(env, approval, durable.None{})
		if err := env.Client().Terminate(t.Context(), last.ID, "at the end"); err != nil {
			t.Error(err)
		}
	}, approval)
	if strings.Contains(log.String(), "storage request failed") {
		t.Errorf("the log is\n%s", log.String())
	}
}
