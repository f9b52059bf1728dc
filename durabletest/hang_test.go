package durabletest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// blocked waits for a channel of its own: a mistake.
var blocked = durable.NewOrchestrator("Blocked", func(*durable.Context, durable.None) (string, error) {
	return <-make(chan string), nil
})

// isBlocked reports whether a text says which code blocks, and where.
func isBlocked(text string) bool {
	return strings.Contains(text, "Blocked orchestrator: orchestrator 'Blocked' does not come back") && strings.Contains(text, "hang_test.go:")
}

// A test may expect that an orchestrator blocks.
func TestBlockedIsExpected(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]func(env *durabletest.Env){
		"idle":    (*durabletest.Env).RunUntilIdle,
		"advance": func(env *durabletest.Env) { env.Advance(time.Hour) },
		"crash":   func(env *durabletest.Env) { env.Crash(); env.Advance(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
				i := durabletest.Start(env, blocked, durable.None{})
				wait(env)
				if err := i.Parked(); err == nil || !isBlocked(err.Error()) {
					t.Errorf("parked because of %v", err)
				}
				got, err := durabletest.Start(env, order, 5).Result()
				check(t, got, err, "receipt over 5")
			}, blocked, order, charge)
		})
	}
}

// Where none expects it, the text says where it blocks.
func TestBlockedIsFound(t *testing.T) {
	t.Parallel()
	var visits atomic.Int32
	later := durable.NewOrchestrator("Blocked", func(ctx *durable.Context, _ durable.None) (string, error) {
		if visits.Add(1) > 1 {
			<-make(chan string)
		}
		return charge.Call(ctx, 5).Await()
	})
	for name, c := range map[string]struct {
		code *durable.Orchestrator[durable.None, string]
		test func(env *durabletest.Env, code *durable.Orchestrator[durable.None, string])
	}{
		"awaited": {blocked, func(env *durabletest.Env, code *durable.Orchestrator[durable.None, string]) {
			_, _ = durabletest.Start(env, code, durable.None{}).Result()
		}},
		"left alone": {blocked, func(env *durabletest.Env, code *durable.Orchestrator[durable.None, string]) {
			durabletest.Start(env, code, durable.None{})
			env.Wait()
		}},
		"when it is replayed": {later, func(env *durabletest.Env, code *durable.Orchestrator[durable.None, string]) {
			_, _ = durabletest.Start(env, code, durable.None{}).Result()
		}},
	} {
		if got := failure(durabletest.Options{}, func(env *durabletest.Env) { c.test(env, c.code) }, c.code, charge); !isBlocked(got) {
			t.Errorf("%s: got %q", name, got)
		}
	}
	err := durabletest.CheckEveryCrash(func(env *durabletest.Env) error {
		_, err := durabletest.Start(env, blocked, durable.None{}).Result()
		return err
	}, blocked)
	if err == nil || !isBlocked(err.Error()) {
		t.Errorf("every crash: %v", err)
	}
}

// A saved history is not waited for, either.
func TestBlockedReplay(t *testing.T) {
	t.Parallel()
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		release := make(chan string)
		defer close(release)
		code := durable.NewOrchestrator("Blocked", func(*durable.Context, durable.None) (string, error) { return <-release, nil })
		saved := `[{"EventType":"OrchestratorStarted","EventId":-1,"Timestamp":"2026-01-02T03:04:05Z"},` +
			`{"EventType":"ExecutionStarted","EventId":-1,"Name":"Blocked","Timestamp":"2026-01-02T03:04:05Z"}]`
		if err := durabletest.Check([]byte(saved), code); err == nil || !isBlocked(err.Error()) {
			t.Errorf("got %v", err)
		}
	})
}

// hanging are tests that fail, of which one waits for goroutines that hang. They
// run in a process of their own.
const hanging = "DURABLETEST_HANGING"

func TestHangingOrchestrator(t *testing.T) {
	if os.Getenv(hanging) == "" {
		t.Skip("it is run by TestOthersGoOn")
	}
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		_, _ = durabletest.Start(env, blocked, durable.None{}).Result()
	}, blocked)
}

func TestHangingActivity(t *testing.T) {
	if os.Getenv(hanging) == "" {
		t.Skip("it is run by TestOthersGoOn")
	}
	stuck := durable.NewActivity("Charge", func(context.Context, int) (string, error) { return <-make(chan string), nil })
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		durabletest.Start(env, order, 5)
		env.Advance(time.Minute)
	}, order, stuck)
}

func TestHangingLast(t *testing.T) {
	if os.Getenv(hanging) == "" {
		t.Skip("it is run by TestOthersGoOn")
	}
}

// A test that hangs fails, and the others go on.
func TestOthersGoOn(t *testing.T) {
	t.Parallel()
	c := exec.Command(os.Args[0], "-test.run=^TestHanging", "-test.v")
	c.Env = append(os.Environ(), hanging+"=1")
	out, err := c.CombinedOutput()
	if exit := new(exec.ExitError); !errors.As(err, &exit) {
		t.Fatalf("the process ended with %v", err)
	}
	text := string(out)
	if !isBlocked(text) {
		t.Error("the text does not say where code blocks")
	}
	for _, part := range []string{
		"--- FAIL: TestHangingOrchestrator", "--- FAIL: TestHangingActivity", "--- PASS: TestHangingLast",
		"goroutines of the test hang", "[chan receive (durable), synctest bubble", "durabletest_test.TestHangingActivity",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("no %q", part)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}
