package durable_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

var hello = durable.NewActivity("Hello", func(_ context.Context, city string) (string, error) {
	if city == "" {
		return "", errors.New("no city")
	}
	return "Hello " + city + "!", nil
})

func ExampleActivity_Call() {
	chain := durable.NewOrchestrator("Chain", func(ctx *durable.Context, _ durable.None) ([]string, error) {
		var greetings []string
		for _, city := range []string{"Tokyo", "Seattle", "London"} {
			greeting, err := hello.Call(ctx, city).Await()
			if err != nil {
				return nil, err
			}
			greetings = append(greetings, greeting)
		}
		return greetings, nil
	})
	run(chain, durable.None{}, hello)
	// Output: [Hello Tokyo! Hello Seattle! Hello London!]
}

func ExampleAll() {
	fanOut := durable.NewOrchestrator("FanOut", func(ctx *durable.Context, cities []string) ([]string, error) {
		var tasks []*durable.Task[string]
		for _, city := range cities {
			tasks = append(tasks, hello.Call(ctx, city))
		}
		return durable.All(tasks...)
	})
	run(fanOut, []string{"Tokyo", "Seattle"}, hello)
	run(fanOut, []string{"Tokyo", "", ""}, hello)
	// Output:
	// [Hello Tokyo! Hello Seattle!]
	// Failed: Orchestrator function 'FanOut' failed: Activity function 'Hello' failed: no city
	// Activity function 'Hello' failed: no city
}

func ExampleMap() {
	fanOut := durable.NewOrchestrator("FanOut", func(ctx *durable.Context, cities []string) ([]string, error) {
		return durable.Map(ctx, cities, hello, durable.WithMaxConcurrency(2))
	})
	run(fanOut, []string{"Tokyo", "Seattle", "London"}, hello)
	// Output: [Hello Tokyo! Hello Seattle! Hello London!]
}

func ExampleAny() {
	race := durable.NewOrchestrator("Race", func(ctx *durable.Context, _ durable.None) (string, error) {
		i, first := durable.Any(
			durable.WaitForEvent[string](ctx, "red"),
			durable.WaitForEvent[string](ctx, "blue"),
		)
		word, err := first.Await()
		return fmt.Sprintf("%d: %s", i, word), err
	})
	durabletest.Example(func(env *durabletest.Env) {
		i := durabletest.Start(env, race, durable.None{})
		i.RaiseEvent("blue", "was first")
		fmt.Println(i.Result())
	}, race)
	// Output: 1: was first <nil>
}

func ExampleSelect() {
	approval := durable.NewOrchestrator("Approval", func(ctx *durable.Context, _ durable.None) (string, error) {
		deadline := ctx.NewTimer(72 * time.Hour)
		answer := durable.WaitForEvent[bool](ctx, "Approved")
		if durable.Select(answer, deadline) == 1 {
			return "escalated", nil
		}
		deadline.Cancel()
		approved, err := answer.Await()
		return fmt.Sprint("approved: ", approved), err
	})
	durabletest.Example(func(env *durabletest.Env) {
		i := durabletest.Start(env, approval, durable.None{})
		env.Advance(time.Hour)
		i.RaiseEvent("approved", true)
		fmt.Println(i.Result())
		fmt.Println(durabletest.Start(env, approval, durable.None{}).Result()) // three days pass
	}, approval)
	// Output:
	// approved: true <nil>
	// escalated <nil>
}

func ExampleAsCompleted() {
	arrivals := durable.NewOrchestrator("Arrivals", func(ctx *durable.Context, _ durable.None) (string, error) {
		timers := []*durable.Task[durable.None]{
			&ctx.NewTimer(3 * time.Second).Task, &ctx.NewTimer(time.Second).Task, &ctx.NewTimer(2 * time.Second).Task,
		}
		var order []string
		for i := range durable.AsCompleted(timers...) {
			order = append(order, fmt.Sprintf("timer %d after %v", i, ctx.Now().Sub(ctx.Now().Truncate(time.Minute))))
		}
		return strings.Join(order, ", "), nil
	})
	run(arrivals, durable.None{})
	// Output: timer 1 after 1s, timer 2 after 2s, timer 0 after 3s
}

