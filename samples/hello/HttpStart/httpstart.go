// Package httpstart is the HTTP function HttpStart, which starts orchestrations
// by name.
package httpstart

import (
	"log/slog"
	"net/http"

	"github.com/durable-go/functions/durable"
)

// Handler starts the orchestrator that the route names, with the request's body
// as its input and ?id= as its instance id, and answers with the URLs to follow
// it.
func Handler(client *durable.Client) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		input, err := durable.ReadInput(w, r)
		if err != nil {
			durable.WriteStartError(w, err)
			return
		}
		var options []durable.StartOption
		if id := r.URL.Query().Get("id"); id != "" {
			options = append(options, durable.WithInstanceID(id))
		}
		id, err := client.StartNew(r.Context(), r.PathValue("functionName"), input, options...)
		if err != nil {
			durable.WriteStartError(w, err)
			return
		}
		slog.Info("started orchestration", "instance", id)
		if err := client.WriteCheckStatus(w, r, id); err != nil {
			durable.WriteStartError(w, err)
		}
	})
}
