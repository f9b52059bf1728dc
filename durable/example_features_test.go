package durable_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

type outOfStock struct{ Item string }

func (e *outOfStock) Error() string { return "out of stock: " + e.Item }

var errDeclined = errors.New("declined")

func ExampleRegisterError() {
	durable.RegisterError[*outOfStock]()
	reserve := durable.NewAction("Reserve", func(_ context.Context, item string) error {
		return fmt.Errorf("warehouse: %w", &outOfStock{Item: item})
	})
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, item string) (string, error) {
		_, err := reserve.Call(ctx, item).Await()
		var missing *outOfStock
		if errors.As(err, &missing) {
			return "reordering " + missing.Item, nil
		}
		return "", err
	})
	run(order, "tea", reserve)
	// Output: reordering tea
}

func ExampleRegisterErrorValue() {
	durable.RegisterErrorValue("shop.declined", errDeclined)
	charge := durable.NewAction("Charge", func(context.Context, int) error { return fmt.Errorf("bank: %w", errDeclined) })
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, amount int) (bool, error) {
		_, err := charge.Call(ctx, amount).Await()
		return errors.Is(err, errDeclined), nil
	})
	run(order, 5, charge)
	// Output: true
}

func ExampleContext_NewTimer() {
	reminder := durable.NewOrchestrator("Reminder", func(ctx *durable.Context, days int) (string, error) {
		if err := ctx.Sleep(time.Duration(days) * 24 * time.Hour); err != nil {
			return "", err
		}
		return ctx.Now().Format(time.DateOnly), nil
	})
	run(reminder, 30)
	run(reminder, -1)
	// Output:
	// 2026-01-31
	// Failed: Orchestrator function 'Reminder' failed: a timer of -24h0m0s makes no sense: it must not be negative
}

func ExampleWaitForEvent() {
	approval := durable.NewOrchestrator("Approval", func(ctx *durable.Context, _ durable.None) (string, error) {
		who, err := durable.WaitForEvent[string](ctx, "Approved", durable.WithTimeout(time.Hour)).Await()
		if errors.Is(err, durable.ErrTimeout) {
			return "nobody approved", nil
		}
		return "approved by " + who, err
	})
	durabletest.Example(func(env *durabletest.Env) {
		i := durabletest.Start(env, approval, durable.None{})
		i.RaiseEvent("approved", "Ann")
		fmt.Println(i.Result())
		fmt.Println(durabletest.Start(env, approval, durable.None{}).Result()) // an hour passes
	}, approval)
	// Output:
	// approved by Ann <nil>
	// nobody approved <nil>
}

func ExampleEvents() {
	collector := durable.NewOrchestrator("Collector", func(ctx *durable.Context, n int) (sum int, err error) {
		readings := durable.Events[int](ctx, "Reading")
		for range n {
			reading, err := readings.Receive()
			if err != nil {
				return 0, err
			}
			sum += reading
		}
		_, more, _ := readings.TryReceive()
		if more {
			return 0, errors.New("too many")
		}
		return sum, nil
	})
	durabletest.Example(func(env *durabletest.Env) {
		i := durabletest.Start(env, collector, 3)
		for n := range 3 {
			i.RaiseEvent("reading", n+1)
		}
		fmt.Println(i.Result())
	}, collector)
	// Output: 6 <nil>
}

func ExampleOrchestrator_Call() {
	greet := durable.NewOrchestrator("Greet", func(ctx *durable.Context, city string) (string, error) {
		parent, _ := ctx.Parent()
		greeting, err := hello.Call(ctx, city).Await()
		return greeting + " (for " + parent.Name + ")", err
	})
	tour := durable.NewOrchestrator("Tour", func(ctx *durable.Context, cities []string) ([]string, error) {
		var legs []*durable.Task[string]
		for _, city := range cities {
			legs = append(legs, greet.Call(ctx, city))
		}
		return durable.All(legs...)
	})
	run(tour, []string{"Tokyo", "London"}, greet, hello)
	run(tour, []string{""}, greet, hello)
	// Output:
	// [Hello Tokyo! (for Tour) Hello London! (for Tour)]
	// Failed: Orchestrator function 'Tour' failed: Orchestrator function 'Greet' failed: Activity function 'Hello' failed: no city
}

