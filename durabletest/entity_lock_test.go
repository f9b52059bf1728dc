package durabletest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// holders end in every way while they hold the lock of the account "x".
var holders = durable.NewOrchestrator("Holder", func(ctx *durable.Context, how string) (string, error) {
	if how == "again" {
		return "went on", nil
	}
	return durable.Critical(ctx, func() (string, error) {
		if _, err := deposits.Call(ctx, "x", 1).Await(); err != nil {
			return "", err
		}
		switch how {
		case "error":
			return "", errors.New("no")
		case "panic":
			panic("no")
		case "continue":
			return durable.ContinueAsNew[string](ctx, "again")
		case "hold":
			return durable.WaitForEvent[string](ctx, "Go").Await()
		}
		return "left", nil
	}, accounts.ID("x"), accounts.ID("y"))
})

func TestLocksAreReleased(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"return", "error", "panic", "continue", "hold"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
				in := durabletest.Start(env, holders, how)
				if how == "hold" {
					<-time.After(time.Minute)
					in.Terminate("enough")
				}
				_, _ = in.Result()
				free(t, env, "x", "y")
				n, err := balances.Do(t.Context(), env.Client(), "x", durable.None{})
				check(t, n, err, 11)
			}, accounts, holders)
		})
	}
}

var breakers = durable.NewOrchestrator("Breaker", func(ctx *durable.Context, _ durable.None) (string, error) {
	var out []string
	note := func(what string, err error) {
		if !errors.Is(err, durable.ErrLockingRules) {
			what = fmt.Sprintf("%s: %v", what, err)
		}
		out = append(out, what)
	}
	_, err := durable.Critical(ctx, func() (int, error) {
		_, err := durable.Critical(ctx, func() (int, error) { return 0, nil }, accounts.ID("z"))
		note("nested", err)
		_, err = deposits.Call(ctx, "z", 1).Await()
		note("not locked", err)
		note("signal", deposits.Signal(ctx, "x", 1))
		first := deposits.Call(ctx, "x", 1)
		_, err = deposits.Call(ctx, "x", 1).Await()
		note("parallel", err)
		if n, err := first.Await(); n != 1 || err != nil {
			note("first", err)
		}
		_, err = callers.Call(ctx, "x").Await()
		note("child", err)
		return 0, deposits.Signal(ctx, "z", 1)
	}, accounts.ID("y"), accounts.ID("x"), accounts.ID("y"))
	if err != nil {
		return "", err
	}
	_, err = durable.Critical(ctx, func() (int, error) { return 0, nil })
	note("empty", err)
	return fmt.Sprint(out, ctx.LockedEntities()), nil
})

func TestRulesOfCriticalSections(t *testing.T) {
	t.Parallel()
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		got, err := durabletest.Start(env, breakers, durable.None{}).Result()
		check(t, got, err, "[nested not locked signal parallel child empty] []")
		n, err := balances.Do(t.Context(), env.Client(), "x", durable.None{})
		check(t, n, err, 1)
	}, accounts, breakers, callers)
}
