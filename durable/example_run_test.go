package durable_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

func ExampleHeartbeat() {
	upload := durable.NewActivity("Upload", func(ctx context.Context, parts int) (string, error) {
		from, _, err := durable.LastHeartbeat[int](ctx)
		if err != nil {
			return "", err
		}
		for part := from; part < parts; part++ {
			if part == 3 && durable.ActivityInfoFromContext(ctx).Attempt == 1 {
				return "", errors.New("connection reset")
			}
			if err := durable.Heartbeat(ctx, part+1); err != nil {
				return "", err // the orchestration was terminated, or the like
			}
		}
		return fmt.Sprintf("%d parts, the last run began at %d", parts, from), nil
	})
	backup := durable.NewOrchestrator("Backup", func(ctx *durable.Context, parts int) (string, error) {
		return upload.Call(ctx, parts, durable.WithHeartbeatTimeout(time.Minute),
			durable.WithRetry(durable.RetryPolicy{MaxAttempts: 3, FirstInterval: time.Second})).Await()
	})
	durabletest.Example(func(env *durabletest.Env) {
		fmt.Println(durabletest.Start(env, backup, 5).Result())
	}, backup, upload)
	// Output: 5 parts, the last run began at 3 <nil>
}

func ExampleClientFromContext() {
	invoice := durable.NewOrchestrator("Invoice", func(_ *durable.Context, customer string) (string, error) {
		return "invoice for " + customer, nil
	})
	bill := durable.NewActivity("Bill", func(ctx context.Context, customers []string) (string, error) {
		client, ok := durable.ClientFromContext(ctx)
		if !ok {
			return "", errors.New("no client")
		}
		// Should the process die here, a repeated run finds what it has started.
		for _, customer := range customers {
			run, err := invoice.Start(ctx, client, customer)
			if err != nil {
				return "", err
			}
			if out, err := run.Result(ctx); err != nil || customer == customers[len(customers)-1] {
				return out, err
			}
		}
		return "", nil
	})
	billing := durable.NewOrchestrator("Billing", func(ctx *durable.Context, customers []string) (string, error) {
		return bill.Call(ctx, customers).Await()
	})
	durabletest.Example(func(env *durabletest.Env) {
		fmt.Println(durabletest.Start(env, billing, []string{"Ann", "Bob"}).Result())
	}, billing, bill, invoice)
	// Output: invoice for Bob <nil>
}
