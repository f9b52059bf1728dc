// Package placeorder is the HTTP function PlaceOrder, which takes orders.
package placeorder

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/durable-go/functions/durable"
	processorder "github.com/durable-go/functions/samples/order/ProcessOrder"
)

// Handler takes the order in the body of POST orders/{id} and answers with the
// URLs to follow it. A caller that repeats a request gets the order that is there:
// no order is charged twice.
func Handler(client *durable.Client) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := durable.ReadInput(w, r)
		if err != nil {
			durable.WriteStartError(w, err)
			return
		}
		var order processorder.Order
		if err := json.Unmarshal(body, &order); err != nil || order.Quantity < 1 {
			http.Error(w, "the body must be an order with a quantity of at least 1", http.StatusBadRequest)
			return
		}
		started, err := processorder.Orchestrator.Start(r.Context(), client, order,
			durable.WithInstanceID("order-"+r.PathValue("id")), durable.WithReuse(durable.ReturnExisting))
		if err != nil {
			durable.WriteStartError(w, err)
			return
		}
		slog.Info("order placed", "instance", started.ID)
		if err := client.WriteCheckStatus(w, r, started.ID); err != nil {
			durable.WriteStartError(w, err)
		}
	})
}
