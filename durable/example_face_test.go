package durable_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

func ExampleAction_Do() {
	ship := durable.NewAction("Ship", func(_ context.Context, parcel string) error {
		if parcel == "" {
			return errors.New("there is nothing to ship")
		}
		return nil
	})
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, parcel string) (string, error) {
		if err := ship.Do(ctx, parcel); err != nil {
			return "", err
		}
		return parcel + " shipped", nil
	})
	run(order, "book", ship)
	run(order, "", ship)
	// Output:
	// book shipped
	// Failed: Orchestrator function 'Order' failed: Activity function 'Ship' failed: there is nothing to ship
}

// mailer is something that an action needs.
type mailer struct{ sent []string }

func (m *mailer) send(_ context.Context, to string) error {
	m.sent = append(m.sent, to)
	return nil
}

func ExampleDeclareAction() {
	mail := durable.DeclareAction[string]("Mail")
	welcome := durable.NewOrchestrator("Welcome", func(ctx *durable.Context, who string) (durable.None, error) {
		return durable.None{}, mail.Do(ctx, who)
	})
	m := &mailer{}
	run(welcome, "ann@example.com", mail.Implement(m.send))
	fmt.Println(m.sent)
	// Output:
	// {}
	// [ann@example.com]
}

// An event is named once, with the type of its data, for those who wait for it and
// those who raise it.
func ExampleNewEvent() {
	type decision struct{ By string }
	decided := durable.NewEvent[decision]("Decided")
	approval := durable.NewOrchestrator("Approval", func(ctx *durable.Context, _ durable.None) (string, error) {
		d, err := decided.Wait(ctx, durable.WithTimeout(72*time.Hour)).Await()
		return "decided by " + d.By, err
	})
	durabletest.Example(func(env *durabletest.Env) {
		i := durabletest.Start(env, approval, durable.None{})
		err := decided.Raise(context.Background(), env.Client(), i.ID, decision{By: "Ann"})
		out, failed := i.Result()
		fmt.Println(err, out, failed)
	}, approval)
	// Output: <nil> decided by Ann <nil>
}

func ExampleEvent_Channel() {
	added := durable.NewEvent[int]("Added")
	sum := durable.NewOrchestrator("Sum", func(ctx *durable.Context, n int) (total int, err error) {
		for numbers := added.Channel(ctx); n > 0; n-- {
			number, err := numbers.Receive()
			if err != nil {
				return 0, err
			}
			total += number
		}
		return total, nil
	})
	feeds := durable.NewOrchestrator("Feeds", func(ctx *durable.Context, sum string) (durable.None, error) {
		return durable.None{}, errors.Join(added.Send(ctx, sum, 3), added.Send(ctx, sum, 4))
	})
	durabletest.Example(func(env *durabletest.Env) {
		i := durabletest.Start(env, sum, 2)
		durabletest.Start(env, feeds, i.ID)
		fmt.Println(i.Result())
	}, sum, feeds)
	// Output: 7 <nil>
}

// What knows the id of an instance has all that its starter has.
func ExampleOrchestrator_Get() {
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, _ durable.None) (string, error) {
		return durable.WaitForEvent[string](ctx, "Paid").Await()
	})
	durabletest.Example(func(env *durabletest.Env) {
		ctx, client := context.Background(), env.Client()
		durabletest.Start(env, order, durable.None{}, durable.WithInstanceID("order-7"))
		env.Wait()
		it := order.Get(client, "order-7")
		status, err := it.Status(ctx)
		fmt.Println(status.Name, status.Finished(), err)
		fmt.Println(it.RaiseEvent(ctx, "Paid", "in cash"))
		fmt.Println(it.Result(ctx))
	}, order)
	// Output:
	// Order false <nil>
	// <nil>
	// in cash <nil>
}

func ExampleOrchestrator_ContinueAsNew() {
	type sweep struct{ Round int }
	janitor := durable.DeclareOrchestrator[sweep, string]("Janitor")
	clean := func(ctx *durable.Context, s sweep) (string, error) {
		if s.Round == 3 {
			return "three rounds", nil
		}
		if err := ctx.Sleep(24 * time.Hour); err != nil {
			return "", err
		}
		return janitor.ContinueAsNew(ctx, sweep{s.Round + 1})
	}
	durabletest.Example(func(env *durabletest.Env) {
		fmt.Println(durabletest.Start(env, janitor, sweep{1}).Result())
		fmt.Println(env.Elapsed())
	}, janitor.Implement(clean))
	// Output:
	// three rounds <nil>
	// 48h0m0s
}

