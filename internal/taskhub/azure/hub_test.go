package azure_test

import (
	"context"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/taskhub/azure"
	"github.com/durable-go/functions/internal/taskhub/taskhubtest"
)

func TestMain(m *testing.M) { os.Exit(azuritetest.RunWithoutLeaks(m)) }

func TestConformance(t *testing.T) {
	server := azuritetest.Server(t)
	taskhubtest.Run(t, func(t *testing.T) taskhubtest.Harness {
		network := taskhubtest.NewNetwork(http.DefaultClient.Do)
		connection, err := storage.Parse(server.ConnectionString())
		if err != nil {
			t.Fatal(err)
		}
		account, err := storage.Open(connection, storage.Options{Transport: network})
		if err != nil {
			t.Fatal(err)
		}
		queue := taskhubtest.ControlQueue
		hub, err := azure.Open(account, azuritetest.HubName(), azure.Options{Queues: []string{queue}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = account.Queues.DeleteQueue(context.Background(), queue, nil) })
		return network.Harness(taskhubtest.Harness{Store: hub, Wait: wait})
	})
}

// wait lets real time pass: the emulator has its own clock.
func wait(d time.Duration) { <-time.After(d) }