func ExampleOrchestrator_StartDetached() {
	audit := durable.NewOrchestrator("Audit", func(ctx *durable.Context, what string) (string, error) { return "audited " + what, nil })
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, _ durable.None) (string, error) {
		return audit.StartDetached(ctx, "order 7", durable.WithInstanceID("audit-7"))
	})
	durabletest.Example(func(env *durabletest.Env) {
		fmt.Println(durabletest.Start(env, order, durable.None{}).Result())
		fmt.Println(durabletest.Find[string](env, "audit-7").Result())
	}, order, audit)
	// Output:
	// audit-7 <nil>
	// audited order 7 <nil>
}

func ExampleContinueAsNew() {
	counter := durable.NewOrchestrator("Counter", func(ctx *durable.Context, total int) (int, error) {
		n, err := durable.WaitForEvent[int](ctx, "add").Await()
		if err != nil {
			return 0, err
		}
		if total += n; total < 6 {
			return 0, ctx.ContinueAsNew(total)
		}
		return total, nil
	})
	durabletest.Example(func(env *durabletest.Env) {
		i := durabletest.Start(env, counter, 0)
		for n := range 3 {
			i.RaiseEvent("add", n+1)
		}
		fmt.Println(i.Result())
		fmt.Println("the last execution began with", string(i.History().Of("ExecutionStarted")[0].Input))
	}, counter)
	// Output:
	// 6 <nil>
	// the last execution began with 3
}

func ExampleContext_SetCustomStatus() {
	job := durable.NewOrchestrator("Job", func(ctx *durable.Context, _ durable.None) (string, error) {
		ctx.SetCustomStatus(map[string]int{"percent": 50})
		return "half done", nil
	})
	fmt.Println(run(job, durable.None{}).CustomStatus)
	// Output:
	// half done
	// {"percent":50}
}

func ExampleContext_SendEvent() {
	waiter := durable.NewOrchestrator("Waiter", func(ctx *durable.Context, _ durable.None) (string, error) {
		return durable.WaitForEvent[string](ctx, "news").Await()
	})
	sender := durable.NewOrchestrator("Sender", func(ctx *durable.Context, to string) (durable.None, error) {
		return durable.None{}, ctx.SendEvent(to, "news", "all is well")
	})
	durabletest.Example(func(env *durabletest.Env) {
		i := durabletest.Start(env, waiter, durable.None{})
		durabletest.Start(env, sender, i.ID)
		fmt.Println(i.Result())
	}, waiter, sender)
	// Output: all is well <nil>
}

func ExampleSideEffect() {
	runs := 0
	lottery := durable.NewOrchestrator("Lottery", func(ctx *durable.Context, _ durable.None) (int, error) {
		ticket := durable.SideEffect(ctx, func() int { runs++; return 41 + runs })
		err := ctx.Sleep(time.Hour) // what comes after is run on a replay
		return ticket, err
	})
	run(lottery, durable.None{})
	fmt.Println("drawn", runs, "time")
	// Output:
	// 42
	// drawn 1 time
}

func ExampleStep() {
	report := durable.NewOrchestrator("Report", func(ctx *durable.Context, name string) (string, error) {
		return durable.Step(ctx, "Render", func(ctx context.Context) (string, error) {
			return fmt.Sprint("report of ", name, ", attempt ", durable.ActivityInfoFromContext(ctx).Attempt), nil
		}, durable.WithTimeout(time.Minute)).Await()
	})
	run(report, "sales")
	// Output: report of sales, attempt 1
}

func ExamplePatched() {
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, _ durable.None) (string, error) {
		if durable.Patched(ctx, "greet-politely") {
			return hello.Call(ctx, "dear customer").Await()
		}
		return hello.Call(ctx, "you").Await()
	})
	run(order, durable.None{}, hello)
	// Output: Hello dear customer!
}

func ExampleContext_CompareVersion() {
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, _ durable.None) (string, error) {
		if ctx.CompareVersion("2.0") < 0 {
			return "the old way", nil
		}
		return "the new way", nil
	})
	run(order, durable.None{})
	// Output: the old way
}

func ExampleContext_NewGUID() {
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, _ durable.None) (string, error) {
		before := ctx.NewGUID()
		dice := ctx.Rand().IntN(6) + 1
		err := ctx.Sleep(time.Hour)
		return fmt.Sprintf("%s, %d to %d", before[:8], min(dice, 1), max(dice, 6)), err
	})
	run(order, durable.None{})
	// Output: e4fd7904, 1 to 6
}
