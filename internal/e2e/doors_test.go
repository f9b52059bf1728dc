//go:build linux

package e2e

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
	"github.com/durable-go/functions/internal/e2e/host"
)

// queue is a client of a queue beside those of the hub, which is created.
func queue(t *testing.T, h *host.Host, name string) *azqueue.QueueClient {
	t.Helper()
	service, err := azqueue.NewServiceClientFromConnectionString(h.Options.Storage, nil)
	if err != nil {
		t.Fatal(err)
	}
	q := service.NewQueueClient(strings.ToLower(h.Options.Hub) + name)
	if _, err := q.Create(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return q
}

// Messages and timers start orchestrations; a hopeless message is moved away.
func TestTriggers(t *testing.T) {
	// A message that failed comes back after a second.
	h, traces := runTestApp(t, "AzureFunctionsJobHost__extensions__queues__visibilityTimeout=00:00:01")
	orders := queue(t, h, "-orders")
	send := func(t *testing.T, text string) {
		t.Helper()
		if _, err := orders.EnqueueMessage(t.Context(), text, nil); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("timer", func(t *testing.T) {
		eventually(t, "the timer starts an instance", func() bool {
			status, err := h.Wait(bounded(t), "from-the-timer")
			return err == nil && string(status.Output) == labOutput
		})
	})
	t.Run("queue, JSON", func(t *testing.T) {
		send(t, `{"id":"order-json"}`)
		completes(t, h, "order-json", labOutput)
	})
	t.Run("queue, base64", func(t *testing.T) {
		send(t, base64.StdEncoding.EncodeToString([]byte(`{"id":"order-base64"}`)))
		completes(t, h, "order-base64", labOutput)
	})
	t.Run("poison", func(t *testing.T) {
		message := `{"id":"order-hopeless","fail":true}`
		send(t, message)
		poison := queue(t, h, "-orders-poison")
		eventually(t, "the message is in the poison queue", func() bool {
			reply, err := poison.PeekMessage(t.Context(), nil)
			return err == nil && len(reply.Messages) == 1 && *reply.Messages[0].MessageText == message
		})
		tries := 0
		for _, id := range lines(t, traces, "orders") {
			if id == "order-hopeless" {
				tries++
			}
		}
		if tries != 5 {
			t.Errorf("it was tried %d times, want 5", tries)
		}
		eventually(t, "the original is gone", func() bool {
			properties, err := orders.GetProperties(t.Context(), nil)
			return err == nil && *properties.ApproximateMessagesCount == 0
		})
	})
}
