package devices_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
	device "github.com/durable-go/functions/samples/entity/Device"
	devices "github.com/durable-go/functions/samples/entity/Devices"
)

func TestDevices(t *testing.T) {
	app := durable.NewApp()
	app.Register(device.Entity)
	app.HandleHTTP("Devices", devices.Handler(app.Client()))
	durabletest.Options{App: app}.Run(t, func(t *testing.T, env *durabletest.Env) {
		for _, c := range []struct {
			method, body string
			code         int
			answer       string
		}{
			{http.MethodPost, "20", http.StatusAccepted, ""},
			{http.MethodPost, "40.5", http.StatusAccepted, ""},
			{http.MethodPost, `"hot"`, http.StatusBadRequest, "number"},
			{http.MethodPost, "", http.StatusBadRequest, ""},
			{http.MethodGet, "", http.StatusOK, `{"count":2,"average":30.25,"max":40.5}`},
		} {
			request := httptest.NewRequest(c.method, "/api/devices/oven", strings.NewReader(c.body))
			request.SetPathValue("id", "oven")
			answer := httptest.NewRecorder()
			env.HTTP("Devices").ServeHTTP(answer, request)
			if answer.Code != c.code || !strings.Contains(answer.Body.String(), c.answer) {
				t.Errorf("%s %s: %d %s", c.method, c.body, answer.Code, answer.Body)
			}
			env.RunUntilIdle()
		}
	})
}
