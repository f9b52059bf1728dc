package durable_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

func ExampleContext_Parent() {
	packing := durable.NewOrchestrator("Packing", func(ctx *durable.Context, _ durable.None) (string, error) {
		parent, isChild := ctx.Parent()
		if !isChild {
			return ctx.InstanceID() + " packs for itself", nil
		}
		return fmt.Sprintf("%s packs for %s %s", ctx.InstanceID(), parent.Name, parent.InstanceID), nil
	})
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, _ durable.None) (string, error) {
		return packing.Call(ctx, durable.None{}, durable.WithInstanceID("parcel-7")).Await()
	})
	run(order, durable.None{}, packing)
	run(packing, durable.None{})
	// Output:
	// parcel-7 packs for Order i1
	// i1 packs for itself
}

func ExampleCallOrchestrator() {
	packing := durable.NewOrchestrator("Packing", func(_ *durable.Context, item string) (string, error) {
		if item == "elephant" {
			return "", errors.New("too large")
		}
		return item + " in a box", nil
	})
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, item string) (string, error) {
		packed, err := durable.CallOrchestrator[string](ctx, "Packing", item).Await()
		if failed := new(durable.TaskError); errors.As(err, &failed) {
			return failed.Orchestrator + ": " + failed.Message, nil
		}
		return packed, err
	})
	run(order, "tea", packing)
	run(order, "elephant", packing)
	// Output:
	// tea in a box
	// Packing: too large
}

func ExampleWithChildren() {
	packing := durable.NewOrchestrator("Packing", func(ctx *durable.Context, _ durable.None) (durable.None, error) {
		return durable.None{}, ctx.Sleep(24 * time.Hour)
	})
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, _ durable.None) (durable.None, error) {
		return packing.Call(ctx, durable.None{}, durable.WithInstanceID("parcel-7")).Await()
	})
	durabletest.Example(func(env *durabletest.Env) {
		run := durabletest.Start(env, order, durable.None{}, durable.WithInstanceID("order-7"))
		env.Wait()
		fmt.Println(env.Client().Terminate(context.Background(), run.ID, "sold out", durable.WithChildren()))
		env.Wait()
		fmt.Println(run.Status().RuntimeStatus, durabletest.Find[durable.None](env, "parcel-7").Status().RuntimeStatus)
	}, order, packing)
	// Output:
	// <nil>
	// Terminated Terminated
}

func ExampleWithVersion() {
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, _ durable.None) (string, error) {
		if ctx.Version() == "1.0" {
			// A long loop goes on with the new code when it begins anew.
			return "", ctx.ContinueAsNew(durable.None{}, durable.WithVersion("2.0"))
		}
		return "version " + ctx.Version(), nil
	})
	durabletest.Example(func(env *durabletest.Env) {
		fmt.Println(durabletest.Start(env, order, durable.None{}, durable.WithVersion("1.0")).Result())
	}, order)
	// Output: version 2.0 <nil>
}

func ExampleWithoutPendingEvents() {
	counter := durable.NewOrchestrator("Counter", func(ctx *durable.Context, round int) (string, error) {
		if round == 2 {
			_, err := durable.WaitForEvent[int](ctx, "Add", durable.WithTimeout(time.Hour)).Await()
			return fmt.Sprint(errors.Is(err, durable.ErrTimeout)), nil
		}
		if _, err := durable.WaitForEvent[int](ctx, "Add").Await(); err != nil {
			return "", err
		}
		return "", ctx.ContinueAsNew(2, durable.WithoutPendingEvents())
	})
	durabletest.Example(func(env *durabletest.Env) {
		i := durabletest.Start(env, counter, 1)
		env.Wait()
		i.Suspend("so that both come together")
		i.RaiseEvent("Add", 1)
		i.RaiseEvent("Add", 2)
		i.Resume("go on")
		fmt.Println(i.Result())
	}, counter)
	// Output: true <nil>
}
