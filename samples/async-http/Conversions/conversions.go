// Package conversions is the HTTP function Conversions: an HTTP API for work that may
// take longer than a request should.
package conversions

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/durable-go/functions/durable"
	convert "github.com/durable-go/functions/samples/async-http/Convert"
)

// patience is how long a request is held for the result.
const patience = 2 * time.Second

// Handler takes a document by POST conversions/{id}. A conversion that is done soon is
// answered with 200 and the result, another one with 202 and the URLs to follow it. A
// request that is repeated does not convert again.
func Handler(client *durable.Client) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := durable.ReadInput(w, r)
		if err != nil {
			durable.WriteStartError(w, err)
			return
		}
		var document convert.Document
		if err := json.Unmarshal(body, &document); err != nil || len(document.Pages) == 0 {
			http.Error(w, "the body must be a document with pages", http.StatusBadRequest)
			return
		}
		started, err := convert.Orchestrator.Start(r.Context(), client, document,
			durable.WithInstanceID(r.PathValue("id")), durable.WithReuse(durable.ReturnExisting))
		if err == nil {
			err = client.WaitForCompletionOrCheckStatus(w, r, started.ID, patience)
		}
		if err != nil {
			durable.WriteStartError(w, err)
		}
	})
}
