package processorder_test

import (
	"errors"
	"testing"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
	chargecustomer "github.com/durable-go/functions/samples/order/ChargeCustomer"
	checkinventory "github.com/durable-go/functions/samples/order/CheckInventory"
	createshipment "github.com/durable-go/functions/samples/order/CreateShipment"
	processorder "github.com/durable-go/functions/samples/order/ProcessOrder"
)

var functions = []durable.Registration{
	processorder.Orchestrator, createshipment.Activity,
	checkinventory.Activity, checkinventory.Release, chargecustomer.Activity, chargecustomer.Refund,
}

func order(article, address string) processorder.Order {
	return processorder.Order{Customer: "ann", Article: article, Quantity: 2, Address: address}
}

func TestOrderIsShipped(t *testing.T) {
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		got, err := durabletest.Start(env, processorder.Orchestrator, order("tea", "London"), durable.WithInstanceID("order-7")).Result()
		if want := (processorder.Confirmation{Cents: 900, Tracking: "track-order-7"}); err != nil || got != want {
			t.Errorf("got %+v, %v", got, err)
		}
	}, functions...)
}

// What was done before a step fails is undone, and nothing else is.
func TestFailureIsUndone(t *testing.T) {
	for _, c := range []struct {
		name              string
		order             processorder.Order
		cause             error
		refunds, releases int
	}{
		{"out of stock", order("caviar", "London"), checkinventory.ErrOutOfStock, 0, 0},
		{"declined", order("anvil", "London"), chargecustomer.ErrDeclined, 0, 1},
		{"no carrier", order("tea", "the Moon"), createshipment.ErrNoCarrier, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
				_, err := durabletest.Start(env, processorder.Orchestrator, c.order).Result()
				if !errors.Is(err, c.cause) {
					t.Errorf("failed with %v, want %v", err, c.cause)
				}
				refunds, releases := env.Calls("RefundCustomer"), env.Calls("ReleaseInventory")
				if len(refunds) != c.refunds || len(releases) != c.releases {
					t.Errorf("%d refunds and %d releases, want %d and %d", len(refunds), len(releases), c.refunds, c.releases)
				}
			}, functions...)
		})
	}
}

// A bank that is away for a moment does not cost the order.
func TestBusyBank(t *testing.T) {
	durabletest.Run(t, func(t *testing.T, env *durabletest.Env) {
		env.Fail("ChargeCustomer", 3, errors.New("the bank does not answer"))
		if _, err := durabletest.Start(env, processorder.Orchestrator, order("tea", "London")).Result(); err != nil {
			t.Error(err)
		}
	}, functions...)
}

// The process ends at each of its storage calls in turn: the customer gets the
// parcel all the same, and pays under one receipt.
func TestOrderOutlivesCrashes(t *testing.T) {
	durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
		got, err := durabletest.Start(env, processorder.Orchestrator, order("tea", "London")).Result()
		if err != nil || got.Cents != 900 || len(env.Calls("RefundCustomer")) != 0 {
			t.Errorf("got %+v, %v, %d refunds", got, err, len(env.Calls("RefundCustomer")))
		}
	}, functions...)
}

// Nor does a crash leave anything that was not undone.
func TestUndoingOutlivesCrashes(t *testing.T) {
	durabletest.EveryCrash(t, func(t *testing.T, env *durabletest.Env) {
		_, err := durabletest.Start(env, processorder.Orchestrator, order("tea", "the Moon")).Result()
		if !errors.Is(err, createshipment.ErrNoCarrier) || len(env.Calls("RefundCustomer")) == 0 || len(env.Calls("ReleaseInventory")) == 0 {
			t.Errorf("failed with %v after %d refunds, %d releases", err, len(env.Calls("RefundCustomer")), len(env.Calls("ReleaseInventory")))
		}
	}, functions...)
}
