// Package requestapproval is the HTTP function RequestApproval, which takes expenses.
package requestapproval

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/durable-go/functions/durable"
	approveexpense "github.com/durable-go/functions/samples/approval/ApproveExpense"
)

// Handler takes the expense in the body of POST expenses/{id}. The answer has the id
// alone: the links of an instance would let the one who asks decide.
func Handler(client *durable.Client) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := durable.ReadInput(w, r)
		if err != nil {
			durable.WriteStartError(w, err)
			return
		}
		var expense approveexpense.Expense
		if err := json.Unmarshal(body, &expense); err != nil || expense.Cents <= 0 {
			http.Error(w, "the body must be an expense with a sum in cents", http.StatusBadRequest)
			return
		}
		id := "expense-" + r.PathValue("id")
		if expense.Link, err = decideLink(client, r, id); err == nil {
			_, err = approveexpense.Orchestrator.Start(r.Context(), client, expense,
				durable.WithInstanceID(id), durable.WithReuse(durable.ReturnExisting))
		}
		if err != nil {
			durable.WriteStartError(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, "{\"id\":%q}\n", id)
	})
}

// decideLink is a signed URL that raises the event Decided for one instance.
func decideLink(client *durable.Client, r *http.Request, id string) (string, error) {
	payload, err := client.ManagementPayload(r, id)
	if err != nil {
		return "", err
	}
	var links struct {
		SendEvent string `json:"sendEventPostUri"`
	}
	err = json.Unmarshal(payload, &links)
	return strings.Replace(links.SendEvent, "{eventName}", approveexpense.Decided.Name(), 1), err
}
