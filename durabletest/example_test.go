package durabletest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

func Example() {
	durabletest.Example(func(env *durabletest.Env) {
		fmt.Println(durabletest.Start(env, order, 500).Result())
	}, order, charge)
	// Output: receipt over 500 <nil>
}

func ExampleRun() {
	// In a file of tests: func TestOrder(t *testing.T) {
	t := new(testing.T)
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		receipt, err := durabletest.Start(env, order, 500).Result()
		if err != nil || receipt != "receipt over 500" {
			t.Errorf("got %q, %v", receipt, err)
		}
	}, order, charge)
	fmt.Println("failed:", t.Failed())
	// Output: failed: false
}

func ExampleEnv_Fail() {
	durabletest.Example(func(env *durabletest.Env) {
		env.Fail("Charge", 2, errors.New("the bank is closed"))
		fmt.Println(durabletest.Start(env, order, 500).Result())
		fmt.Println(len(env.Calls("Charge")), "calls in", env.Elapsed())

		env.Fail("Charge", durabletest.Always, errors.New("the bank is closed"))
		_, err := durabletest.Start(env, order, 500, durable.WithInstanceID("order-7")).Result()
		fmt.Println(err)
	}, order, charge)
	// Output:
	// receipt over 500 <nil>
	// 3 calls in 2m0s
	// orchestration order-7 (Order): Failed: Orchestrator function 'Order' failed: Activity function 'Charge' failed: the bank is closed
}

func ExampleReplace() {
	durabletest.Example(func(env *durabletest.Env) {
		durabletest.Replace(env, charge, func(_ context.Context, cents int) (string, error) { return "test receipt", nil })
		fmt.Println(durabletest.Start(env, order, 500).Result())
		fmt.Println(durabletest.Inputs(env, charge))
	}, order, charge)
	// Output:
	// test receipt <nil>
	// [500]
}

func ExampleReplaceOrchestrator() {
	shop := durable.NewOrchestrator("Shop", func(ctx *durable.Context, cents int) (string, error) {
		receipt, err := order.Call(ctx, cents).Await()
		return "sent with " + receipt, err
	})
	durabletest.Example(func(env *durabletest.Env) {
		durabletest.ReplaceOrchestrator(env, order, func(ctx *durable.Context, cents int) (string, error) {
			return "a test receipt", ctx.Sleep(time.Hour) // the real one takes its time, too
		})
		fmt.Println(durabletest.Start(env, shop, 500).Result())
		fmt.Println("after", env.Elapsed())
	}, shop)
	// Output:
	// sent with a test receipt <nil>
	// after 1h0m0s
}

func ExampleEnv_FailOrchestrator() {
	shop := durable.NewOrchestrator("Shop", func(ctx *durable.Context, cents int) (string, error) {
		return order.Call(ctx, cents, durable.WithRetry(durable.RetryPolicy{MaxAttempts: 2, FirstInterval: time.Hour})).Await()
	})
	durabletest.Example(func(env *durabletest.Env) {
		env.FailOrchestrator("Order", 1, errors.New("out of stock"))
		fmt.Println(durabletest.Start(env, shop, 500).Result())
		fmt.Println("after", env.Elapsed())
	}, shop, order, charge)
	// Output:
	// receipt over 500 <nil>
	// after 1h0m0s
}

func ExampleInstance_RaiseEvent() {
	durabletest.Example(func(env *durabletest.Env) {
		request := durabletest.Start(env, approval, durable.None{})
		fmt.Println("waits until", request.Timers()[0].Format(time.DateOnly))
		env.Advance(time.Hour)
		request.RaiseEvent("Approved", "Ann")
		fmt.Println(request.Result())
		fmt.Println("after", env.Elapsed())
	}, approval)
	// Output:
	// waits until 2000-01-04
	// approved by Ann <nil>
	// after 1h0m0s
}

func ExampleEnv_Advance() {
	durabletest.Example(func(env *durabletest.Env) {
		request := durabletest.Start(env, approval, durable.None{})
		env.Advance(71 * time.Hour)
		fmt.Println(request.Status().RuntimeStatus)
		env.Advance(time.Hour)
		fmt.Println(request.Status().RuntimeStatus, string(request.Status().Output))
	}, approval)
	// Output:
	// Running
	// Completed "escalated"
}

func ExampleEnv_RunUntilIdle() {
	durabletest.Example(func(env *durabletest.Env) {
		forgotten, approved := durabletest.Start(env, approval, durable.None{}), durabletest.Start(env, approval, durable.None{})
		approved.RaiseEvent("Approved", "Ann")
		env.RunUntilIdle()
		fmt.Println(string(forgotten.Status().Output), string(approved.Status().Output), env.Elapsed())
	}, approval)
	// Output: "escalated" "approved by Ann" 72h0m0s
}

func ExampleInstance_History() {
	durabletest.Example(func(env *durabletest.Env) {
		done := durabletest.Start(env, order, 500)
		env.RunUntilIdle()
		for _, e := range done.History().Of("TaskScheduled") {
			fmt.Println(e)
		}
		fmt.Print(done.History())
	}, order, charge)
	// Output:
	// TaskScheduled #0 Charge 500
	//    0  OrchestratorStarted
	//    1  ExecutionStarted Order 500
	//    2  TaskScheduled #0 Charge 500
	//    3  OrchestratorCompleted
	//    4  OrchestratorStarted
	//    5  TaskCompleted of #0 "receipt over 500"
	//    6  ExecutionCompleted #1 "receipt over 500"
	//    7  OrchestratorCompleted
}

func ExampleFind() {
	parent := durable.NewOrchestrator("Parent", func(ctx *durable.Context, _ durable.None) (string, error) {
		return order.Call(ctx, 7, durable.WithInstanceID("child")).Await()
	})
	durabletest.Example(func(env *durabletest.Env) {
		durabletest.Start(env, parent, durable.None{})
		fmt.Println(durabletest.Find[string](env, "child").Result())
	}, parent, order, charge)
	// Output: receipt over 7 <nil>
}

func ExampleOptions() {
	versioned := durable.NewOrchestrator("Versioned", func(ctx *durable.Context, _ durable.None) (string, error) {
		return ctx.Version() + " on " + ctx.Now().Format(time.DateOnly), nil
	})
	options := durabletest.Options{
		Settings: `{"defaultVersion": "2.0"}`,
		Start:    time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC),
	}
	options.Example(func(env *durabletest.Env) {
		fmt.Println(durabletest.Start(env, versioned, durable.None{}).Result())
	}, versioned)
	// Output: 2.0 on 2026-02-28 <nil>
}
