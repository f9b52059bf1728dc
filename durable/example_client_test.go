package durable_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
)

func ExampleClient_RaiseEvent() {
	approval := durable.NewOrchestrator("Approval", func(ctx *durable.Context, item string) (string, error) {
		answer, err := durable.WaitForEvent[string](ctx, "Answer").Await()
		return item + ": " + answer, err
	})
	durabletest.Example(func(env *durabletest.Env) {
		ctx := context.Background()
		client := env.Client() // in an app: app.Client()
		run, err := approval.Start(ctx, client, "tea")
		if err != nil {
			fmt.Println(err)
			return
		}
		if err := client.RaiseEvent(ctx, run.ID, "Answer", "yes"); err != nil {
			fmt.Println(err)
		}
		fmt.Println(run.Result(ctx))
		fmt.Println(errors.Is(run.RaiseEvent(ctx, "Answer", "no"), durable.ErrFinished))
	}, approval)
	// Output:
	// tea: yes <nil>
	// true
}

func ExampleClient_Terminate() {
	approval := durable.NewOrchestrator("Approval", func(ctx *durable.Context, item string) (string, error) {
		answer, err := durable.WaitForEvent[string](ctx, "Answer").Await()
		return item + ": " + answer, err
	})
	durabletest.Example(func(env *durabletest.Env) {
		ctx := context.Background()
		client := env.Client() // in an app: app.Client()
		run, err := approval.Start(ctx, client, "tea", durable.WithInstanceID("order-1"))
		if err != nil {
			fmt.Println(err)
			return
		}
		if err := client.Terminate(ctx, run.ID, "sold out", durable.WithChildren()); err != nil {
			fmt.Println(err)
		}
		_, err = run.Result(ctx)
		fmt.Println(err)
	}, approval)
	// Output: orchestration order-1 (Approval): Terminated: sold out
}

func ExampleClient_Suspend() {
	approval := durable.NewOrchestrator("Approval", func(ctx *durable.Context, item string) (string, error) {
		answer, err := durable.WaitForEvent[string](ctx, "Answer").Await()
		return item + ": " + answer, err
	})
	durabletest.Example(func(env *durabletest.Env) {
		ctx := context.Background()
		client := env.Client() // in an app: app.Client()
		run, err := approval.Start(ctx, client, "tea")
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(client.Suspend(ctx, run.ID, "lunch"))
		env.Wait()                                        // until it is suspended
		fmt.Println(run.RaiseEvent(ctx, "Answer", "yes")) // kept until it goes on
		fmt.Println(client.Resume(ctx, run.ID, "back"))
		fmt.Println(run.Result(ctx))
	}, approval)
	// Output:
	// <nil>
	// <nil>
	// <nil>
	// tea: yes <nil>
}

func ExampleClient_Restart() {
	approval := durable.NewOrchestrator("Approval", func(ctx *durable.Context, item string) (string, error) {
		answer, err := durable.WaitForEvent[string](ctx, "Answer").Await()
		return item + ": " + answer, err
	})
	durabletest.Example(func(env *durabletest.Env) {
		ctx := context.Background()
		client := env.Client() // in an app: app.Client()
		_, err := approval.Start(ctx, client, "tea", durable.WithInstanceID("order-1"))
		if err != nil {
			fmt.Println(err)
			return
		}
		id, err := client.Restart(ctx, "order-1", durable.WithInstanceID("order-2"))
		fmt.Println(id, err)
		_, err = client.Restart(ctx, "order-1", durable.WithInstanceID("order-1"))
		fmt.Println(errors.Is(err, durable.ErrNotFinished))
	}, approval)
	// Output:
	// order-2 <nil>
	// true
}

func ExampleWithReuse() {
	approval := durable.NewOrchestrator("Approval", func(ctx *durable.Context, item string) (string, error) {
		answer, err := durable.WaitForEvent[string](ctx, "Answer").Await()
		return item + ": " + answer, err
	})
	durabletest.Example(func(env *durabletest.Env) {
		ctx := context.Background()
		client := env.Client() // in an app: app.Client()
		id := durable.WithInstanceID("order-1")
		_, err := approval.Start(ctx, client, "tea", id)
		if err != nil {
			fmt.Println(err)
			return
		}
		_, err = approval.Start(ctx, client, "coffee", id)
		fmt.Println(errors.Is(err, durable.ErrAlreadyExists))
		run, err := approval.Start(ctx, client, "coffee", id, durable.WithReuse(durable.TerminateAndReplace))
		if err != nil {
			fmt.Println(err)
		}
		fmt.Println(run.RaiseEvent(ctx, "Answer", "yes"))
		fmt.Println(run.Result(ctx))
	}, approval)
	// Output:
	// true
	// <nil>
	// coffee: yes <nil>
}

