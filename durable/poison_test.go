package durable

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/durable-go/functions/handler"
	"github.com/durable-go/functions/handler/supervise"
	"go.uber.org/goleak"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/storage"
)

// An app listens to signals as long as its process lives, and the tests make many.
func TestMain(m *testing.M) {
	const supervise = "github.com/durable-go/functions/handler/supervise."
	os.Exit(azuritetest.RunWithoutLeaks(m, goleak.IgnoreTopFunction(supervise+"enterAlone.func1"), goleak.IgnoreTopFunction(supervise+"parentGone.func1")))
}

// A queue message that fails moves to the poison queue at its fifth delivery,
// not before, and never without a copy there.
func TestPoison(t *testing.T) {
	server := azuritetest.Server(t)
	connection, err := storage.Parse(server.ConnectionString())
	if err != nil {
		t.Fatal(err)
	}
	account, err := storage.Open(connection, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("AzureWebJobsOrders", server.ConnectionString())
	t.Setenv("AzureWebJobsStorage", "memory")
	failed := errors.New("no such customer")
	fails := func(context.Context, string, Trigger) error { return failed }
	cases := []struct {
		name       string
		deliveries int
		connection string
		account    *storage.Account
		f          func(context.Context, string, Trigger) error
		wantErr    string
		wantMoved  bool
	}{
		{"success", 9, "", account, func(context.Context, string, Trigger) error { return nil }, "", false},
		{"first failure", 1, "", account, fails, failed.Error(), false},
		{"fourth failure", 4, "", account, fails, failed.Error(), false},
		{"fifth failure", 5, "", account, fails, "", true},
		{"later failure", 8, "AzureWebJobsStorage", account, fails, "", true},
		{"fourth panic", 4, "", account, func(context.Context, string, Trigger) error { panic("oh") }, "oh", false},
		{"fifth panic", 5, "", account, func(context.Context, string, Trigger) error { panic("oh") }, "", true},
		{"another account", 5, "Orders", nil, fails, "", true},
		{"an account that is not set", 5, "Nowhere", account, fails, "Nowhere", false},
		{"no account", 5, "", nil, fails, "AzureWebJobsStorage", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := &service{
				app:      &App{registry: newRegistry(), log: slog.New(slog.NewTextHandler(io.Discard, nil)), child: &supervise.Child{Journal: supervise.NewJournal()}, triggers: map[string]trigger{}},
				settings: settings{MaxPoisonDeliveries: 5},
				account:  c.account,
			}
			name := strings.ToLower(azuritetest.HubName())
			HandleTrigger(s.app, "OnOrder", c.f)
			const message = `<"order" & é>`
			err := s.userTrigger(s.app.triggers["OnOrder"])(t.Context(), &handler.Invocation{
				Function: &handler.Function{Name: "OnOrder", Trigger: handler.Binding{Connection: c.connection}},
				Body:     []byte(message),
				Queue:    &handler.QueueMessage{Queue: name, ID: "m1", DequeueCount: c.deliveries, Body: []byte(message)},
			})
			if (err == nil) != (c.wantErr == "") || err != nil && !strings.Contains(err.Error(), c.wantErr) {
				t.Errorf("error %v, want one with %q", err, c.wantErr)
			}
			moved := poisoned(t, account, name)
			if len(moved) == 1 != c.wantMoved || c.wantMoved && moved[0] != message {
				t.Errorf("in the poison queue: %q", moved)
			}
		})
	}
}

// poisoned reads the poison queue of a queue.
func poisoned(t *testing.T, account *storage.Account, queue string) (out []string) {
	t.Helper()
	reply, err := account.Queues.NewQueueClient(queue+"-poison").DequeueMessages(t.Context(), nil)
	if status(err) == 404 {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range reply.Messages {
		out = append(out, *m.MessageText)
	}
	return out
}

// A trigger that is no queue has no poison rule.
func TestPoisonOfOtherTriggers(t *testing.T) {
	s := &service{
		app:      &App{registry: newRegistry(), log: slog.New(slog.NewTextHandler(io.Discard, nil)), child: &supervise.Child{Journal: supervise.NewJournal()}, triggers: map[string]trigger{}},
		settings: settings{MaxPoisonDeliveries: 1},
	}
	var got Trigger
	HandleTrigger(s.app, "Tick", func(_ context.Context, _ map[string]any, meta Trigger) error {
		got = meta
		return errors.New("next time")
	})
	err := s.userTrigger(s.app.triggers["Tick"])(t.Context(), &handler.Invocation{
		ID: "i1", Function: &handler.Function{Name: "Tick"}, Body: []byte(`{"IsPastDue":false}`),
	})
	if err == nil || got != (Trigger{Function: "Tick", InvocationID: "i1"}) {
		t.Errorf("error %v, trigger %+v", err, got)
	}
}
