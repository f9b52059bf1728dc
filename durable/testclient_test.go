package durable

import (
	"context"
	"log/slog"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/management"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/memory"
	"github.com/durable-go/functions/internal/worker"
)

// RunForTest runs an app of the functions on a task hub in memory, without a
// host, and returns its client. Mistakes panic. stop ends it.
func RunForTest(functions ...Registration) (c *Client, stop func()) {
	r := newRegistry()
	for _, f := range functions {
		if err := f.register(r); err != nil {
			panic(err)
		}
	}
	store := memory.New(memory.Options{})
	control, items := taskhub.ControlQueue(hubName), taskhub.WorkItemQueue(hubName)
	w, err := worker.New(worker.Options{
		Store: store, Programs: r.program, Activities: r.activity, Control: control, WorkItems: func(string) string { return items },
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.Poll(ctx, control)
	w.PollActivities(ctx, items)
	made := &core{
		client:   client.New(store, client.Options{Queue: control, Local: w, Lease: 30 * time.Second}),
		links:    &management.Links{Keys: management.NewKeys(store, hubName, time.Now), Path: "/api/durabletask-links"},
		registry: r,
	}
	return &Client{core: func() (*core, error) { return made, nil }}, func() {
		cancel()
		w.Kill()
	}
}
