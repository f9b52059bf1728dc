// An order system: an HTTP function takes an order, an orchestration checks the
// inventory, charges the customer and creates the shipment. Each function has its
// folder; this file only lists them.
package main

import (
	"context"
	"log"

	"github.com/durable-go/functions/durable"
	chargecustomer "github.com/durable-go/functions/samples/order/ChargeCustomer"
	checkinventory "github.com/durable-go/functions/samples/order/CheckInventory"
	createshipment "github.com/durable-go/functions/samples/order/CreateShipment"
	placeorder "github.com/durable-go/functions/samples/order/PlaceOrder"
	processorder "github.com/durable-go/functions/samples/order/ProcessOrder"
)

func main() {
	app := durable.NewApp()
	app.Register(processorder.Orchestrator)
	app.Register(checkinventory.Activity, chargecustomer.Activity, createshipment.Activity)
	app.Register(checkinventory.Release, chargecustomer.Refund)
	app.HandleHTTP("PlaceOrder", placeorder.Handler(app.Client()))
	log.Fatal(app.Run(context.Background()))
}
