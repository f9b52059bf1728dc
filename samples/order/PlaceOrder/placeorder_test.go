package placeorder_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
	placeorder "github.com/durable-go/functions/samples/order/PlaceOrder"
	processorder "github.com/durable-go/functions/samples/order/ProcessOrder"
)

// The same order placed again is the same instance, and a body that is not an
// order starts nothing.
func TestPlaceOrder(t *testing.T) {
	app := durable.NewApp()
	app.Register(processorder.Orchestrator)
	app.HandleHTTP("PlaceOrder", placeorder.Handler(app.Client()))
	durabletest.Options{App: app}.Run(t, func(t *testing.T, env *durabletest.Env) {
		runs := 0
		durabletest.ReplaceOrchestrator(env, processorder.Orchestrator,
			func(_ *durable.Context, _ processorder.Order) (processorder.Confirmation, error) {
				runs++
				return processorder.Confirmation{}, nil
			})
		for _, c := range []struct {
			body string
			code int
		}{
			{`{"article": "tea", "quantity": 2}`, http.StatusAccepted},
			{`{"article": "tea", "quantity": 2}`, http.StatusAccepted},
			{`{"article": "tea"}`, http.StatusBadRequest},
			{`"tea"`, http.StatusBadRequest},
			{`{"article"`, http.StatusBadRequest},
		} {
			request := httptest.NewRequest(http.MethodPost, "/api/orders/7", strings.NewReader(c.body))
			request.SetPathValue("id", "7")
			answer := httptest.NewRecorder()
			env.HTTP("PlaceOrder").ServeHTTP(answer, request)
			if answer.Code != c.code {
				t.Errorf("%s: %d %s, want %d", c.body, answer.Code, answer.Body, c.code)
			}
			env.Wait()
		}
		if runs != 1 {
			t.Errorf("the order was processed %d times", runs)
		}
	})
}
