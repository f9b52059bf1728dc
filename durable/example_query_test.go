package durable_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/durable-go/functions/durable"
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
	ctx := context.Background()
	client, stop := durable.RunForTest(approval)
	defer stop()
	for _, id := range []string{"order-1", "order-2", "order-3", "other"} {
		started(ctx, client, durable.WithInstanceID(id))
	}
	_ = client.Terminate(ctx, "order-2", "sold out")
	_, _ = client.Wait(ctx, "order-2")
	for s, err := range client.List(ctx, durable.Query{Prefix: "order-", Statuses: []string{"Running"}}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(s.InstanceID, s.RuntimeStatus)
	}
	_, err := client.Count(ctx, durable.Query{Statuses: []string{"done"}})
	fmt.Println(err)
	// Output:
	// order-1 Running
	// order-3 Running
	// durable: "done" is not a runtime status; they are Running, Completed, ContinuedAsNew, Failed, Canceled, Terminated, Pending, Suspended
}

func ExampleClient_ListPage() {
	ctx := context.Background()
	client, stop := durable.RunForTest(approval)
	defer stop()
	for n := range 5 {
		started(ctx, client, durable.WithInstanceID(fmt.Sprint("order-", n)))
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
	fmt.Println(errors.Is(err, durable.ErrToken))
	// Output:
	// 5
	// true
}

func ExampleClient_Count() {
	ctx := context.Background()
	client, stop := durable.RunForTest(approval)
	defer stop()
	for range 3 {
		started(ctx, client, durable.WithTags(map[string]string{"shop": "1"}))
	}
	fmt.Println(client.Count(ctx, durable.Query{Name: "approval", Tags: map[string]string{"shop": "1"}}))
	// Output: 3 <nil>
}

func ExampleClient_Purge() {
	ctx := context.Background()
	client, stop := durable.RunForTest(approval)
	defer stop()
	run := started(ctx, client)
	_, err := client.Purge(ctx, run.ID)
	fmt.Println(errors.Is(err, durable.ErrNotFinished))
	_ = run.RaiseEvent(ctx, "Answer", "yes")
	_, _ = run.Wait(ctx)
	purged, err := client.Purge(ctx, run.ID)
	fmt.Println(purged.Instances, purged.Complete, err)
	_, err = client.Status(ctx, run.ID)
	fmt.Println(errors.Is(err, durable.ErrNotFound))
	// Output:
	// true
	// 1 true <nil>
	// true
}

func ExampleClient_PurgeAll() {
	ctx := context.Background()
	client, stop := durable.RunForTest(approval)
	defer stop()
	for n := range 5 {
		run := started(ctx, client)
		if n < 3 {
			_ = run.Terminate(ctx, "")
			_, _ = run.Wait(ctx)
		}
	}
	purged, err := client.PurgeAll(ctx, durable.PurgeFilter{CreatedTo: time.Now(), Budget: time.Minute})
	fmt.Println(purged.Instances, purged.Complete, err)
	fmt.Println(client.Count(ctx, durable.Query{}))
	// Output:
	// 3 true <nil>
	// 2 <nil>
}

func ExampleClient_Rewind() {
	ctx := context.Background()
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
	client, stop := durable.RunForTest(order, charge, ship)
	defer stop()
	run, err := order.Start(ctx, client, 100)
	if err != nil {
		fmt.Println(err)
	}
	_, err = run.Wait(ctx)
	fmt.Println(err != nil)
	broken.Store(0)
	fmt.Println(client.Rewind(ctx, run.ID, "the warehouse is back"))
	fmt.Println(run.Wait(ctx))
	fmt.Println("charged", charged.Load(), "time")
	// Output:
	// true
	// <nil>
	// shipped <nil>
	// charged 1 time
}
