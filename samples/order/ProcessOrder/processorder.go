// Package processorder is the orchestrator ProcessOrder: check the inventory, charge
// the customer, create the shipment, and undo what was done where a step fails.
package processorder

import (
	"errors"
	"time"

	"github.com/durable-go/functions/durable"
	chargecustomer "github.com/durable-go/functions/samples/order/ChargeCustomer"
	checkinventory "github.com/durable-go/functions/samples/order/CheckInventory"
	createshipment "github.com/durable-go/functions/samples/order/CreateShipment"
)

// Order is what a customer wants.
type Order struct {
	Customer string `json:"customer"`
	Article  string `json:"article"`
	Quantity int    `json:"quantity"`
	Address  string `json:"address"`
}

// Confirmation is what the customer gets to know.
type Confirmation struct {
	Cents    int    `json:"cents"`
	Tracking string `json:"tracking"`
}

var (
	// retry is for services that may be busy for a moment.
	retry = durable.WithRetry(durable.RetryPolicy{MaxAttempts: 5, FirstInterval: time.Second, Backoff: 2})
	// untilDone is for what must be undone: it is tried for about two days.
	untilDone = durable.WithRetry(durable.RetryPolicy{
		MaxAttempts: 60, FirstInterval: time.Second, Backoff: 2, MaxInterval: time.Hour,
	})
)

// Orchestrator takes an order from the shelf to the carrier.
var Orchestrator = durable.NewOrchestrator("ProcessOrder", process)

// process undoes its steps in deferred functions, the last one first. They run also
// when the orchestration leaves memory while it waits; err is nil then.
func process(ctx *durable.Context, order Order) (_ Confirmation, err error) {
	ctx.SetCustomStatus("checking the inventory")
	wanted := checkinventory.Wanted{Order: ctx.InstanceID(), Article: order.Article, Quantity: order.Quantity}
	cents, err := checkinventory.Activity.Call(ctx, wanted, retry).Await()
	if err != nil {
		return Confirmation{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, checkinventory.Release.Do(ctx, wanted, untilDone))
		}
	}()

	ctx.SetCustomStatus("charging the customer")
	charge := chargecustomer.Charge{Customer: order.Customer, Cents: cents}
	receipt, err := chargecustomer.Activity.Call(ctx, charge, retry).Await()
	if err != nil {
		return Confirmation{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, chargecustomer.Refund.Do(ctx, receipt, untilDone))
		}
	}()

	ctx.SetCustomStatus("creating the shipment")
	parcel := createshipment.Parcel{
		Order: ctx.InstanceID(), Article: order.Article, Quantity: order.Quantity, Address: order.Address,
	}
	tracking, err := createshipment.Activity.Call(ctx, parcel, retry).Await()
	if err != nil {
		return Confirmation{}, err
	}
	ctx.SetCustomStatus("shipped")
	return Confirmation{Cents: cents, Tracking: tracking}, nil
}
