// Package devices is the HTTP function Devices: what devices send, and what is known of
// them.
package devices

import (
	"encoding/json"
	"net/http"

	"github.com/durable-go/functions/durable"
	device "github.com/durable-go/functions/samples/entity/Device"
)

// Handler takes a reading, in degrees, by POST devices/{id}, and answers GET with the
// summary. A reading is stored when it is answered, and counted a moment later.
func Handler(client *durable.Client) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		if r.Method == http.MethodPost {
			var degrees float64
			body, err := durable.ReadInput(w, r)
			if err == nil && json.Unmarshal(body, &degrees) != nil {
				http.Error(w, "the body must be a number of degrees", http.StatusBadRequest)
				return
			}
			if err == nil {
				err = device.Add.Send(r.Context(), client, id, degrees)
			}
			if err != nil {
				durable.WriteStartError(w, err)
				return
			}
			w.WriteHeader(http.StatusAccepted)
			return
		}
		summary, err := device.Read.Do(r.Context(), client, id, durable.None{})
		if err != nil {
			durable.WriteStartError(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(summary)
	})
}
