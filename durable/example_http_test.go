package durable_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

// served is a transport that asks a handler, without a network.
type served struct{ http.Handler }

func (s served) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result(), nil
}

func ExampleCallHTTP() {
	polls := 0
	renderer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost || polls < 2 {
			polls++
			w.Header().Set("Location", "/jobs/1")
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusAccepted)
			return
		}
		fmt.Fprint(w, "rendered")
	})
	render := durable.NewOrchestrator("Render", func(ctx *durable.Context, video string) (string, error) {
		response, err := durable.CallHTTP(ctx, durable.HTTPRequest{
			Method: http.MethodPost, URL: "https://render.example/jobs", Body: map[string]string{"video": video},
		}).Await()
		if err != nil {
			return "", err
		}
		return fmt.Sprint(response.StatusCode, " ", response.Content), nil
	})
	app := durable.NewApp()
	app.UseHTTPClient(&http.Client{Transport: served{renderer}}) // no network in a test
	app.Register(render)
	durabletest.Options{App: app}.Example(func(env *durabletest.Env) {
		fmt.Println(durabletest.Start(env, render, "holidays").Result())
		fmt.Println("after", env.Elapsed())
	})
	// Output:
	// 200 rendered <nil>
	// after 2m0s
}

func ExampleHTTPError() {
	calls := 0
	busy := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls++
		http.Error(w, "come back later", http.StatusServiceUnavailable)
	})
	order := durable.NewOrchestrator("Order", func(ctx *durable.Context, _ durable.None) (string, error) {
		_, err := durable.CallHTTP(ctx, durable.HTTPRequest{
			URL:         "https://shop.example/stock",
			Retry:       &durable.RetryPolicy{MaxAttempts: 3, FirstInterval: time.Minute},
			RetryStatus: []int{http.StatusServiceUnavailable},
		}).Await()
		if failed := new(durable.HTTPError); errors.As(err, &failed) {
			return fmt.Sprint("the shop answers ", failed.StatusCode), nil
		}
		return "", err
	})
	app := durable.NewApp()
	app.UseHTTPClient(&http.Client{Transport: served{busy}}) // no network in a test
	app.Register(order)
	durabletest.Options{App: app}.Example(func(env *durabletest.Env) {
		fmt.Println(durabletest.Start(env, order, durable.None{}).Result())
		fmt.Println(calls, "calls in", env.Elapsed())
	})
	// Output:
	// the shop answers 503 <nil>
	// 3 calls in 2m0s
}

func ExampleApp_UseTokenProvider() {
	azure := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "called with ", r.Header.Get("Authorization"))
	})
	restart := durable.NewOrchestrator("Restart", func(ctx *durable.Context, vm string) (string, error) {
		response, err := durable.CallHTTP(ctx, durable.HTTPRequest{
			Method: http.MethodPost,
			URL:    "https://management.azure.com/" + vm + "/restart",
			Token:  &durable.ManagedIdentityToken{Resource: "https://management.azure.com"},
		}).Await()
		if err != nil {
			return "", err
		}
		return response.Content, nil
	})
	app := durable.NewApp()
	app.UseHTTPClient(&http.Client{Transport: served{azure}})
	// By default it is the app's managed identity.
	app.UseTokenProvider(func(_ context.Context, scope string) (string, error) { return "token-for-" + scope, nil })
	app.Register(restart)
	durabletest.Options{App: app}.Example(func(env *durabletest.Env) {
		fmt.Println(durabletest.Start(env, restart, "vm1").Result())
	})
	// Output: called with Bearer token-for-https://management.azure.com/.default <nil>
}
