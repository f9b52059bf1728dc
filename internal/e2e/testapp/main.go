// The app of the end-to-end tests: the lab's functions and some that misbehave.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"time"

	hello "github.com/durable-go/functions/Hello"
	httpstart "github.com/durable-go/functions/HttpStart"
	orchestrator "github.com/durable-go/functions/Orchestrator"
	"github.com/durable-go/functions/durable"
)

// dir is where the tests and the app leave each other files.
var dir = os.Getenv("E2E_DIR")

// mark notes that it ran and, while a file block-NAME exists, does not end.
var mark = durable.NewActivity("Mark", func(ctx context.Context, name string) (string, error) {
	f, err := os.OpenFile(filepath.Join(dir, "marks"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	if _, err := fmt.Fprintln(f, durable.ActivityInfo(ctx).InstanceID, name); err != nil {
		return "", err
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(filepath.Join(dir, "block-"+name)); err != nil {
			return "Hello " + name + "!", nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
})

var marked = durable.NewOrchestrator("Marked", func(ctx *durable.Context, _ durable.None) ([]string, error) {
	var out []string
	for _, city := range []string{"Tokyo", "Seattle", "London"} {
		greeting, err := mark.Call(ctx, city).Await()
		if err != nil {
			return nil, err
		}
		out = append(out, greeting)
	}
	return out, nil
})

var exit = durable.NewAction("Exit", func(context.Context, durable.None) error {
	os.Exit(1)
	return nil
})

var exits = durable.NewOrchestrator("Exits", func(ctx *durable.Context, _ durable.None) (durable.None, error) {
	return exit.Call(ctx, durable.None{}).Await()
})

var panics = durable.NewAction("Panic", func(context.Context, durable.None) error { panic("oh no") })

var panicking = durable.NewOrchestrator("Panicking", func(ctx *durable.Context, _ durable.None) (durable.None, error) {
	return panics.Call(ctx, durable.None{}).Await()
})

var big = durable.NewActivity("Big", func(_ context.Context, size int) (string, error) {
	return string(make([]byte, size)), nil
})

var tooBig = durable.NewOrchestrator("TooBig", func(ctx *durable.Context, size int) (string, error) {
	return big.Call(ctx, size).Await()
})

var fanOut = durable.NewOrchestrator("FanOut", func(ctx *durable.Context, n int) (int, error) {
	tasks := make([]*durable.Task[string], n)
	for i := range tasks {
		tasks[i] = hello.Activity.Call(ctx, fmt.Sprint(i))
	}
	results, err := durable.All(tasks...)
	return len(results), err
})

// startAndDie starts an orchestration and ends its process, every time.
func startAndDie(client *durable.Client) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		id, err := client.StartNew(r.Context(), "Orchestrator", nil)
		if err == nil {
			f, _ := os.OpenFile(filepath.Join(dir, "starts"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
			_, _ = fmt.Fprintln(f, id)
			_ = f.Close()
		}
		os.Exit(3)
	})
}

func main() {
	app := durable.NewApp()
	client := app.Client()
	app.Register(orchestrator.Orchestrator, hello.Activity, marked, mark, exits, exit, panicking, panics, tooBig, big, fanOut)
	app.HandleHTTP("HttpStart", httpstart.Handler(client))
	app.HandleHTTP("StartAndDie", startAndDie(client))
	durable.HandleTrigger(app, "QueueStart", func(ctx context.Context, id string, _ durable.Trigger) error {
		if id == "bad" {
			return errors.New("this message always fails")
		}
		_, err := client.StartNew(ctx, "Orchestrator", nil, durable.WithInstanceID(id))
		if errors.Is(err, durable.ErrAlreadyExists) {
			return nil
		}
		return err
	})
	durable.HandleTrigger(app, "TimerStart", func(ctx context.Context, _ []byte, _ durable.Trigger) error {
		_, err := client.StartNew(ctx, "Orchestrator", nil, durable.WithInstanceID("from-timer"))
		if errors.Is(err, durable.ErrAlreadyExists) {
			return nil
		}
		return err
	})
	log.Fatal(app.Run(context.Background()))
}
