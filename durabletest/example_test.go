package durabletest_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// In a test it is durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {...}, ...).
func Example() {
	durabletest.Example(func(env *durabletest.Env) {
		fmt.Println(durabletest.Start(env, order, 500).Result())
	}, order, charge)
	// Output: receipt over 500 <nil>
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

func ExampleInstance_Raise() {
	durabletest.Example(func(env *durabletest.Env) {
		request := durabletest.Start(env, approval, durable.None{})
		fmt.Println("waits until", request.Timers()[0].Format(time.DateOnly))
		env.Advance(time.Hour)
		request.Raise("Approved", "Ann")
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
		approved.Raise("Approved", "Ann")
		env.RunUntilIdle()
		fmt.Println(string(forgotten.Status().Output), string(approved.Status().Output), env.Elapsed())
	}, approval)
	// Output: "escalated" "approved by Ann" 72h0m0s
}

func ExampleEnv_Crash() {
	durabletest.Example(func(env *durabletest.Env) {
		request := durabletest.Start(env, approval, durable.None{})
		env.Crash()
		request.Raise("Approved", "Ann")
		fmt.Println(request.Result())
	}, approval)
	// Output: approved by Ann <nil>
}

func ExampleEnv_CrashAt() {
	durabletest.Example(func(env *durabletest.Env) {
		env.CrashAt(1) // the load of the new orchestration
		fmt.Println(durabletest.Start(env, order, 500).Result())
		fmt.Println(env.Processes(), "processes")
	}, order, charge)
	// Output:
	// receipt over 500 <nil>
	// 2 processes
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

func ExampleCheck() {
	// In a test the history is a file of testdata, and the call
	// durabletest.Replay(t, saved, order).
	var saved []byte
	durabletest.Example(func(env *durabletest.Env) {
		done := durabletest.Start(env, order, 500, durable.WithInstanceID("order-7"))
		env.RunUntilIdle()
		saved = done.HistoryJSON()
	}, order, charge)

	changed := durable.NewOrchestrator("Order", func(ctx *durable.Context, cents int) (string, error) {
		if _, err := durable.CallActivity[bool](ctx, "CheckStock", cents).Await(); err != nil {
			return "", err
		}
		return charge.Call(ctx, cents).Await()
	})
	fmt.Println(durabletest.Check(saved, order))
	fmt.Println(durabletest.Check(saved, changed))
	// Output:
	// <nil>
	// orchestrator "Order" does not fit the history of instance order-7: at event 2 the history has activity 'Charge', the code asks for activity 'CheckStock'
	//
	//      0  OrchestratorStarted
	//      1  ExecutionStarted Order 500
	// -    2  TaskScheduled #0 Charge 500
	// +       activity 'CheckStock'
	//      3  OrchestratorCompleted
	//      4  OrchestratorStarted
	//      5  TaskCompleted of #0 "receipt over 500"
	//
	// Keep the old code for instances in flight: guard the change with durable.Patched or a version.
}