func ExampleFirstError() {
	check := durable.NewOrchestrator("Check", func(ctx *durable.Context, _ durable.None) (string, error) {
		slow := durable.WaitForEvent[string](ctx, "never")
		_, err := durable.FirstError(slow, hello.Call(ctx, ""))
		return fmt.Sprint("did not wait: ", err), nil
	})
	run(check, durable.None{}, hello)
	// Output: did not wait: Activity function 'Hello' failed: no city
}

func ExampleAllSettled() {
	check := durable.NewOrchestrator("Check", func(ctx *durable.Context, _ durable.None) (string, error) {
		ends := durable.AllSettled(hello.Call(ctx, "Tokyo"), hello.Call(ctx, ""))
		return fmt.Sprintf("%s / %v", ends[0].Value, ends[1].Err), nil
	})
	run(check, durable.None{}, hello)
	// Output: Hello Tokyo! / Activity function 'Hello' failed: no city
}

func ExampleGo() {
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, _ durable.None) (string, error) {
		payment := durable.Go(ctx, func(ctx *durable.Context) (string, error) {
			if err := ctx.Sleep(time.Minute); err != nil {
				return "", err
			}
			return hello.Call(ctx, "bank").Await()
		})
		parcel := durable.Go(ctx, func(ctx *durable.Context) (string, error) {
			return hello.Call(ctx, "post").Await()
		})
		both, err := durable.All(payment, parcel)
		return strings.Join(both, " "), err
	})
	run(order, durable.None{}, hello)
	// Output: Hello bank! Hello post!
}

func ExampleWaitGroup() {
	both := durable.NewOrchestrator("Both", func(ctx *durable.Context, _ durable.None) (string, error) {
		var branches durable.WaitGroup
		var seen []string
		for _, d := range []time.Duration{2 * time.Second, time.Second} {
			branches.Go(ctx, func(ctx *durable.Context) error {
				err := ctx.Sleep(d)
				seen = append(seen, d.String()) // one branch runs at a time
				return err
			})
		}
		err := branches.Wait()
		return strings.Join(seen, " "), err
	})
	run(both, durable.None{})
	// Output: 1s 2s
}

func ExampleWithRetry() {
	flaky := durable.NewActivity("Flaky", func(ctx context.Context, _ durable.None) (string, error) {
		info := durable.ActivityInfoFromContext(ctx)
		if info.Attempt < 3 {
			return "", fmt.Errorf("attempt %d failed", info.Attempt)
		}
		return fmt.Sprintf("attempt %d worked", info.Attempt), nil
	})
	patient := durable.NewOrchestrator("Patient", func(ctx *durable.Context, _ durable.None) (string, error) {
		return flaky.Call(ctx, durable.None{}, durable.WithRetry(durable.RetryPolicy{
			MaxAttempts:   5,
			FirstInterval: 10 * time.Second,
			Backoff:       2,
		})).Await()
	})
	left := run(patient, durable.None{}, flaky)
	fmt.Println("it took", left.Elapsed)
	// Output:
	// attempt 3 worked
	// it took 30s
}

func ExampleNonRetryable() {
	charge := durable.NewAction("Charge", func(context.Context, durable.None) error {
		return durable.NonRetryable(errors.New("the card is stolen"))
	})
	shop := durable.NewOrchestrator("Shop", func(ctx *durable.Context, _ durable.None) (string, error) {
		_, err := charge.Call(ctx, durable.None{}, durable.WithRetry(durable.RetryPolicy{MaxAttempts: 5, FirstInterval: time.Hour})).Await()
		return fmt.Sprintf("%v, after %v", err, ctx.Now().Sub(ctx.Now().Truncate(time.Hour))), nil
	})
	run(shop, durable.None{}, charge)
	// Output: Activity function 'Charge' failed: the card is stolen, after 0s
}

func ExampleRetryAfter() {
	api := durable.NewActivity("API", func(ctx context.Context, _ durable.None) (string, error) {
		if durable.ActivityInfoFromContext(ctx).Attempt == 1 {
			return "", durable.RetryAfter(errors.New("429"), 90*time.Second)
		}
		return "200", nil
	})
	caller := durable.NewOrchestrator("Caller", func(ctx *durable.Context, _ durable.None) (string, error) {
		return api.Call(ctx, durable.None{}, durable.WithRetry(durable.RetryPolicy{MaxAttempts: 2, FirstInterval: time.Second})).Await()
	})
	fmt.Println("after", run(caller, durable.None{}, api).Elapsed)
	// Output:
	// 200
	// after 1m30s
}
