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

// What follows the end of an instance at once is right while the instance's row shows
// the end long after its history: each write of a row takes longer than all else, and
// the process ends at each of its calls.
func TestEndsWithASlowRow(t *testing.T) {
	act := durable.NewActivity("Act", func(_ context.Context, n int) (int, error) { return n, nil })
	child := durable.NewOrchestrator("Child", func(ctx *durable.Context, n int) (int, error) { return act.Call(ctx, n).Await() })
	serial := durable.NewOrchestrator("Serial", func(ctx *durable.Context, n int) ([]int, error) {
		var out []int
		for k := range n {
			got, err := child.Call(ctx, k, durable.WithInstanceID("c")).Await()
			if err != nil {
				return nil, err
			}
			out = append(out, got)
		}
		return out, nil
	})
	middle := durable.NewOrchestrator("Middle", func(ctx *durable.Context, n int) (int, error) {
		return child.Call(ctx, n, durable.WithInstanceID("leaf")).Await()
	})
	top := durable.NewOrchestrator("Top", func(ctx *durable.Context, n int) (int, error) {
		return middle.Call(ctx, n, durable.WithInstanceID("middle")).Await()
	})
	waits := durable.NewOrchestrator("Waits", func(ctx *durable.Context, _ durable.None) (string, error) {
		return durable.WaitForEvent[string](ctx, "go").Await()
	})
	for name, test := range map[string]func(t *testing.T, env *durabletest.Env){
		"a child id five times": func(t *testing.T, env *durabletest.Env) {
			got, err := durabletest.Start(env, serial, 5, durable.WithInstanceID("i")).Result()
			check(t, fmt.Sprint(got), err, "[0 1 2 3 4]")
		},
		"restart": func(t *testing.T, env *durabletest.Env) {
			durabletest.Start(env, top, 7, durable.WithInstanceID("i"))
			env.UntilEnded("i")
			if _, err := env.Client().Restart(t.Context(), "i", durable.WithInstanceID("i")); err != nil {
				t.Fatal(err)
			}
			got, err := durabletest.Find[int](env, "i").Result()
			check(t, got, err, 7)
		},
		"rewind of three levels": func(t *testing.T, env *durabletest.Env) {
			env.Fail("Act", durabletest.Always, errors.New("down"))
			i := durabletest.Start(env, top, 7, durable.WithInstanceID("i"))
			env.UntilEnded("i")
			env.Fail("Act", 0, nil)
			if err := env.Client().Rewind(t.Context(), "i", "again"); err != nil {
				t.Fatal(err)
			}
			got, err := i.Result()
			check(t, got, err, 7)
		},
		"purge with children and the ids again": func(t *testing.T, env *durabletest.Env) {
			durabletest.Start(env, top, 7, durable.WithInstanceID("i"))
			env.UntilEnded("i")
			if _, err := env.Client().Purge(t.Context(), "i", durable.WithChildren()); err != nil {
				t.Fatal(err)
			}
			for _, id := range []string{"i", "middle", "leaf"} {
				if s, err := env.Client().Status(t.Context(), id); !errors.Is(err, durable.ErrNotFound) {
					t.Errorf("%s is there after the purge: %+v, %v", id, s, err)
				}
			}
			got, err := durabletest.Start(env, top, 8, durable.WithInstanceID("i")).Result()
			check(t, got, err, 8)
		},
		"reuse of an ended id": func(t *testing.T, env *durabletest.Env) {
			durabletest.Start(env, child, 1, durable.WithInstanceID("i"))
			env.UntilEnded("i")
			i := durabletest.Start(env, child, 2, durable.WithInstanceID("i"))
			got, err := i.Result()
			check(t, got, err, 2)
			env.UntilEnded("i")
			again := durabletest.Start(env, child, 3, durable.WithInstanceID("i"), durable.WithReuse(durable.ReturnExisting))
			got, err = again.Result()
			check(t, got, err, 2)
			if _, err := env.Client().StartNew(t.Context(), "Child", 4, durable.WithInstanceID("i"), durable.WithReuse(durable.RejectIfExists)); !errors.Is(err, durable.ErrAlreadyExists) {
				t.Errorf("a start with RejectIfExists of an id that exists: %v", err)
			}
		},
		"terminate and replace": func(t *testing.T, env *durabletest.Env) {
			durabletest.Start(env, waits, durable.None{}, durable.WithInstanceID("i"))
			env.Wait()
			i := durabletest.Start(env, waits, durable.None{}, durable.WithInstanceID("i"), durable.WithReuse(durable.TerminateAndReplace))
			i.RaiseEvent("go", "new")
			got, err := i.Result()
			check(t, got, err, "new")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := durabletest.WithSlowRows(2 * time.Second)
			o.EveryCrash(t, test, act, child, serial, middle, top, waits)
		})
	}
}
