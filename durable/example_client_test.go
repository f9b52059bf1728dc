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
)

// approval waits for somebody's word.
var approval = durable.NewOrchestrator("Approval", func(ctx *durable.Context, item string) (string, error) {
	answer, err := durable.WaitForEvent[string](ctx, "Answer").Await()
	return item + ": " + answer, err
})

// started starts an approval and waits until it runs.
func started(ctx context.Context, c *durable.Client, options ...durable.StartOption) *durable.Run[string] {
	run, err := approval.Start(ctx, c, "tea", options...)
	if err != nil {
		panic(err)
	}
	if _, err := c.WaitForStart(ctx, run.ID); err != nil {
		panic(err)
	}
	return run
}

// until waits for a status.
func until(ctx context.Context, c *durable.Client, id, status string) {
	for {
		if s, err := c.Status(ctx, id); err != nil || s.RuntimeStatus == status {
			return
		}
		<-time.After(time.Millisecond)
	}
}

func ExampleClient_RaiseEvent() {
	ctx := context.Background()
	client, stop := durable.RunForTest(approval)
	defer stop()
	run := started(ctx, client)
	if err := client.RaiseEvent(ctx, run.ID, "Answer", "yes"); err != nil {
		fmt.Println(err)
	}
	fmt.Println(run.Wait(ctx))
	fmt.Println(errors.Is(run.RaiseEvent(ctx, "Answer", "no"), durable.ErrFinished))
	// Output:
	// tea: yes <nil>
	// true
}

func ExampleClient_Terminate() {
	ctx := context.Background()
	client, stop := durable.RunForTest(approval)
	defer stop()
	run := started(ctx, client, durable.WithInstanceID("order-1"))
	if err := client.Terminate(ctx, run.ID, "sold out", durable.WithChildren()); err != nil {
		fmt.Println(err)
	}
	_, err := run.Wait(ctx)
	fmt.Println(err)
	// Output: orchestration order-1 (Approval): Terminated: sold out
}

func ExampleClient_Suspend() {
	ctx := context.Background()
	client, stop := durable.RunForTest(approval)
	defer stop()
	run := started(ctx, client)
	fmt.Println(client.Suspend(ctx, run.ID, "lunch"))
	until(ctx, client, run.ID, "Suspended")
	fmt.Println(run.RaiseEvent(ctx, "Answer", "yes")) // kept until it goes on
	fmt.Println(client.Resume(ctx, run.ID, "back"))
	fmt.Println(run.Wait(ctx))
	// Output:
	// <nil>
	// <nil>
	// <nil>
	// tea: yes <nil>
}

func ExampleClient_Restart() {
	ctx := context.Background()
	client, stop := durable.RunForTest(approval)
	defer stop()
	started(ctx, client, durable.WithInstanceID("order-1"))
	id, err := client.Restart(ctx, "order-1", durable.WithInstanceID("order-2"))
	fmt.Println(id, err)
	_, err = client.Restart(ctx, "order-1", durable.WithInstanceID("order-1"))
	fmt.Println(errors.Is(err, durable.ErrNotFinished))
	// Output:
	// order-2 <nil>
	// true
}

func ExampleWithReuse() {
	ctx := context.Background()
	client, stop := durable.RunForTest(approval)
	defer stop()
	id := durable.WithInstanceID("order-1")
	started(ctx, client, id)
	_, err := approval.Start(ctx, client, "coffee", id)
	fmt.Println(errors.Is(err, durable.ErrAlreadyExists))
	run, err := approval.Start(ctx, client, "coffee", id, durable.WithReuse(durable.TerminateAndReplace))
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(run.RaiseEvent(ctx, "Answer", "yes"))
	fmt.Println(run.Wait(ctx))
	// Output:
	// true
	// <nil>
	// coffee: yes <nil>
}

func ExampleClient_Wait() {
	ctx := context.Background()
	client, stop := durable.RunForTest(approval)
	defer stop()
	run := started(ctx, client)
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	status, err := client.Wait(short, run.ID)
	fmt.Println(status.RuntimeStatus, err)
	_ = run.RaiseEvent(ctx, "Answer", "no")
	status, err = client.Wait(ctx, run.ID)
	fmt.Println(status.RuntimeStatus, string(status.Output), err)
	// Output:
	// Running context deadline exceeded
	// Completed "tea: no" <nil>
}

func ExampleClient_History() {
	ctx := context.Background()
	client, stop := durable.RunForTest(approval)
	defer stop()
	run := started(ctx, client)
	_ = run.RaiseEvent(ctx, "Answer", "yes")
	_, _ = run.Wait(ctx)
	events, err := client.History(ctx, run.ID)
	if err != nil {
		fmt.Println(err)
	}
	for _, e := range events {
		fmt.Println(strings.TrimSpace(e.Type + " " + e.Name + e.Status))
	}
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
	ctx := context.Background()
	client, stop := durable.RunForTest(approval)
	defer stop()
	run := started(ctx, client)
	_ = run.RaiseEvent(ctx, "Answer", "yes")
	_, _ = run.Wait(ctx)
	raw, err := client.HistoryJSON(ctx, run.ID)
	if err != nil {
		fmt.Println(err)
	}
	var events []struct{ EventType string }
	if err := json.Unmarshal(raw, &events); err != nil {
		fmt.Println(err)
	}
	fmt.Println(events)
	// Output: [{ExecutionStarted} {EventRaised} {ExecutionCompleted}]
}

func ExampleClient_WaitForCompletionOrCheckStatus() {
	ctx := context.Background()
	client, stop := durable.RunForTest(approval)
	defer stop()
	run := started(ctx, client)
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
		_, _ = run.Wait(ctx)
	}
	// Output:
	// 202 10
	// 200 "tea: yes"
}

func ExampleClient_CheckStatus() {
	client, stop := durable.RunForTest(approval)
	defer stop()
	raw, err := client.CheckStatus(httptest.NewRequest(http.MethodPost, "http://localhost:7071/api/orders", nil), "order-1")
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
	// Output: localhost:7071 /api/durabletask-links/instances/order-1/terminate
}
