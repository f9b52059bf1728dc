package durable_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// An activity may run again after a crash. What must not happen twice is done
// under the key of the call.
func ExampleActivityInfoFromContext() {
	payments := map[string]int{}
	pay := durable.NewAction("Pay", func(ctx context.Context, cents int) error {
		info := durable.ActivityInfoFromContext(ctx)
		if _, done := payments[info.IdempotencyKey]; done {
			return nil
		}
		payments[info.IdempotencyKey] = cents
		return nil
	})
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, cents int) (durable.None, error) {
		return pay.Call(ctx, cents).Await()
	})
	durabletest.Example(func(env *durabletest.Env) {
		env.CrashAt(1) // after the payment, before its result is stored
		_, err := durabletest.Start(env, order, 500).Result()
		fmt.Println(len(env.Calls("Pay")), "runs,", len(payments), "payment,", err)
	}, order, pay)
	// Output: 2 runs, 1 payment, <nil>
}

func ExampleCallActivity() {
	byName := durable.NewOrchestrator("ByName", func(ctx *durable.Context, activity string) (string, error) {
		return durable.CallActivity[string](ctx, activity, "Tokyo").Await()
	})
	run(byName, "Hello", hello)
	run(byName, "Bonjour", hello)
	// Output:
	// Hello Tokyo!
	// Failed: Orchestrator function 'ByName' failed: Activity function 'Bonjour' failed: The function 'Bonjour' doesn't exist, is disabled, or is not an activity function. Additional info: The following are the known activity functions: 'Hello'.
}

// ledger is something that an activity needs.
type ledger struct{ entries []string }

func (l *ledger) book(_ context.Context, entry string) (int, error) {
	l.entries = append(l.entries, entry)
	return len(l.entries), nil
}

func ExampleDeclareActivity() {
	// Orchestrators need only the declaration.
	book := durable.DeclareActivity[string, int]("Book")
	accounting := durable.NewOrchestrator("Accounting", func(ctx *durable.Context, entry string) (int, error) {
		return book.Call(ctx, entry).Await()
	})
	// The main package gives the implementation, with what it depends on.
	l := &ledger{entries: []string{"opening balance"}}
	run(accounting, "rent", book.Implement(l.book))
	// Output: 2
}

func ExampleWithTimeout() {
	slow := durable.NewAction("Slow", func(ctx context.Context, _ durable.None) error {
		select {
		case <-time.After(time.Hour):
			return nil
		case <-ctx.Done(): // after the timeout, or on terminate or shutdown
			return ctx.Err()
		}
	})
	impatient := durable.NewOrchestrator("Impatient", func(ctx *durable.Context, _ durable.None) (string, error) {
		_, err := slow.Call(ctx, durable.None{}, durable.WithTimeout(time.Minute)).Await()
		if errors.Is(err, context.DeadlineExceeded) {
			return "too slow", nil
		}
		return "done", err
	})
	fmt.Println("after", run(impatient, durable.None{}, slow).Elapsed)
	// Output:
	// too slow
	// after 1m0s
}

func ExampleRetryPolicy() {
	durable.RegisterErrorValue("shop.closed", errClosed)
	fetch := durable.NewActivity("Fetch", func(ctx context.Context, item string) (string, error) {
		if durable.ActivityInfoFromContext(ctx).Attempt < 3 {
			return "", fmt.Errorf("fetching %s: %w", item, errClosed)
		}
		return "", errors.New("no such item")
	})
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, item string) (string, error) {
		return fetch.Call(ctx, item, durable.WithRetry(durable.RetryPolicy{
			MaxAttempts:   10,
			FirstInterval: time.Minute,
			Backoff:       2,
			MaxInterval:   time.Hour,
			Jitter:        0.5,
			Handle:        func(err error) bool { return errors.Is(err, errClosed) },
		})).Await()
	})
	durabletest.Example(func(env *durabletest.Env) {
		_, err := durabletest.Start(env, order, "tea", durable.WithInstanceID("order-1")).Result()
		fmt.Println(err)
		fmt.Println(len(env.Calls("Fetch")), "attempts")
	}, order, fetch)
	// Output:
	// orchestration order-1 (Order): Failed: Orchestrator function 'Order' failed: Activity function 'Fetch' failed: no such item
	// 3 attempts
}

var errClosed = errors.New("the shop is closed")

func ExampleTaskError() {
	divide := durable.NewActivity("Divide", func(_ context.Context, by int) (int, error) { return 100 / by, nil })
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, by int) (string, error) {
		_, err := divide.Call(ctx, by).Await()
		if failed := new(durable.TaskError); errors.As(err, &failed) {
			return fmt.Sprintf("%s, attempt %d, %s: %s", failed.Activity, failed.Attempt, failed.Type, failed.Message), nil
		}
		return "", err
	})
	run(order, 0, divide)
	// Output: Divide, attempt 1, panic: panic: runtime error: integer divide by zero (durable/example_call_test.go:120)
}

func ExampleLimitConcurrency() {
	l := &ledger{}
	book := durable.DeclareActivity[string, int]("Book")
	accounting := durable.NewOrchestrator("Accounting", func(ctx *durable.Context, entries []string) (int, error) {
		_, err := durable.Map(ctx, entries, book)
		return len(entries), err
	})
	// One at a time in each process: the ledger has no lock.
	run(accounting, []string{"rent", "tea", "salt"}, durable.LimitConcurrency(book.Implement(l.book), 1))
	fmt.Println(len(l.entries))
	// Output:
	// 3
	// 3
}

func ExampleWithMaxConcurrency() {
	most, open := 0, 0
	fetch := durable.NewAction("Fetch", func(_ context.Context, _ int) error {
		open++
		most = max(most, open)
		time.Sleep(time.Second)
		open--
		return nil
	})
	crawl := durable.NewOrchestrator("Crawl", func(ctx *durable.Context, pages []int) (int, error) {
		done, err := durable.Map(ctx, pages, fetch, durable.WithMaxConcurrency(1))
		return len(done), err
	})
	run(crawl, []int{1, 2, 3, 4}, fetch)
	fmt.Println("at most", most)
	// Output:
	// 4
	// at most 1
}

func ExampleErrTerminated() {
	mine := durable.NewAction("Mine", func(ctx context.Context, _ durable.None) error {
		<-ctx.Done() // whatever takes long watches its context
		fmt.Println("stopped because it was terminated:", errors.Is(context.Cause(ctx), durable.ErrTerminated))
		return ctx.Err()
	})
	dig := durable.NewOrchestrator("Dig", func(ctx *durable.Context, _ durable.None) (durable.None, error) {
		return mine.Call(ctx, durable.None{}).Await()
	})
	durabletest.Example(func(env *durabletest.Env) {
		i := durabletest.Start(env, dig, durable.None{})
		env.Wait()
		i.Terminate("no gold here")
		fmt.Println(i.Status().RuntimeStatus)
	}, dig, mine)
	// Output:
	// stopped because it was terminated: true
	// Terminated
}
