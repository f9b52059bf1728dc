// Package entities has views and critical sections.
package entities

import "github.com/durable-go/functions/durable"

type account struct {
	Balance int
	Notes   map[string]string
	List    []int
	Last    *int
}

func (a account) Bad(_ durable.None) (int, error) {
	a.Balance = 5
	a.Notes["x"] = "y"   // want `DUR020 entity: a view changes the entity's state`
	a.List[0]++          // want `a view changes the entity's state`
	*a.Last = 5          // want `a view changes the entity's state`
	delete(a.Notes, "x") // want `a view changes the entity's state`
	return a.Balance, nil
}

func (a account) Good(_ durable.None) (int, error) {
	a.Balance++
	a.List = append(a.List[:0:0], 1)
	return len(a.Notes), nil
}

func (a *account) Deposit(ctx *durable.EntityContext, n int) (int, error) {
	a.Balance += n
	a.Notes["x"] = "y"
	return a.Balance, nil
}

var (
	accounts = durable.NewEntity[account]("Account")
	deposit  = durable.NewOperation(accounts, "Deposit", (*account).Deposit)
	bad      = durable.NewView(accounts, "Bad", account.Bad)
	good     = durable.NewView(accounts, "Good", account.Good)
	child    = durable.DeclareOrchestrator[int, int]("Child")
)

func transfer(ctx *durable.Context, to string) error {
	_, err := durable.Critical(ctx, func() (int, error) {
		if _, err := child.Call(ctx, 5).Await(); err != nil { // want `an orchestration is called in a critical section`
			return 0, err
		}
		if _, err := durable.Critical(ctx, func() (int, error) { return 0, nil }); err != nil { // want `a critical section in another`
			return 0, err
		}
		if err := nested(ctx); err != nil { // want `nested begins a critical section in another`
			return 0, err
		}
		if _, err := deposit.Call(ctx, "carol", 1).Await(); err != nil { // want `the entity "carol" is called in a critical section that does not lock it`
			return 0, err
		}
		return deposit.Call(ctx, "alice", 5).Await()
	}, accounts.ID("alice"), accounts.ID("bob"))
	if err != nil {
		return err
	}
	_, err = durable.Critical(ctx, func() (int, error) { return deposit.Call(ctx, "dave", 1).Await() }, accounts.ID(to))
	return err
}

func nested(ctx *durable.Context) error {
	_, err := durable.Critical(ctx, func() (int, error) { return 0, nil })
	return err
}
