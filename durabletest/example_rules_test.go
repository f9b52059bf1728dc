package durabletest_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// careless asks for something else when it runs again: a mistake.
func careless() *durable.Orchestrator[int, string] {
	runs := 0
	return durable.NewOrchestrator("Careless", func(ctx *durable.Context, cents int) (string, error) {
		runs++ // global state; it could be a random number, or time.Now
		if runs%2 == 0 {
			return charge.Call(ctx, cents).Await()
		}
		return "slept", ctx.Sleep(time.Hour)
	})
}

// Code that does not do the same in every replay is parked until code comes that
// fits its history.
func ExampleInstance_Parked() {
	careless := careless()
	durabletest.Example(func(env *durabletest.Env) {
		i := durabletest.Start(env, careless, 500)
		env.RunUntilIdle()
		fmt.Println(i.Status().RuntimeStatus)
		fmt.Println(i.Parked())
	}, careless, charge)
	// Output:
	// Suspended
	// Non-Deterministic workflow detected: orchestrator 'Careless', action 0: the history has a timer, the code now asks for activity 'Charge' (durabletest/example_rules_test.go:19). The code is the same, so it depends on what a replay does not repeat: the clock (use Context.Now), random numbers (Context.NewGUID, SideEffect), the order of a map (sort the keys), global or captured variables.
}

// An app can choose that such code fails its orchestration.
func ExampleOptions_nonDeterminism() {
	careless := careless()
	o := durabletest.Options{Settings: `{"nonDeterminism": "fail"}`}
	o.Example(func(env *durabletest.Env) {
		i := durabletest.Start(env, careless, 500)
		env.RunUntilIdle()
		fmt.Println(i.Status().RuntimeStatus)
	}, careless, charge)
	// Output: Failed
}

// With strictReplay the inputs of calls must be the same, too.
func ExampleOptions_strictReplay() {
	price := 500
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, _ durable.None) (string, error) {
		price++ // a mistake: the replay asks for another price
		if err := ctx.Sleep(time.Hour); err != nil {
			return "", err
		}
		receipt, err := charge.Call(ctx, price).Await()
		return receipt, errors.Join(err, ctx.Sleep(time.Hour))
	})
	o := durabletest.Options{Settings: `{"strictReplay": true}`}
	o.Example(func(env *durabletest.Env) {
		i := durabletest.Start(env, order, durable.None{})
		env.RunUntilIdle()
		fmt.Println(i.Parked())
	}, order, charge)
	// Output: Non-Deterministic workflow detected: orchestrator 'Order', action 1: the history has activity 'Charge', the code now asks for activity 'Charge' with another input (durabletest/example_rules_test.go:60). The code is the same, so it depends on what a replay does not repeat: the clock (use Context.Now), random numbers (Context.NewGUID, SideEffect), the order of a map (sort the keys), global or captured variables.
}

// A loop that never ends fails before it fills the task hub.
func ExampleOptions_maxOrchestrationActions() {
	endless := durable.NewOrchestrator("Endless", func(ctx *durable.Context, _ durable.None) (string, error) {
		for {
			if _, err := charge.Call(ctx, 1).Await(); err != nil {
				return "", err
			}
		}
	})
	o := durabletest.Options{Settings: `{"maxOrchestrationActions": 10}`}
	o.Example(func(env *durabletest.Env) {
		_, err := durabletest.Start(env, endless, durable.None{}, durable.WithInstanceID("endless-1")).Result()
		fmt.Println(err)
	}, endless, charge)
	// Output: orchestration endless-1 (Endless): Failed: Orchestrator function 'Endless' failed: the orchestrator asked for more than 10 actions (maxOrchestrationActions); is there a loop that never ends? Long loops use continue-as-new
}

func ExampleInstance_Rewind() {
	durabletest.Example(func(env *durabletest.Env) {
		env.Fail("Charge", durabletest.Always, errors.New("the bank is closed"))
		i := durabletest.Start(env, order, 500)
		env.RunUntilIdle()
		fmt.Println(i.Status().RuntimeStatus)

		env.Fail("Charge", 0, nil) // it works again
		i.Rewind("the bank is open")
		fmt.Println(i.Result())
	}, order, charge)
	// Output:
	// Failed
	// receipt over 500 <nil>
}

func ExampleInstance_Timers() {
	durabletest.Example(func(env *durabletest.Env) {
		request := durabletest.Start(env, approval, durable.None{})
		for _, at := range request.Timers() {
			fmt.Println("in", at.Sub(env.Now()))
		}
	}, approval)
	// Output: in 72h0m0s
}

func ExampleEnv_Client() {
	durabletest.Example(func(env *durabletest.Env) {
		finished := durabletest.Start(env, order, 500, durable.WithInstanceID("order-7"))
		env.RunUntilIdle()
		err := env.Client().RaiseEvent(context.Background(), finished.ID, "Approved", "Ann")
		fmt.Println(errors.Is(err, durable.ErrFinished))
	}, order, charge)
	// Output: true
}
