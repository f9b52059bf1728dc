package durable_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// account is the state of an entity.
type account struct {
	Balance int64 `json:"balance"`
}

var errFunds = errors.New("not enough money")

func (a *account) deposit(_ *durable.EntityContext, n int64) (int64, error) {
	a.Balance += n
	return a.Balance, nil
}

func (a *account) withdraw(_ *durable.EntityContext, n int64) (int64, error) {
	if a.Balance < n {
		return 0, errFunds
	}
	a.Balance -= n
	return a.Balance, nil
}

func (a *account) close(ctx *durable.EntityContext, _ durable.None) error {
	ctx.Delete()
	return nil
}

func (a account) read(_ durable.None) (int64, error) { return a.Balance, nil }

var (
	accounts = durable.NewEntity[account]("Account")
	deposit  = durable.NewOperation(accounts, "Deposit", (*account).deposit)
	withdraw = durable.NewOperation(accounts, "Withdraw", (*account).withdraw)
	closing  = durable.NewCommand(accounts, "Close", (*account).close)
	balance  = durable.NewView(accounts, "Balance", account.read)
)

// A client asks an entity for operations, one way and waiting, and reads its state.
func ExampleNewEntity() {
	durabletest.Example(func(env *durabletest.Env) {
		ctx, client := context.Background(), env.Client()
		_ = deposit.Send(ctx, client, "alice", 5)
		fmt.Println(deposit.Do(ctx, client, "alice", 7))
		fmt.Println(balance.Do(ctx, client, "alice", durable.None{}))
		_, err := withdraw.Do(ctx, client, "alice", 100)
		fmt.Println(err)
		_, _ = closing.Do(ctx, client, "alice", durable.None{})
		_, exists, err := durable.ReadEntity[account](ctx, client, accounts.ID("alice"))
		fmt.Println(exists, err)
	}, accounts)
	// Output:
	// 12 <nil>
	// 12 <nil>
	// Operation 'Withdraw' of entity '@account@alice' failed: not enough money
	// false <nil>
}

// move is the input of a transfer.
type move struct {
	From, To string
	Amount   int64
}

// A transfer holds the locks of both accounts: no other transfer sees the sum between the two
// operations.
func ExampleCritical() {
	transfer := durable.NewOrchestrator("Transfer", func(ctx *durable.Context, m move) (int64, error) {
		return durable.Critical(ctx, func() (int64, error) {
			left, err := withdraw.Call(ctx, m.From, m.Amount).Await()
			if err != nil {
				return 0, err
			}
			_, err = deposit.Call(ctx, m.To, m.Amount).Await()
			return left, err
		}, accounts.ID(m.From), accounts.ID(m.To))
	})
	durabletest.Example(func(env *durabletest.Env) {
		ctx, client := context.Background(), env.Client()
		_ = client.SignalEntities(ctx, deposit.Signals("alice", 60, 40)...)
		fmt.Println(durabletest.Start(env, transfer, move{"alice", "bob", 30}).Result())
		env.Advance(time.Second) // a list shows a change a moment later
		for e, err := range accounts.List(ctx, client, durable.EntityQuery{}) {
			fmt.Println(e.ID, e.State.Balance, err)
		}
	}, accounts, transfer)
	// Output:
	// 70 <nil>
	// @account@alice 70 <nil>
	// @account@bob 30 <nil>
}

// An aggregator takes signals from many senders, and from itself: it reports what came
// within a minute.
func ExampleOperation_Signal() {
	type batch struct{ Events []string }
	var reported chan int
	report := durable.NewAction("Report", func(_ context.Context, events []string) error {
		reported <- len(events)
		return nil
	})
	flow := durable.NewOrchestrator("Flow", func(ctx *durable.Context, events []string) (durable.None, error) {
		return report.Call(ctx, events).Await()
	})
	aggregators := durable.NewEntity[batch]("Aggregator")
	var flush *durable.Operation[durable.None, durable.None]
	add := durable.NewCommand(aggregators, "Add", func(b *batch, ctx *durable.EntityContext, event string) error {
		b.Events = append(b.Events, event)
		if len(b.Events) > 1 {
			return nil
		}
		return flush.Signal(ctx, ctx.Key(), durable.None{}, durable.WithDeliverAt(ctx.Now().Add(time.Minute)))
	})
	flush = durable.NewCommand(aggregators, "Flush", func(b *batch, ctx *durable.EntityContext, _ durable.None) error {
		_, err := flow.StartFrom(ctx, b.Events)
		ctx.Delete()
		return err
	})
	durabletest.Example(func(env *durabletest.Env) {
		ctx := context.Background()
		reported = make(chan int, 1)
		for i := range 100 {
			_ = add.Send(ctx, env.Client(), "sensors", fmt.Sprint("event ", i))
		}
		fmt.Println(<-reported, "events after", env.Elapsed().Truncate(time.Minute))
	}, aggregators, flow, report)
	// Output: 100 events after 1m0s
}
