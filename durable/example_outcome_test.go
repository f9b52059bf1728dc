package durable_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// What the app and the program that waits have registered is found in the error of
// a failed orchestration, and so is the call that failed.
func ExampleOrchestrationError() {
	errExpired := errors.New("the card has expired")
	durable.RegisterErrorValue("shop.errExpired", errExpired) // in an app: in a package that both import
	charge := durable.NewAction("Charge", func(_ context.Context, amount int) error {
		return fmt.Errorf("charging %d: %w", amount, errExpired)
	})
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, amount int) (durable.None, error) {
		return charge.Call(ctx, amount).Await()
	})
	durabletest.Example(func(env *durabletest.Env) {
		ctx := context.Background()
		client := env.Client() // in an app: app.Client()
		run, err := order.Start(ctx, client, 100)
		if err != nil {
			fmt.Println(err)
			return
		}
		_, err = run.Result(ctx)
		fmt.Println(errors.Is(err, errExpired))
		var failed *durable.TaskError
		if errors.As(err, &failed) {
			fmt.Printf("%s, attempt %d: %s\n", failed.Activity, failed.Attempt, failed.Message)
		}
	}, order, charge)
	// Output:
	// true
	// Charge, attempt 1: charging 100: the card has expired
}

func ExampleWithFailure() {
	order := durable.NewOrchestrator("Order", func(*durable.Context, int) (int, error) { panic("out of stock") })
	durabletest.Example(func(env *durabletest.Env) {
		ctx := context.Background()
		client := env.Client() // in an app: app.Client()
		run, err := order.Start(ctx, client, 100)
		if err != nil {
			fmt.Println(err)
			return
		}
		status, err := client.WaitForCompletion(ctx, run.ID, durable.WithFailure())
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(status.RuntimeStatus, status.Failure.Type, status.Failure.Stack != "")
	}, order)
	// Output: Failed panic true
}

// An instance whose code was changed so that it does not fit its history is parked
// until code comes that fits.
func ExampleParkedError() {
	changed := false
	pack := durable.NewAction("Pack", func(context.Context, string) error { return nil })
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, item string) (string, error) {
		if changed { // stands for a deployment
			return item, ctx.SendEvent("audit", "Ordered", item)
		}
		if _, err := pack.Call(ctx, item).Await(); err != nil {
			return "", err
		}
		return durable.WaitForEvent[string](ctx, "Shipped").Await()
	})
	durabletest.Example(func(env *durabletest.Env) {
		ctx := context.Background()
		client := env.Client() // in an app: app.Client()
		run, err := order.Start(ctx, client, "tea")
		if err != nil {
			fmt.Println(err)
			return
		}
		env.Wait()
		changed = true
		if err := run.RaiseEvent(ctx, "Shipped", "by mail"); err != nil {
			fmt.Println(err)
		}
		_, err = run.Result(ctx)
		fmt.Println(errors.Is(err, durable.ErrParked))
		status, err := run.Status(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(status.RuntimeStatus, status.Parked != "")
		changed = false
		fmt.Println(run.Result(ctx, durable.WithWaitWhileParked()))
	}, order, pack)
	// Output:
	// true
	// Suspended true
	// by mail <nil>
}
