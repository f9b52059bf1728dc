//go:build linux

package e2e

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/durable-go/functions/internal/e2e/host"
)

// rows are those of one of the hub's tables; none of one that is not there.
func rows(t *testing.T, h *host.Host, table string) (all []map[string]any) {
	t.Helper()
	service, err := aztables.NewServiceClientFromConnectionString(h.Options.Storage, nil)
	if err != nil {
		t.Fatal(err)
	}
	for pager := service.NewClient(h.Options.Hub + table).NewListEntitiesPager(nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if missing := new(azcore.ResponseError); errors.As(err, &missing) && missing.StatusCode == http.StatusNotFound {
			return nil
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range page.Entities {
			all = append(all, decode[map[string]any](t, raw))
		}
	}
	return all
}

// rowsAreTrue checks what tools show of every orchestration of the hub: the empty forms
// of columns, and that the instance's row and its history tell the same times.
func rowsAreTrue(t *testing.T, h *host.Host) {
	t.Helper()
	histories := map[string][]map[string]any{}
	for _, row := range rows(t, h, "History") {
		id, _ := row["PartitionKey"].(string)
		histories[id] = append(histories[id], row)
	}
	finished := 0
	for _, row := range rows(t, h, "Instances") {
		id, _ := row["PartitionKey"].(string)
		if strings.HasPrefix(id, "@") {
			continue // an entity
		}
		for _, column := range []string{"CustomStatus", "Tags", "Name", "ExecutionId"} {
			if _, ok := row[column].(string); !ok {
				t.Errorf("the row of %s has no %s: %v", id, column, row)
			}
		}
		if row["CompletedTime"] == nil {
			continue
		}
		if finished++; row["LastUpdatedTime"] != row["CompletedTime"] {
			t.Errorf("%s was updated last at %v and completed at %v", id, row["LastUpdatedTime"], row["CompletedTime"])
		}
		historyIsTrue(t, id, row, histories[id])
	}
	if finished < 20 {
		t.Errorf("%d instances have ended, want more", finished)
	}
}

// historyIsTrue checks the history of an instance that has ended.
func historyIsTrue(t *testing.T, id string, row map[string]any, history []map[string]any) {
	t.Helper()
	var created, first, last any
	for _, e := range history {
		if e["InstanceId"] == id {
			t.Errorf("a row of %s names it, so that the monitor takes it for its own parent: %v", id, e)
		}
		switch at := e["_Timestamp"]; e["EventType"] {
		case "ExecutionStarted":
			created = at
		case "TaskScheduled":
			if first == nil {
				first = at
			}
		case "ExecutionCompleted", "OrchestratorCompleted":
			last = at
		}
	}
	if last != row["CompletedTime"] {
		t.Errorf("%s has ended at %v by its row and at %v by its history", id, row["CompletedTime"], last)
	}
	if first != nil && created != nil && first.(string) <= created.(string) {
		t.Errorf("%s was created at %v and asked for its first task at %v", id, created, first)
	}
}
