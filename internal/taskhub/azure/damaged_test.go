package azure_test

import (
	"errors"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
)

// A history that another program has damaged is told from one that is not there:
// the error names the row and the column.
func TestDamagedHistory(t *testing.T) {
	row := func(n int) string { return taskhub.RowKey(taskhub.FirstRow("i", "e1") + uint64(n)) }
	for name, c := range map[string]struct {
		row, column string
		change      string // columns to merge; none: the row is deleted
	}{
		"a row is missing":     {row: row(2)},
		"the first is missing": {row: row(0)},
		"the last is missing":  {row: row(4)},
		"a type is unknown":    {change: `{"EventType":"ExecutionImproved"}`, row: row(1), column: "EventType"},
		"a type is wrong":      {change: `{"EventId":"three"}`, row: row(3), column: "EventId"},
	} {
		t.Run(name, func(t *testing.T) {
			account := fake.New(0)
			hub := behind(t, account, nil)
			commit(t, hub, 5)
			damage(t, account, c.row, c.change)
			_, err := hub.Load(t.Context(), "i", 0)
			unreadable := new(history.UnreadableError)
			if !errors.Is(err, taskhub.ErrUnreadable) || !errors.As(err, &unreadable) || unreadable.Row != c.row || unreadable.Column != c.column {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("the sentinel is missing", func(t *testing.T) {
		account := fake.New(0)
		hub := behind(t, account, nil)
		if h, err := hub.Load(t.Context(), "i", 0); err != nil || h.Headless {
			t.Errorf("a history that is not there: %+v, %v", h, err)
		}
		commit(t, hub, 5)
		damage(t, account, "sentinel", "")
		h, err := hub.Load(t.Context(), "i", 0)
		if err != nil || !h.Headless || h.Fence.ETag != "" || len(h.Events) != 0 {
			t.Errorf("got %+v, %v", h, err)
		}
	})
}

// commit writes a history of n events.
func commit(t *testing.T, hub taskhub.Store, n int) {
	t.Helper()
	events := raised(n, "e")
	for i, e := range events {
		e.Type, e.ID, e.Name = history.TaskScheduled, int32(i), "A"
	}
	_, err := hub.Commit(t.Context(), &taskhub.Commit{InstanceID: "i", ExecutionID: "e1", NewExecution: true, Nonce: "n", Time: time.Now(), Events: events})
	must(t, err)
}

// damage deletes a row of the history, or merges columns into it.
func damage(t *testing.T, account *fake.Account, row, columns string) {
	t.Helper()
	connection, err := storage.Parse(account.ConnectionString())
	must(t, err)
	opened, err := storage.Open(connection, storage.Options{Transport: &gate{account, nil}, MaxRetries: -1})
	must(t, err)
	b := storage.NewBatch(taskhub.HistoryTable("Fake"))
	if columns == "" {
		b.Delete(opened, "i", row, string(azcore.ETagAny))
	} else {
		b.Merge(opened, "i", row, string(azcore.ETagAny), []byte(columns))
	}
	_, err = opened.Submit(t.Context(), b)
	must(t, err)
}