func ExampleHTTPStart() {
	hello := durable.NewActivity("Hello", func(_ context.Context, city string) (string, error) {
		return "Hello " + city + "!", nil
	})
	greet := durable.NewOrchestrator("Greet", func(ctx *durable.Context, city string) (string, error) {
		return hello.Call(ctx, city).Await()
	})
	app := durable.NewApp()
	app.Register(greet, hello)
	app.HandleHTTP("HttpStart", durable.HTTPStart(app.Client(), greet))
	durabletest.Options{App: app}.Example(func(env *durabletest.Env) {
		for _, path := range []string{"/api/start?id=i1", "/api/start?id=a/b"} {
			answer := httptest.NewRecorder()
			env.HTTP("HttpStart").ServeHTTP(answer, httptest.NewRequest(http.MethodPost, path, strings.NewReader(`"Tokyo"`)))
			fmt.Println(answer.Code)
		}
		fmt.Println(durabletest.Find[string](env, "i1").Result())
	})
	// Output:
	// 202
	// 400
	// Hello Tokyo! <nil>
}

// Each item has its result or its error, children as well as activities.
func ExampleMapSettled() {
	ship := durable.NewOrchestrator("Ship", func(ctx *durable.Context, item string) (string, error) {
		if item == "anvil" {
			return "", errors.New("too heavy")
		}
		return hello.Call(ctx, item).Await()
	})
	fanOut := durable.NewOrchestrator("FanOut", func(ctx *durable.Context, items []string) (string, error) {
		var left []string
		for i, r := range durable.MapSettled(ctx, items, ship, durable.WithMaxConcurrency(2)) {
			if r.Err != nil {
				left = append(left, items[i])
			}
		}
		return fmt.Sprint("not shipped: ", left), nil
	})
	run(fanOut, []string{"book", "anvil", "pen"}, ship, hello)
	// Output: not shipped: [anvil]
}

// The joined error of a Map has the index and the input of each item that failed.
func ExampleItemError() {
	pay := durable.NewAction("Pay", func(_ context.Context, cents int) error {
		if cents < 0 {
			return errors.New("less than nothing")
		}
		return nil
	})
	all := durable.NewOrchestrator("All", func(ctx *durable.Context, sums []int) (string, error) {
		_, err := durable.Map(ctx, sums, pay)
		var item *durable.ItemError
		if errors.As(err, &item) {
			return fmt.Sprint(item.Index, item.Input), nil
		}
		return "paid", err
	})
	run(all, []int{5, -7, 9}, pay)
	// Output: 1 -7
}

// Two of the three orders are worked on at a time, each by code of several calls.
func ExampleBranch() {
	work := durable.Branch(func(ctx *durable.Context, city string) (string, error) {
		if err := ctx.Sleep(time.Hour); err != nil {
			return "", err
		}
		return hello.Call(ctx, city).Await()
	})
	pool := durable.NewOrchestrator("Pool", func(ctx *durable.Context, cities []string) ([]string, error) {
		return durable.Map(ctx, cities, work, durable.WithMaxConcurrency(2))
	})
	left := run(pool, []string{"Tokyo", "Seattle", "London"}, hello)
	fmt.Println(left.Elapsed)
	// Output:
	// [Hello Tokyo! Hello Seattle! Hello London!]
	// 2h0m0s
}

// A child that takes too long is terminated, and so is what it has started.
func ExampleWithTotalTimeout() {
	slow := durable.NewOrchestrator("Slow", func(ctx *durable.Context, _ durable.None) (string, error) {
		return "late", ctx.Sleep(24 * time.Hour)
	})
	hurry := durable.NewOrchestrator("Hurry", func(ctx *durable.Context, _ durable.None) (string, error) {
		_, err := slow.Call(ctx, durable.None{}, durable.WithInstanceID("slow"), durable.WithTotalTimeout(time.Hour)).Await()
		return fmt.Sprint(errors.Is(err, durable.ErrTimeout)), nil
	})
	durabletest.Example(func(env *durabletest.Env) {
		fmt.Println(durabletest.Start(env, hurry, durable.None{}).Result())
		fmt.Println(env.Elapsed() < 2*time.Hour)
		env.RunUntilIdle()
		fmt.Println(durabletest.Find[string](env, "slow").Status().RuntimeStatus)
	}, slow, hurry)
	// Output:
	// true <nil>
	// true
	// Terminated
}

func ExampleApp_UseRetry() {
	tries := 0
	flaky := durable.NewAction("Flaky", func(context.Context, durable.None) error {
		if tries++; tries < 3 {
			return errors.New("not yet")
		}
		return nil
	})
	calls := durable.NewOrchestrator("Calls", func(ctx *durable.Context, _ durable.None) (string, error) {
		return "done", flaky.Do(ctx, durable.None{})
	})
	app := durable.NewApp()
	app.Register(calls, flaky)
	app.UseRetry(durable.RetryPolicy{MaxAttempts: 5, FirstInterval: time.Second})
	durabletest.Options{App: app}.Example(func(env *durabletest.Env) {
		fmt.Println(durabletest.Start(env, calls, durable.None{}).Result())
		fmt.Println(tries, "tries")
	})
	// Output:
	// done <nil>
	// 3 tries
}