func ExampleClient_WaitForCompletion() {
	approval := durable.NewOrchestrator("Approval", func(ctx *durable.Context, item string) (string, error) {
		answer, err := durable.WaitForEvent[string](ctx, "Answer").Await()
		return item + ": " + answer, err
	})
	durabletest.Example(func(env *durabletest.Env) {
		ctx := context.Background()
		client := env.Client() // in an app: app.Client()
		run, err := approval.Start(ctx, client, "tea")
		if err != nil {
			fmt.Println(err)
			return
		}
		if _, err := client.WaitForStart(ctx, run.ID); err != nil {
			fmt.Println(err)
			return
		}
		short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
		status, err := client.WaitForCompletion(short, run.ID)
		fmt.Println(status.RuntimeStatus, err)
		_ = run.RaiseEvent(ctx, "Answer", "no")
		status, err = client.WaitForCompletion(ctx, run.ID)
		fmt.Println(status.RuntimeStatus, string(status.Output), err)
	}, approval)
	// Output:
	// Running context deadline exceeded
	// Completed "tea: no" <nil>
}

func ExampleClient_History() {
	approval := durable.NewOrchestrator("Approval", func(ctx *durable.Context, item string) (string, error) {
		answer, err := durable.WaitForEvent[string](ctx, "Answer").Await()
		return item + ": " + answer, err
	})
	durabletest.Example(func(env *durabletest.Env) {
		ctx := context.Background()
		client := env.Client() // in an app: app.Client()
		run, err := approval.Start(ctx, client, "tea")
		if err != nil {
			fmt.Println(err)
			return
		}
		if _, err := client.WaitForStart(ctx, run.ID); err != nil {
			fmt.Println(err)
			return
		}
		_ = run.RaiseEvent(ctx, "Answer", "yes")
		_, _ = run.Result(ctx)
		events, err := client.History(ctx, run.ID)
		if err != nil {
			fmt.Println(err)
		}
		for _, e := range events {
			fmt.Println(strings.TrimSpace(e.Type + " " + e.Name + e.Status))
		}
	}, approval)
	// Output:
	// OrchestratorStarted
	// ExecutionStarted Approval
	// OrchestratorCompleted
	// OrchestratorStarted
	// EventRaised Answer
	// ExecutionCompleted Completed
	// OrchestratorCompleted
}

func ExampleClient_HistoryJSON() {
	approval := durable.NewOrchestrator("Approval", func(ctx *durable.Context, item string) (string, error) {
		answer, err := durable.WaitForEvent[string](ctx, "Answer").Await()
		return item + ": " + answer, err
	})
	durabletest.Example(func(env *durabletest.Env) {
		ctx := context.Background()
		client := env.Client() // in an app: app.Client()
		run, err := approval.Start(ctx, client, "tea")
		if err != nil {
			fmt.Println(err)
			return
		}
		_ = run.RaiseEvent(ctx, "Answer", "yes")
		_, _ = run.Result(ctx)
		raw, err := client.HistoryJSON(ctx, run.ID)
		if err != nil {
			fmt.Println(err)
		}
		var events []struct{ EventType string }
		if err := json.Unmarshal(raw, &events); err != nil {
			fmt.Println(err)
		}
		fmt.Println(events)
	}, approval)
	// Output: [{ExecutionStarted} {EventRaised} {ExecutionCompleted}]
}

func ExampleClient_WaitForCompletionOrCheckStatus() {
	approval := durable.NewOrchestrator("Approval", func(ctx *durable.Context, item string) (string, error) {
		answer, err := durable.WaitForEvent[string](ctx, "Answer").Await()
		return item + ": " + answer, err
	})
	durabletest.Example(func(env *durabletest.Env) {
		ctx := context.Background()
		client := env.Client() // in an app: app.Client()
		run, err := approval.Start(ctx, client, "tea")
		if err != nil {
			fmt.Println(err)
			return
		}
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := client.WaitForCompletionOrCheckStatus(w, r, run.ID, 50*time.Millisecond); err != nil {
				durable.WriteStartError(w, err)
			}
		})
		for range 2 {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
			if w.Code == http.StatusOK {
				fmt.Println(w.Code, w.Body)
			} else {
				fmt.Println(w.Code, w.Header().Get("Retry-After"))
			}
			_ = run.RaiseEvent(ctx, "Answer", "yes")
			_, _ = run.Result(ctx)
		}
	}, approval)
	// Output:
	// 202 10
	// 200 "tea: yes"
}

func ExampleClient_ManagementPayload() {
	approval := durable.NewOrchestrator("Approval", func(ctx *durable.Context, item string) (string, error) {
		answer, err := durable.WaitForEvent[string](ctx, "Answer").Await()
		return item + ": " + answer, err
	})
	durabletest.Example(func(env *durabletest.Env) {
		client := env.Client() // in an app: app.Client()
		raw, err := client.ManagementPayload(httptest.NewRequest(http.MethodPost, "http://localhost:7071/api/orders", nil), "order-1")
		if err != nil {
			fmt.Println(err)
		}
		var payload map[string]string
		if err := json.Unmarshal(raw, &payload); err != nil {
			fmt.Println(err)
		}
		u, err := url.Parse(payload["terminatePostUri"])
		if err != nil {
			fmt.Println(err)
		}
		fmt.Println(u.Host, u.Path)
	}, approval)
	// Output: localhost:7071 /api/durabletask-links/instances/order-1/terminate
}
