package durable_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// The management API in a mux of one's own, behind one's own authentication.
func ExampleClient_ManagementAPI() {
	greet := durable.NewOrchestrator("Greet", func(_ *durable.Context, name string) (string, error) {
		return "Hello " + name + "!", nil
	})
	durabletest.Example(func(env *durabletest.Env) {
		client := env.Client() // in an app: app.Client()
		mux := http.NewServeMux()
		api := client.ManagementAPI("/manage")
		mux.HandleFunc("/manage/", func(w http.ResponseWriter, r *http.Request) {
			if user, password, _ := r.BasicAuth(); user != "admin" || password != "secret" {
				http.Error(w, "who are you?", http.StatusUnauthorized)
				return
			}
			api.ServeHTTP(w, r)
		})

		start := func(user string) {
			r := httptest.NewRequest(http.MethodPost, "/manage/orchestrators/Greet?timeout=30&pollingInterval=1", strings.NewReader(`"Ada"`))
			r.SetBasicAuth(user, "secret")
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, r)
			fmt.Println(w.Code, strings.TrimSpace(w.Body.String()))
		}
		start("nobody")
		start("admin")
	}, greet)
	// Output:
	// 401 who are you?
	// 200 "Hello Ada!"
}
