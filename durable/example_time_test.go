package durable_test

import (
	"fmt"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

func ExampleContext_Sleep() {
	trial := durable.NewOrchestrator("Trial", func(ctx *durable.Context, days int) (string, error) {
		if err := ctx.Sleep(time.Duration(days) * 24 * time.Hour); err != nil {
			return "", err
		}
		return "the trial ended on " + ctx.Now().Format(time.DateOnly), nil
	})
	run(trial, 365)
	// Output: the trial ended on 2027-01-01
}

func ExampleContext_NewTimerAt() {
	nextMonday := durable.NewOrchestrator("NextMonday", func(ctx *durable.Context, _ durable.None) (string, error) {
		at := ctx.Now().Truncate(24 * time.Hour).Add(9 * time.Hour)
		for at.Weekday() != time.Monday || at.Before(ctx.Now()) {
			at = at.AddDate(0, 0, 1)
		}
		_, err := ctx.NewTimerAt(at).Await()
		return ctx.Now().Format(time.RFC1123), err
	})
	run(nextMonday, durable.None{})
	// Output: Mon, 05 Jan 2026 09:00:00 UTC
}

func ExampleTimer_Cancel() {
	approval := durable.NewOrchestrator("Approval", func(ctx *durable.Context, _ durable.None) (string, error) {
		answer, reminder := durable.WaitForEvent[string](ctx, "Answer"), ctx.NewTimer(24*time.Hour)
		if durable.Select(answer, reminder) == 1 {
			return "no answer", nil
		}
		reminder.Cancel() // nobody needs it any more
		return answer.Await()
	})
	durabletest.Example(func(env *durabletest.Env) {
		request := durabletest.Start(env, approval, durable.None{})
		fmt.Println(len(request.Timers()), "timer")
		request.RaiseEvent("Answer", "yes")
		fmt.Println(request.Result())
		fmt.Println(len(request.Timers()), "timers after", env.Elapsed())
	}, approval)
	// Output:
	// 1 timer
	// yes <nil>
	// 0 timers after 0s
}

func ExampleWithStartTime() {
	report := durable.NewOrchestrator("Report", func(ctx *durable.Context, _ durable.None) (string, error) {
		return "report of " + ctx.Now().Format(time.DateTime), nil
	})
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	durabletest.Options{Start: start}.Example(func(env *durabletest.Env) {
		tonight := env.Now().Add(22 * time.Hour)
		fmt.Println(durabletest.Start(env, report, durable.None{}, durable.WithStartTime(tonight)).Result())
	}, report)
	// Output: report of 2026-01-01 22:00:00 <nil>
}

func ExampleContext_Now() {
	invoice := durable.NewOrchestrator("Invoice", func(ctx *durable.Context, _ durable.None) (string, error) {
		number := "R-" + ctx.Now().Format("20060102")
		if err := ctx.Sleep(30 * 24 * time.Hour); err != nil {
			return "", err
		}
		// In this replay the first call gives what it gave a month ago.
		return number + " was due on " + ctx.Now().Format(time.DateOnly), nil
	})
	run(invoice, durable.None{})
	// Output: R-20260101 was due on 2026-01-31
}
