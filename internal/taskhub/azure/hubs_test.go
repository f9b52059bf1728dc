package azure_test

import (
	"slices"
	"testing"

	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
)

// A hub is found once it was made, and is gone with all that is its own: neither a
// hub whose name begins like it nor a queue of the app goes with it.
func TestHubsAreListedAndDeleted(t *testing.T) {
	service := fake.New(0)
	connection, err := storage.Parse(service.ConnectionString())
	if err != nil {
		t.Fatal(err)
	}
	account, err := storage.Open(connection, storage.Options{Transport: service})
	if err != nil {
		t.Fatal(err)
	}
	hubs := map[string]*azure.Hub{}
	for _, name := range []string{"Orders", "OrdersTest"} {
		if hubs[name], err = azure.Open(account, name, azure.Options{Queues: []string{"orders-control-plane", "orders-control-01", "orders-workitems-poison"}}); err != nil {
			t.Fatal(err)
		}
		if err := hubs[name].Create(t.Context(), taskhub.Owner{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := account.Tables.CreateTable(t.Context(), "LoneInstances", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := hubs["Orders"].Secrets(t.Context(), "keys.json", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	names, err := azure.Hubs(t.Context(), account)
	if err != nil || !slices.Equal(names, []string{"Orders", "OrdersTest"}) {
		t.Errorf("%q, %v", names, err)
	}
	for range 2 {
		if err := hubs["Orders"].Delete(t.Context()); err != nil {
			t.Error(err)
		}
	}
	names, err = azure.Hubs(t.Context(), account)
	if err != nil || !slices.Equal(names, []string{"OrdersTest"}) {
		t.Errorf("%q, %v", names, err)
	}
	left, err := hubs["Orders"].QueueNames(t.Context(), "")
	if want := []string{"orders-control-plane", "orderstest-control-00", "orderstest-workitems"}; err != nil || !slices.Equal(left, want) {
		t.Errorf("the queues %q are left (%v), want %q", left, err, want)
	}
	if blobs := service.Blobs("orders-keys"); len(blobs) > 0 {
		t.Errorf("the keys are left: %v", blobs)
	}
}
