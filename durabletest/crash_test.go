package durabletest_test

import (
	"context"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// The custom status of a turn that was stored is shown, also when the process ended
// right after.
func TestCustomStatusIsShownAfterACrash(t *testing.T) {
	act := durable.NewActivity("Act", func(_ context.Context, n int) (int, error) { return n, nil })
	twoSteps := func(between func(*durable.Context) error) *durable.Orchestrator[durable.None, string] {
		return durable.NewOrchestrator("O", func(ctx *durable.Context, _ durable.None) (string, error) {
			ctx.SetCustomStatus("one")
			if err := between(ctx); err != nil {
				return "", err
			}
			ctx.SetCustomStatus("two")
			return durable.WaitForEvent[string](ctx, "Never").Await()
		})
	}
	show := func(t *testing.T, env *durabletest.Env, i *durabletest.Instance[string]) {
		env.Advance(48 * time.Hour)
		if s := i.Status(); string(s.CustomStatus) != `"two"` || s.RuntimeStatus != "Running" {
			t.Errorf("two days later: %s %q, updated %v; the history has %d events", s.RuntimeStatus, s.CustomStatus, s.LastUpdated, len(i.History()))
		}
	}
	t.Run("event", func(t *testing.T) {
		o := twoSteps(func(ctx *durable.Context) error {
			_, err := durable.WaitForEvent[string](ctx, "E").Await()
			return err
		})
		durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
			i := durabletest.Start(env, o, durable.None{})
			env.Advance(5 * time.Minute)
			i.RaiseEvent("E", "x")
			show(t, env, i)
		}, o)
	})
	t.Run("activity", func(t *testing.T) {
		o := twoSteps(func(ctx *durable.Context) error {
			_, err := act.Call(ctx, 1).Await()
			return err
		})
		durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
			show(t, env, durabletest.Start(env, o, durable.None{}))
		}, o, act)
	})
}
