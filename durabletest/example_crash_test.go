package durabletest_test

import (
	"fmt"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

func ExampleEnv_Crash() {
	durabletest.Example(func(env *durabletest.Env) {
		request := durabletest.Start(env, approval, durable.None{})
		env.Crash()
		request.RaiseEvent("Approved", "Ann")
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

// In a test it is durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {...}, ...).
func ExampleCheckEveryCrash() {
	once := func(env *durabletest.Env) error {
		receipt, err := durabletest.Start(env, order, 500, durable.WithInstanceID("order-7")).Result()
		if err == nil && receipt != "receipt over 500" {
			err = fmt.Errorf("got %q", receipt)
		}
		if n := len(env.Calls("Charge")); err == nil && n > 1 {
			err = fmt.Errorf("charged %d times", n)
		}
		return err
	}
	// Activities run at least once: a bank needs the idempotency key of the call.
	fmt.Println(durabletest.CheckEveryCrash(once, order, charge))
	// Output: die before call 1 (commit order-7): charged 2 times
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
	// orchestrator "Order" does not fit the history of instance order-7: at event 2 the history has activity 'Charge', the code asks for activity 'CheckStock' (durabletest/example_crash_test.go:59)
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
