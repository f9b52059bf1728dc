package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
)

// many is how many instances the hub of these tests has.
const many = 10_000

// manyInstances makes a hub of finished instances with short histories.
func manyInstances(t *testing.T) (*fake.Account, *client.Client) {
	t.Helper()
	account := fake.New(0)
	connection, err := storage.Parse(account.ConnectionString())
	must(t, err)
	opened, err := storage.Open(connection, storage.Options{Transport: account})
	must(t, err)
	hub, err := azure.Open(opened, hubName, azure.Options{})
	must(t, err)
	must(t, hub.Create(t.Context(), taskhub.Owner{}))
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range many {
		id := fmt.Sprintf("instance-%05d", i)
		must(t, hub.Insert(t.Context(), &taskhub.Instance{
			ID: id, ExecutionID: "x", Name: "O", Status: history.Completed, Created: now, Updated: now, Completed: now,
			Input: history.Payload(`"some input"`), Output: history.Payload(`"some output"`),
		}))
		_, err := hub.Commit(t.Context(), &taskhub.Commit{
			InstanceID: id, ExecutionID: "x", Nonce: "n", Time: now,
			Events: []*history.Event{
				{Type: history.OrchestratorStarted, ID: history.NoID, Timestamp: now},
				{Type: history.OrchestratorCompleted, ID: history.NoID, Timestamp: now},
			},
		})
		must(t, err)
	}
	account.Reset()
	return account, client.New(hub, client.Options{Queue: taskhub.ControlQueue(hubName)})
}

func allRequests(account *fake.Account) (n int) {
	for _, c := range account.Counts() {
		n += c.Requests
	}
	return n
}

// A list of any length takes a request a page, and the memory of one page.
func TestListMany(t *testing.T) {
	account, c := manyInstances(t)
	var heap []uint64
	seen := 0
	for q := (taskhub.Query{Max: 500}); ; {
		page, err := c.List(t.Context(), q)
		must(t, err)
		seen += len(page.Instances)
		if q.Token = page.Token; q.Token == "" {
			break
		}
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		heap = append(heap, stats.HeapAlloc)
	}
	if got, pages := allRequests(account), many/500; seen != many || got > pages+1 {
		t.Errorf("%d instances in %d requests, want %d in %d", seen, got, many, pages)
	}
	if first, last := heap[1], heap[len(heap)-1]; last > first+first/10 {
		t.Errorf("memory grows from page to page: %d", heap)
	}
	n, err := c.Count(t.Context(), taskhub.Query{Statuses: []history.Status{history.Completed}})
	if err != nil || n != many {
		t.Errorf("counted %d, %v", n, err)
	}
}

// A purge says how far it is, can be interrupted, and goes on where it was.
func TestPurgeMany(t *testing.T) {
	account, c := manyInstances(t)
	ctx, interrupt := context.WithCancel(t.Context())
	var told []int
	first, err := c.PurgeAll(ctx, client.PurgeFilter{}, func(r client.PurgeResult) {
		told = append(told, r.Instances)
		if len(told) == 3 {
			interrupt()
		}
	})
	if !errors.Is(err, context.Canceled) || first.Complete || first.Instances == 0 || first.Instances >= many {
		t.Fatalf("interrupted: %+v %v", first, err)
	}
	if len(told) < 3 || told[0] >= told[1] || told[1] >= told[2] {
		t.Errorf("told of %d", told)
	}
	rest, err := c.PurgeAll(t.Context(), client.PurgeFilter{}, nil)
	must(t, err)
	if sum := first.Instances + rest.Instances; sum != many || !rest.Complete {
		t.Errorf("purged %d and %d, want %d", first.Instances, rest.Instances, many)
	}
	if sum := first.Rows + rest.Rows; sum != 4*many {
		t.Errorf("deleted %d rows, want %d", sum, 4*many)
	}
	if got := allRequests(account); got > 9*many {
		t.Errorf("%d requests for %d instances", got, many)
	}
	t.Logf("%d instances in %d requests", many, allRequests(account))
	if n, err := c.Count(t.Context(), taskhub.Query{}); err != nil || n != 0 {
		t.Errorf("%d instances are left, %v", n, err)
	}
}
