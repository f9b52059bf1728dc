package durable_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

func ExampleNewClient() {
	client, err := durable.NewClient(durable.ClientOptions{TaskHub: "Shop", ConnectionString: "UseDevelopmentStorage=true"})
	fmt.Println(client != nil, err)
	_, err = durable.NewClient(durable.ClientOptions{})
	fmt.Println(err)
	// Output:
	// true <nil>
	// durable: ClientOptions.TaskHub is empty: it is hubName in the app's host.json
}

func ExampleClient_List() {
	approval := durable.NewOrchestrator("Approval", func(ctx *durable.Context, item string) (string, error) {
		answer, err := durable.WaitForEvent[string](ctx, "Answer").Await()
		return item + ": " + answer, err
	})
	durabletest.Example(func(env *durabletest.Env) {
		ctx := context.Background()
		client := env.Client() // in an app: app.Client()
		for _, id := range []string{"order-1", "order-2", "order-3", "other"} {
			_, err := approval.Start(ctx, client, "tea", durable.WithInstanceID(id))
			if err != nil {
				fmt.Println(err)
				return
			}
			if _, err := client.WaitForStart(ctx, id); err != nil {
				fmt.Println(err)
				return
			}
		}
		_ = client.Terminate(ctx, "order-2", "sold out")
		_, _ = client.WaitForCompletion(ctx, "order-2")
		for s, err := range client.List(ctx, durable.Query{Prefix: "order-", Statuses: []durable.RuntimeStatus{durable.StatusRunning}}) {
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println(s.InstanceID, s.RuntimeStatus)
		}
		_, err := client.Count(ctx, durable.Query{Statuses: []durable.RuntimeStatus{"done"}})
		fmt.Println(err)
	}, approval)
	// Output:
	// order-1 Running
	// order-3 Running
	// durable: "done" is not a runtime status; they are Running, Completed, ContinuedAsNew, Failed, Canceled, Terminated, Pending, Suspended
}

func ExampleClient_ListPage() {
	approval := durable.NewOrchestrator("Approval", func(ctx *durable.Context, item string) (string, error) {
		answer, err := durable.WaitForEvent[string](ctx, "Answer").Await()
		return item + ": " + answer, err
	})
	durabletest.Example(func(env *durabletest.Env) {
		ctx := context.Background()
		client := env.Client() // in an app: app.Client()
		for n := range 5 {
			_, err := approval.Start(ctx, client, "tea", durable.WithInstanceID(fmt.Sprint("order-", n)))
			if err != nil {
				fmt.Println(err)
				return
			}
		}
		seen, token := 0, ""
		for {
			page, next, err := client.ListPage(ctx, durable.Query{PageSize: 2, WithoutPayloads: true}, token)
			if err != nil {
				fmt.Println(err)
				return
			}
			seen += len(page)
			if token = next; token == "" {
				break
			}
		}
		fmt.Println(seen)
		_, _, err := client.ListPage(ctx, durable.Query{}, "nonsense")
		fmt.Println(errors.Is(err, durable.ErrInvalidToken))
	}, approval)
	// Output:
	// 5
	// true
}

func ExampleClient_Count() {
	approval := durable.NewOrchestrator("Approval", func(ctx *durable.Context, item string) (string, error) {
		answer, err := durable.WaitForEvent[string](ctx, "Answer").Await()
		return item + ": " + answer, err
	})
	durabletest.Example(func(env *durabletest.Env) {
		ctx := context.Background()
		client := env.Client() // in an app: app.Client()
		for range 3 {
			_, err := approval.Start(ctx, client, "tea", durable.WithTags(map[string]string{"shop": "1"}))
			if err != nil {
				fmt.Println(err)
				return
			}
		}
		fmt.Println(client.Count(ctx, durable.Query{Name: "approval", Tags: map[string]string{"shop": "1"}}))
	}, approval)
	// Output: 3 <nil>
}

func ExampleClient_Purge() {
	approval := durable.NewOrchestrator("Approval", func(ctx *durable.Context, item string) (string, error) {
		answer, err := durable.WaitForEvent[string](ctx, "Answer").Await()
		return item + ": " + answer, err
	})
	durabletest.Example(func(env *durabletest.Env) {
		ctx := context.Background()
		client := env.Client() // in an app: app.Client()
		run, err := approval.Start(ctx, client, "tea")
		if err != nil {
			fmt.Println(err)
			return
		}
		_, err = client.Purge(ctx, run.ID)
		fmt.Println(errors.Is(err, durable.ErrNotFinished))
		_ = run.RaiseEvent(ctx, "Answer", "yes")
		_, _ = run.Result(ctx)
		purged, err := client.Purge(ctx, run.ID)
		fmt.Println(purged.Instances, purged.Complete, err)
		_, err = client.Status(ctx, run.ID)
		fmt.Println(errors.Is(err, durable.ErrNotFound))
	}, approval)
	// Output:
	// true
	// 1 true <nil>
	// true
}

func ExampleClient_PurgeInstances() {
	approval := durable.NewOrchestrator("Approval", func(ctx *durable.Context, item string) (string, error) {
		answer, err := durable.WaitForEvent[string](ctx, "Answer").Await()
		return item + ": " + answer, err
	})
	durabletest.Example(func(env *durabletest.Env) {
		ctx := context.Background()
		client := env.Client() // in an app: app.Client()
		for n := range 5 {
			run, err := approval.Start(ctx, client, "tea")
			if err != nil {
				fmt.Println(err)
				return
			}
			if n < 3 {
				_ = run.Terminate(ctx, "")
				_, _ = run.Result(ctx)
			}
		}
		purged, err := client.PurgeInstances(ctx, durable.PurgeFilter{CreatedTo: time.Now(), Budget: time.Minute})
		fmt.Println(purged.Instances, purged.Complete, err)
		fmt.Println(client.Count(ctx, durable.Query{}))
	}, approval)
	// Output:
	// 3 true <nil>
	// 2 <nil>
}

func ExampleClient_Rewind() {
	var charged, broken atomic.Int32
	broken.Store(1)
	charge := durable.NewActivity("Charge", func(context.Context, int) (int32, error) { return charged.Add(1), nil })
	ship := durable.NewActivity("Ship", func(context.Context, durable.None) (string, error) {
		if broken.Load() == 1 {
			return "", errors.New("the warehouse does not answer")
		}
		return "shipped", nil
	})
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, amount int) (string, error) {
		if _, err := charge.Call(ctx, amount).Await(); err != nil {
			return "", err
		}
		return ship.Call(ctx, durable.None{}).Await()
	})
	durabletest.Example(func(env *durabletest.Env) {
		ctx := context.Background()
		client := env.Client() // in an app: app.Client()
		run, err := order.Start(ctx, client, 100)
		if err != nil {
			fmt.Println(err)
		}
		_, err = run.Result(ctx)
		fmt.Println(err != nil)
		broken.Store(0)
		fmt.Println(client.Rewind(ctx, run.ID, "the warehouse is back"))
		fmt.Println(run.Result(ctx))
		fmt.Println("charged", charged.Load(), "time")
	}, order, charge, ship)
	// Output:
	// true
	// <nil>
	// shipped <nil>
	// charged 1 time
}
