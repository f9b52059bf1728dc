package onupload_test

import (
	"context"
	"testing"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/durabletest"
	importcustomers "github.com/durable-go/functions/samples/import/ImportCustomers"
	onupload "github.com/durable-go/functions/samples/import/OnUpload"
	readfile "github.com/durable-go/functions/samples/import/ReadFile"
	savecustomers "github.com/durable-go/functions/samples/import/SaveCustomers"
)

// A message that is delivered twice is imported once, and one without an id is refused.
func TestDeliveries(t *testing.T) {
	app := durable.NewApp()
	app.Register(importcustomers.Orchestrator, readfile.Activity, savecustomers.Activity)
	durable.HandleTrigger(app, "OnUpload", onupload.Handler(app.Client()))
	durabletest.Options{App: app}.Run(t, func(t *testing.T, env *durabletest.Env) {
		durabletest.Replace(env, readfile.Activity, func(context.Context, string) ([]savecustomers.Customer, error) {
			return []savecustomers.Customer{{Name: "ann", City: "Rome"}}, nil
		})
		for range 2 {
			if err := env.Trigger("OnUpload", onupload.Upload{ID: "7", URL: "https://files.example/7.csv"}); err != nil {
				t.Fatal(err)
			}
			env.RunUntilIdle()
		}
		if n := len(env.Calls("SaveCustomers")); n != 1 {
			t.Errorf("saved %d times", n)
		}
		if err := env.Trigger("OnUpload", "{}"); err == nil {
			t.Error("a message without an id was taken")
		}
	})
}
