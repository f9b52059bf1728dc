package fake_test

import (
	"os"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub/azure"
	"github.com/durable-go/functions/internal/taskhub/taskhubtest"
)

func TestMain(m *testing.M) { os.Exit(azuritetest.RunWithoutLeaks(m)) }

// TestTaskHub runs the conformance suite of task hubs: what works on Azurite
// works here.
func TestTaskHub(t *testing.T) { conformance(t, func() *fake.Account { return fake.New(0) }) }

// TestTaskHubStrict runs it on an account that answers as the real service.
func TestTaskHubStrict(t *testing.T) {
	conformance(t, func() *fake.Account { return fake.NewStrict(0) })
}

func conformance(t *testing.T, make func() *fake.Account) {
	taskhubtest.Run(t, func(t *testing.T) taskhubtest.Harness {
		account := make()
		network := taskhubtest.NewNetwork(account.Do)
		connection, err := storage.Parse(account.ConnectionString())
		if err != nil {
			t.Fatal(err)
		}
		opened, err := storage.Open(connection, storage.Options{Transport: network})
		if err != nil {
			t.Fatal(err)
		}
		hub, err := azure.Open(opened, "Fake", azure.Options{Queues: []string{taskhubtest.ControlQueue}})
		if err != nil {
			t.Fatal(err)
		}
		wait := func(d time.Duration) { <-time.After(d) }
		return network.Harness(taskhubtest.Harness{Store: hub, Wait: wait})
	})
}
