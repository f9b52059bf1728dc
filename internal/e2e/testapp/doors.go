package main

import (
	"context"
	"errors"
	"net/http"
	"os"

	orchestrator "github.com/durable-go/functions/Orchestrator"
	"github.com/durable-go/functions/durable"
)

// order is a message that starts the lab's orchestrator.
type order struct {
	ID   string `json:"id"`
	Fail bool   `json:"fail"`
}

// registerDoors adds the functions by which the host's other triggers come in.
func registerDoors(app *durable.App) {
	client := app.Client()
	durable.HandleTrigger(app, "QueueDoor", func(ctx context.Context, o order, meta durable.Trigger) error {
		if err := trace("orders", o.ID); err != nil {
			return err
		}
		if o.Fail {
			return errors.New("this order always fails")
		}
		_, err := orchestrator.Orchestrator.Start(ctx, client, durable.None{}, durable.WithInstanceID(o.ID))
		return err
	})
	durable.HandleTrigger(app, "TimerDoor", func(ctx context.Context, _ struct{}, _ durable.Trigger) error {
		_, err := orchestrator.Orchestrator.Start(ctx, client, durable.None{}, durable.WithInstanceID("from-the-timer"))
		if errors.Is(err, durable.ErrAlreadyExists) {
			return nil
		}
		return err
	})
	app.HandleHTTP("CrashStart", crashStart(client))
	app.HandleHTTP("OK", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"ok":true}`))
	}))
}

// crashStart starts an orchestration and ends the process before it answers,
// however often it is called.
func crashStart(client *durable.Client) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, err := client.StartNew(r.Context(), "Orchestrator", nil)
		if err != nil {
			id = err.Error()
		}
		_ = trace("crashstart", id)
		os.Exit(1)
	})
}
