package durabletest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

var errFunds = errors.New("not enough money")

func init() { durable.RegisterErrorValue("errFunds", errFunds) }

type account struct {
	Balance int64 `json:"balance"`
}

func (a *account) Deposit(_ *durable.EntityContext, n int64) (int64, error) {
	a.Balance += n
	return a.Balance, nil
}

func (a *account) Withdraw(ctx *durable.EntityContext, n int64) (int64, error) {
	a.Balance -= n // undone where it fails
	if err := deposits.Signal(ctx, ctx.Key()+"-log", n); err != nil {
		return 0, err
	}
	if a.Balance < 0 {
		return 0, errFunds
	}
	return a.Balance, nil
}

func (a *account) Explode(_ *durable.EntityContext, _ durable.None) error {
	a.Balance = -1
	panic("boom")
}

func (a *account) Close(ctx *durable.EntityContext, _ durable.None) error {
	ctx.Delete()
	return nil
}

func (a account) Read(_ durable.None) (int64, error) { return a.Balance, nil }

var (
	accounts  = durable.NewEntity[account]("Account")
	deposits  = durable.NewOperation(accounts, "Deposit", (*account).Deposit)
	withdraws = durable.NewOperation(accounts, "Withdraw", (*account).Withdraw)
	explodes  = durable.NewCommand(accounts, "Explode", (*account).Explode)
	closes    = durable.NewCommand(accounts, "Close", (*account).Close)
	balances  = durable.NewView(accounts, "Balance", account.Read)
)

type transfer struct {
	From, To string
	Amount   int64
}

var transfers = durable.NewOrchestrator("Transfer", func(ctx *durable.Context, t transfer) (int64, error) {
	return durable.Critical(ctx, func() (int64, error) {
		left, err := withdraws.Call(ctx, t.From, t.Amount).Await()
		if err != nil {
			return 0, err
		}
		_, err = deposits.Call(ctx, t.To, t.Amount).Await()
		return left, err
	}, accounts.ID(t.From), accounts.ID(t.To))
})

var callers = durable.NewOrchestrator("Caller", func(ctx *durable.Context, key string) ([]int64, error) {
	a, err := deposits.Call(ctx, key, 5).Await()
	if err != nil {
		return nil, err
	}
	if err := deposits.Signal(ctx, key, 7); err != nil {
		return nil, err
	}
	b, err := balances.Call(ctx, key, durable.None{}).Await()
	return []int64{a, b}, err
})

func TestEntityFromOrchestratorAndClient(t *testing.T) {
	t.Parallel()
	durabletest.Options{Unregistered: true}.Run(t, func(t *testing.T, env *durabletest.Env) {
		ctx, c := t.Context(), env.Client()
		got, err := durabletest.Start(env, callers, "alice").Result()
		check(t, fmt.Sprint(got), err, "[5 12]")
		n, err := deposits.Do(ctx, c, "alice", 8)
		check(t, n, err, 20)
		n, err = balances.Do(ctx, c, "alice", durable.None{})
		check(t, n, err, 20)
		if err := deposits.Send(ctx, c, "alice", 1, durable.WithDeliverAt(time.Now().Add(time.Hour))); err != nil {
			t.Fatal(err)
		}
		<-time.After(59 * time.Minute)
		n, err = balances.Do(ctx, c, "alice", durable.None{})
		check(t, n, err, 20)
		<-time.After(2 * time.Minute)
		n, err = balances.Do(ctx, c, "alice", durable.None{})
		check(t, n, err, 21)
		_, err = withdraws.Do(ctx, c, "alice", 100)
		var failed *durable.TaskError
		if !errors.Is(err, errFunds) || !errors.As(err, &failed) || failed.Entity != "@account@alice" || failed.Operation != "Withdraw" {
			t.Errorf("%v", err)
		}
		if _, err := explodes.Do(ctx, c, "alice", durable.None{}); !errors.As(err, &failed) || failed.Type != "panic" {
			t.Errorf("%v", err)
		}
		n, err = balances.Do(ctx, c, "alice", durable.None{})
		check(t, n, err, 21)
		_, exists, err := durable.ReadEntity[account](ctx, c, accounts.ID("alice-log"))
		check(t, exists, err, false)
		if _, err := closes.Do(ctx, c, "alice", durable.None{}); err != nil {
			t.Error(err)
		}
		_, exists, err = durable.ReadEntity[account](ctx, c, accounts.ID("alice"))
		check(t, exists, err, false)
		_, err = durable.DoEntity[int](ctx, c, accounts.ID("alice"), "Nonsense", nil)
		if !errors.Is(err, durable.ErrUnknownOperation) {
			t.Error(err)
		}
		_, err = durable.DoEntity[int](ctx, c, durable.EntityID{Name: "nobody"}, "Nonsense", nil)
		if !errors.Is(err, durable.ErrUnknownEntity) {
			t.Error(err)
		}
	}, accounts, callers)
}

func TestTransfersWithCrashes(t *testing.T) {
	t.Parallel()
	durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
		ctx, c := t.Context(), env.Client()
		if err := c.SignalEntities(ctx, append(deposits.Signals("a", 60, 40), deposits.Signals("b", 100)...)...); err != nil {
			t.Fatal(err)
		}
		one := durabletest.Start(env, transfers, transfer{"a", "b", 30})
		two := durabletest.Start(env, transfers, transfer{"b", "a", 50})
		left, err := one.Result()
		if err != nil {
			t.Fatal(err)
		}
		_, err = two.Result()
		if err != nil {
			t.Fatal(err)
		}
		_ = left
		<-time.After(5 * time.Minute)
		a, err := balances.Do(ctx, c, "a", durable.None{})
		check(t, a, err, 120)
		b, err := balances.Do(ctx, c, "b", durable.None{})
		check(t, b, err, 80)
		for e, err := range accounts.List(ctx, c, durable.EntityQuery{}) {
			if err != nil || e.LockedBy != "" {
				t.Errorf("%+v %v", e, err)
			}
		}
	}, accounts, transfers)
}
