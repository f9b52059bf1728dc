package durable_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

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
		show(begin(env, render, "holidays"))
		fmt.Println("after", env.Elapsed())
	})
	// Output:
	// 200 rendered
	// after 2m0s
}

func ExampleActivity_LimitConcurrency() {
	// The bank bears two requests at a time from each process.
	pay := durable.NewActivity("Pay", func(_ context.Context, amount int) (int, error) { return amount, nil })
	salaries := durable.NewOrchestrator("Salaries", func(ctx *durable.Context, amounts []int) ([]int, error) {
		return durable.Map(ctx, amounts, pay)
	})
	run(salaries, []int{1, 2, 3}, pay.LimitConcurrency(2))
	// Output: [1 2 3]
}

func ExampleWithTags() {
	audit := durable.NewActivity("Audit", func(ctx context.Context, _ durable.None) (string, error) {
		return durable.ActivityInfoFromContext(ctx).Tags["team"], nil
	})
	review := durable.NewOrchestrator("Review", func(ctx *durable.Context, _ durable.None) (string, error) {
		return audit.Call(ctx, durable.None{}, durable.WithTags(map[string]string{"team": "red"})).Await()
	})
	run(review, durable.None{}, audit)
	// Output: red
}
