package durable_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// outcome runs an orchestrator without input and tells how it ended.
func outcome(t *testing.T, f func(ctx *durable.Context) (string, error), functions ...durable.Registration) string {
	t.Helper()
	o := durable.NewOrchestrator("O", func(ctx *durable.Context, _ durable.None) (string, error) { return f(ctx) })
	options := durabletest.Options{Settings: `{"maxOrchestrationActions": 1000}`, Unregistered: true}
	var out string
	options.Run(t, func(t *testing.T, env *durabletest.Env) {
		var err error
		out, err = begin(env, o, durable.None{}).Result()
		if failed := new(durable.OrchestrationError); errors.As(err, &failed) {
			out = strings.TrimPrefix(failed.Message, "Orchestrator function 'O' failed: ")
		} else if err != nil {
			t.Fatal(err)
		}
	}, append(functions, o, hello)...)
	return out
}

// TestBadCalls makes each mistake: the orchestrator learns of it as the error
// of the call, and may go on.
func TestBadCalls(t *testing.T) {
	policy := func(p durable.RetryPolicy) func(*durable.Context) error {
		return func(ctx *durable.Context) error {
			_, err := hello.Call(ctx, "x", durable.WithRetry(p)).Await()
			return err
		}
	}
	event := func(name string, options ...durable.EventOption) func(*durable.Context) error {
		return func(ctx *durable.Context) error {
			_, err := durable.WaitForEvent[string](ctx, name, options...).Await()
			return err
		}
	}
	cases := []struct {
		name string
		call func(ctx *durable.Context) error
		want string
	}{
		{"negative timer", func(ctx *durable.Context) error { return ctx.Sleep(-time.Second) }, "a timer of -1s makes no sense: it must not be negative"},
		{"no attempts", policy(durable.RetryPolicy{FirstInterval: 1}), "a retry policy needs MaxAttempts of at least 1, not 0"},
		{"no interval", policy(durable.RetryPolicy{MaxAttempts: 2}), "a retry policy needs a FirstInterval above 0, not 0s"},
		{"backoff", policy(durable.RetryPolicy{MaxAttempts: 2, FirstInterval: 1, Backoff: 0.5}), "the Backoff of a retry policy is at least 1, not 0.5"},
		{"max interval", policy(durable.RetryPolicy{MaxAttempts: 2, FirstInterval: 2, MaxInterval: 1}), "the MaxInterval of a retry policy (1ns) is at least its FirstInterval (2ns)"},
		{"retry timeout", policy(durable.RetryPolicy{MaxAttempts: 2, FirstInterval: 2, Timeout: 1}), "the Timeout of a retry policy (1ns) is at least its FirstInterval (2ns)"},
		{"jitter", policy(durable.RetryPolicy{MaxAttempts: 2, FirstInterval: 2, Jitter: 2}), "the Jitter of a retry policy is between 0 and 1, not 2"},
		{"empty event name", event(""), "the name of an event has 1 to 256 bytes, not 0"},
		{"long event name", event(strings.Repeat("x", 257)), "the name of an event has 1 to 256 bytes, not 257"},
		{"input that is no JSON", func(ctx *durable.Context) error {
			_, err := durable.CallActivity[string](ctx, "Hello", func() {}).Await()
			return err
		}, `input of activity "Hello": json: unsupported type: func()`},
		{"wrong result type", func(ctx *durable.Context) error {
			_, err := durable.CallActivity[int](ctx, "Hello", "x").Await()
			return err
		}, `the result of activity "Hello" is no int: json: cannot unmarshal string into Go value of type int`},
		{"wrong data of an event", func(ctx *durable.Context) error {
			if err := ctx.SendEvent(ctx.InstanceID(), "Decided", "yes"); err != nil {
				return err
			}
			_, err := durable.WaitForEvent[int](ctx, "Decided").Await()
			return err
		}, `the data of event "Decided" is no int: json: cannot unmarshal string into Go value of type int`},
		{"event that is late", func(ctx *durable.Context) error {
			_, err := durable.WaitForEvent[int](ctx, "Decided", durable.WithTimeout(time.Hour)).Await()
			if !errors.Is(err, durable.ErrTimeout) {
				return errors.New("no timeout")
			}
			return err
		}, `event "Decided": the wait timed out`},
		{"wrong input type", func(ctx *durable.Context) error {
			_, err := durable.CallActivity[string](ctx, "Hello", 5).Await()
			return err
		}, "Activity function 'Hello' failed: the input is no string: json: cannot unmarshal number into Go value of type string"},
		{"unknown activity", func(ctx *durable.Context) error {
			_, err := durable.CallActivity[string](ctx, "Goodbye", 5).Await()
			return err
		}, "Activity function 'Goodbye' failed: The function 'Goodbye' doesn't exist, is disabled, or is not an activity function. Additional info: The following are the known activity functions: 'Hello'."},
		{"own id", func(ctx *durable.Context) error {
			_, err := durable.CallOrchestrator[string](ctx, "O", nil, durable.WithInstanceID("i1")).Await()
			return err
		}, "Orchestrator function 'O' failed: The instance ID of a sub-orchestration must be different than the instance ID of a parent orchestration."},
		{"no concurrency", func(ctx *durable.Context) error {
			_, err := durable.Map(ctx, []string{"x"}, hello, durable.WithMaxConcurrency(0))
			return err
		}, "a concurrency of 0 makes no sense: it must be at least 1"},
		{"name of a step", func(ctx *durable.Context) error {
			_, err := durable.Step(ctx, "a b", func(context.Context) (string, error) { return "", nil }).Await()
			return err
		}, `"a b" is not a name for a step: a letter, then letters, digits, _ and -`},
		{"event without a name", func(ctx *durable.Context) error { return ctx.SendEvent("i2", "", 1) }, "the name of an event has 1 to 256 bytes, not 0"},
		{"continue with another type", func(ctx *durable.Context) error {
			err := ctx.ContinueAsNew(5)
			return err
		}, "ContinueAsNew was called with an input that it refuses: it is a int, and the orchestrator's input is a durable.None"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := outcome(t, func(ctx *durable.Context) (string, error) {
				if err := c.call(ctx); err != nil {
					return err.Error(), nil
				}
				return "no error", nil
			})
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestBrokenRules has code that does what no orchestrator may do: it fails,
// with a text that says what was wrong, and leaves no goroutine behind, which
// the environment sees to.
func TestBrokenRules(t *testing.T) {
	cases := []struct {
		name string
		code func(ctx *durable.Context) (string, error)
		want string
	}{
		{"none to wait for", func(*durable.Context) (string, error) { _, first := durable.Any[string](); return first.Await() }, "Any and Select need at least one task: of none, none ends"},
		{"context in a side effect", func(ctx *durable.Context) (string, error) {
			return durable.SideEffect(ctx, func() string { hello.Call(ctx, "x"); return "" }), nil
		}, "the function of a side effect used the Context"},
		{"side effect that is no JSON", func(ctx *durable.Context) (string, error) {
			durable.SideEffect(ctx, func() any { return func() {} })
			return "", nil
		}, "the value of a SideEffect cannot be stored: json: unsupported type: func()"},
		{"goroutine", func(ctx *durable.Context) (string, error) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = ctx.Sleep(time.Second)
			}()
			<-done
			return hello.Call(ctx, "x").Await()
		}, "the Context of an orchestrator was used on another goroutine; use durable.Go for concurrent branches, and activities for everything else"},
		{"panic in a branch", func(ctx *durable.Context) (string, error) {
			return durable.Go(ctx, func(*durable.Context) (string, error) { panic("oh") }).Await()
		}, "panic: oh (durable/model_test.go:153)"},
		{"branch that continues as new", func(ctx *durable.Context) (string, error) {
			return durable.Go(ctx, func(ctx *durable.Context) (string, error) {
				return "", ctx.ContinueAsNew(durable.None{})
			}).Await()
		}, "ContinueAsNew is for the orchestrator itself, not for one of its branches"},
		{"continue as new without return", func(ctx *durable.Context) (string, error) {
			_ = ctx.ContinueAsNew(durable.None{})
			return "done", nil
		}, "ContinueAsNew was called, and its error was not returned: it does nothing by itself; return the error as that of the orchestrator"},
		{"large status", func(ctx *durable.Context) (string, error) {
			ctx.SetCustomStatus(strings.Repeat("x", 9000))
			return "done", nil
		}, "The UTF-16 size of the JSON-serialized payload must not exceed 16 KB. The current payload size is 17 KB."},
		{"status that is no JSON", func(ctx *durable.Context) (string, error) {
			ctx.SetCustomStatus(func() {})
			return "done", nil
		}, "custom status: json: unsupported type: func()"},
		{"Goexit", func(*durable.Context) (string, error) { runtime.Goexit(); return "", nil }, "the orchestrator ended its goroutine with runtime.Goexit"},
		{"large result", func(*durable.Context) (string, error) { return strings.Repeat("x", 10<<20), nil }, "the result cannot be stored: 10485762 bytes, at most 10485760 are stored (maxPayload)"},
		{"endless loop", func(ctx *durable.Context) (string, error) {
			for {
				hello.Call(ctx, "x")
			}
		}, "the orchestrator asked for more than 1000 actions (maxOrchestrationActions); is there a loop that never ends? Long loops use continue-as-new"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := outcome(t, c.code); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestErrorsCrossBoundaries follows a registered error from an activity through
// a child to its parent.
func TestErrorsCrossBoundaries(t *testing.T) {
	durable.RegisterError[*outOfStock]()
	durable.RegisterErrorValue("shop.declined", errDeclined)
	for _, cause := range []error{&outOfStock{Item: "tea"}, errDeclined, context.DeadlineExceeded} {
		fails := durable.NewAction("Fails", func(context.Context, durable.None) error { return fmt.Errorf("wrapped: %w", cause) })
		child := durable.NewOrchestrator("Child", func(ctx *durable.Context, _ durable.None) (string, error) {
			_, err := fails.Call(ctx, durable.None{}).Await()
			return "", err
		})
		got := outcome(t, func(ctx *durable.Context) (string, error) {
			_, err := child.Call(ctx, durable.None{}).Await()
			var of *durable.TaskError
			var missing *outOfStock
			found := errors.Is(err, cause) || errors.As(err, &missing) && missing.Item == "tea"
			if !errors.As(err, &of) {
				return "no TaskError", nil
			}
			return fmt.Sprintf("%s in %s: %v", of.Orchestrator, of.InstanceID, found), nil
		}, fails, child)
		if want := "Child in i1: true"; got != want {
			t.Errorf("%v: got %q, want %q", cause, got, want)
		}
	}
}

func TestUnregisteredErrorsKeepTypeAndText(t *testing.T) {
	fails := durable.NewAction("Fails", func(context.Context, durable.None) error { return durable.NonRetryable(&plainError{}) })
	panics := durable.NewAction("Panics", func(context.Context, durable.None) error { panic("oh") })
	got := outcome(t, func(ctx *durable.Context) (string, error) {
		_, err := fails.Call(ctx, durable.None{}).Await()
		var first, second *durable.TaskError
		errors.As(err, &first)
		_, err = panics.Call(ctx, durable.None{}).Await()
		errors.As(err, &second)
		return fmt.Sprintf("%s %q %v; %s %q %v", first.Type, first.Message, first.Cause, second.Type, second.Message, strings.Contains(second.Stack, "model_test.go")), nil
	}, fails, panics)
	if want := `*durable_test.plainError "plain" <nil>; panic "panic: oh (durable/model_test.go:218)" true`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

type plainError struct{}

func (*plainError) Error() string { return "plain" }

// TestTimeoutOfAnActivity has an activity that waits for its context.
func TestTimeoutOfAnActivity(t *testing.T) {
	slow := durable.NewAction("Slow", func(ctx context.Context, _ durable.None) error {
		<-ctx.Done()
		return ctx.Err()
	})
	got := outcome(t, func(ctx *durable.Context) (string, error) {
		_, err := slow.Call(ctx, durable.None{}, durable.WithTimeout(time.Millisecond)).Await()
		return fmt.Sprint(errors.Is(err, context.DeadlineExceeded)), nil
	}, slow)
	if got != "true" {
		t.Errorf("got %s", got)
	}
}

// TestAwaitTwice awaits everything again: the result is the same.
func TestAwaitTwice(t *testing.T) {
	got := outcome(t, func(ctx *durable.Context) (string, error) {
		call, timer := hello.Call(ctx, "x"), ctx.NewTimer(time.Second)
		branch := durable.Go(ctx, func(ctx *durable.Context) (string, error) { return "b", nil })
		for range 2 {
			_, timerErr := timer.Await()
			a, errA := call.Await()
			b, errB := branch.Await()
			if a != "Hello x!" || b != "b" || timerErr != nil || errA != nil || errB != nil {
				return "", fmt.Errorf("%s %s %w", a, b, errors.Join(timerErr, errA, errB))
			}
		}
		return fmt.Sprint(timer.Cancel()), nil
	})
	if got != "false" {
		t.Errorf("got %s", got)
	}
}
