package azure_test

import (
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
)

// onEmulator makes a hub of its own on the emulator.
func onEmulator(t *testing.T) (*storage.Account, *azure.Hub, string) {
	t.Helper()
	connection, err := storage.Parse(azuritetest.Server(t).ConnectionString())
	if err != nil {
		t.Fatal(err)
	}
	account, err := storage.Open(connection, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	name := azuritetest.HubName()
	hub, err := azure.Open(account, name, azure.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := hub.Create(t.Context(), taskhub.Owner{}); err != nil {
		t.Fatal(err)
	}
	return account, hub, name
}

// A purge that was cut off leaves rows without a sentinel. Those of an execution
// whose id is used again are at the keys with which that begins.
func TestCommitOverLeftovers(t *testing.T) {
	account, hub, name := onEmulator(t)
	leftovers := storage.NewBatch(taskhub.HistoryTable(name))
	old := &history.Event{Type: history.OrchestratorStarted, ID: history.NoID}
	for n := range uint64(3) {
		row := taskhub.RowKey(taskhub.FirstRow("i", "new") + n)
		leftovers.Upsert(account, "i", row, history.AppendRow(nil, "i", row, "old", old, false))
	}
	if _, err := account.Submit(t.Context(), leftovers); err != nil {
		t.Fatal(err)
	}
	c := &taskhub.Commit{InstanceID: "i", ExecutionID: "new", Nonce: "n1", Time: time.Now()}
	for range 5 {
		c.Events = append(c.Events, &history.Event{Type: history.OrchestratorCompleted, ID: history.NoID, Timestamp: time.Now()})
	}
	fence, err := hub.Commit(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	c.Fence, c.Nonce = fence, "n2"
	if _, err := hub.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	loaded, err := hub.Load(t.Context(), "i", 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(loaded.Events) != 10 || loaded.Fence.ExecutionID != "new" {
		t.Errorf("%d events of execution %q", len(loaded.Events), loaded.Fence.ExecutionID)
	}
	for _, e := range loaded.Events {
		if e.Type != history.OrchestratorCompleted {
			t.Errorf("an event of the old execution: %v", e.Type)
		}
	}
}
