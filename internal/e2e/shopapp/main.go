// Command shopapp is a shop whose orders, reports and imports give the
// dashboard something to show, for its tests and pictures.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/durable-go/functions/durable"
)

// order is what a customer wants.
type order struct {
	Customer string   `json:"customer"`
	Items    []string `json:"items"`
	// Cents is a large number in some tests.
	Cents int64 `json:"cents"`
	// Approval is waited for above all else.
	Approval bool `json:"approval,omitempty"`
	// Card may be "declined" or "slow".
	Card string `json:"card,omitempty"`
}

var errStock = errors.New("the warehouse has none")

var checkInventory = durable.NewActivity("CheckInventory", func(_ context.Context, item string) (int, error) {
	if strings.Contains(item, "unobtainium") {
		return 0, fmt.Errorf("looking for %s: %w", item, errStock)
	}
	return len(item), nil
})

var chargeCustomer = durable.NewActivity("ChargeCustomer", func(ctx context.Context, o order) (string, error) {
	if o.Card == "declined" || o.Card == "slow" && durable.ActivityInfoFromContext(ctx).Attempt < 3 {
		return "", fmt.Errorf("the bank does not take the card of %s", o.Customer)
	}
	return "receipt-" + o.Customer, nil
})

var pack = durable.NewActivity("Pack", func(_ context.Context, item string) (string, error) { return "box of " + item, nil })

var ship = durable.NewOrchestrator("Shipment", func(ctx *durable.Context, items []string) (string, error) {
	boxes, err := durable.Map(ctx, items, pack)
	if err != nil {
		return "", err
	}
	return strings.Join(boxes, ", "), ctx.Sleep(200 * time.Millisecond)
})

var processOrder = durable.NewOrchestrator("ProcessOrder", func(ctx *durable.Context, o order) (string, error) {
	ctx.SetCustomStatus("checking the inventory")
	if _, err := durable.Map(ctx, o.Items, checkInventory); err != nil {
		return "", err
	}
	if o.Approval {
		if _, err := durable.WaitForEvent[string](ctx, "Approved", durable.WithTimeout(24*time.Hour)).Await(); err != nil {
			return "", err
		}
	}
	retry := durable.RetryPolicy{MaxAttempts: 3, FirstInterval: 400 * time.Millisecond, Backoff: 2}
	receipt, err := chargeCustomer.Call(ctx, o, durable.WithRetry(retry)).Await()
	if err != nil {
		return "", err
	}
	boxes, err := ship.Call(ctx, o.Items).Await()
	return receipt + ": " + boxes, err
})

var square = durable.NewActivity("Square", func(_ context.Context, n int) (int, error) {
	if n%1000 == 666 {
		return 0, fmt.Errorf("%d is not liked", n)
	}
	return n * n, nil
})

var fanOut = durable.NewOrchestrator("Report", func(ctx *durable.Context, n int) (int, error) {
	var tasks []*durable.Task[int]
	for i := range n {
		tasks = append(tasks, square.Call(ctx, i))
	}
	sum := 0
	for _, t := range tasks {
		if v, err := t.Await(); err == nil {
			sum += v
		}
	}
	return sum, nil
})

var approval = durable.NewOrchestrator("Approval", func(ctx *durable.Context, _ durable.None) (string, error) {
	return durable.WaitForEvent[string](ctx, "Approved").Await()
})

var reminder = durable.NewOrchestrator("Reminder", func(ctx *durable.Context, minutes int) (string, error) {
	return "it is time", ctx.Sleep(time.Duration(minutes) * time.Minute)
})

// echo returns what it gets: for texts that a page must not run.
var echo = durable.NewOrchestrator("Echo", func(ctx *durable.Context, in string) (string, error) {
	ctx.SetCustomStatus(in)
	if strings.HasPrefix(in, "fail") {
		return "", errors.New(in)
	}
	return in, nil
})

func main() {
	app := durable.NewApp()
	app.Register(processOrder, ship, fanOut, approval, reminder, echo, checkInventory, chargeCustomer, pack, square, stocks, moveStock, sell)
	log.Fatal(app.Run(context.Background()))
}
