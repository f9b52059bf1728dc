package azure_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/taskhub"
)

// toolHub is a hub as the tools find it: some instances, and the history of the
// one that has a child.
func toolHub(t *testing.T) (*storage.Account, string) {
	t.Helper()
	account, hub, name := onEmulator(t)
	generation := int32(0)
	day := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	for i, status := range []history.Status{history.Completed, history.Failed, history.Running, history.Terminated} {
		row := &taskhub.Instance{
			ID: fmt.Sprintf("order-%d", i), ExecutionID: fmt.Sprintf("execution%d", i), Name: "Order", Status: status, Input: history.Payload(`1`), Output: history.Payload(`"out"`),
			CustomStatus: history.Payload(`{"a":1}`), Created: day.AddDate(0, 0, i), Updated: day.AddDate(0, 0, i), Completed: day.AddDate(0, 0, i), Generation: &generation,
		}
		if err := hub.Insert(t.Context(), row); err != nil {
			t.Fatal(err)
		}
	}
	_, err := hub.Commit(t.Context(), &taskhub.Commit{InstanceID: "order-0", ExecutionID: "execution0", Nonce: "n", Time: day, Events: []*history.Event{
		{Type: history.OrchestratorStarted, ID: history.NoID, Timestamp: day},
		{Type: history.ExecutionStarted, ID: history.NoID, Timestamp: day, Name: "Order", Input: history.Payload(`1`), Instance: history.InstanceRef{InstanceID: "order-0", ExecutionID: "execution0"}},
		{Type: history.TaskScheduled, ID: 0, Timestamp: day, Name: "Charge"},
		{Type: history.SubOrchestrationInstanceCreated, ID: 1, Timestamp: day, Name: "Ship", InstanceID: "execution0:1"},
		{Type: history.OrchestratorCompleted, ID: history.NoID, Timestamp: day},
		{Type: history.OrchestratorStarted, ID: history.NoID, Timestamp: day},
		{Type: history.TaskCompleted, ID: history.NoID, TaskID: 0, Timestamp: day, Result: history.Payload(`"paid"`)},
		{Type: history.ExecutionCompleted, ID: 2, Timestamp: day, Status: history.Completed, Result: history.Payload(`"out"`)},
		{Type: history.OrchestratorCompleted, ID: history.NoID, Timestamp: day},
	}})
	if err != nil {
		t.Fatal(err)
	}
	// What waits in the inbox is no history yet, for any tool.
	for i, kind := range []history.Type{history.EventRaised, history.ExecutionSuspended, history.ExecutionTerminated} {
		waits := &taskhub.Telling{ID: taskhub.NewGUID(), Sent: day, Sequence: int64(i), Event: &history.Event{Type: kind, ID: history.NoID, Name: "e", Timestamp: day}}
		if err := hub.Tell(t.Context(), "order-0", waits); err != nil {
			t.Fatal(err)
		}
	}
	return account, name
}

// query returns the rows that a tool's query finds.
func query(t *testing.T, account *storage.Account, table, filter, columns string) (rows []map[string]any) {
	t.Helper()
	o := &aztables.ListEntitiesOptions{Filter: &filter, Format: to.Ptr(aztables.MetadataFormatFull)}
	if columns != "" {
		o.Select = &columns
	}
	for pager := account.Tables.NewClient(table).NewListEntitiesPager(o); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", filter, err)
		}
		for _, raw := range page.Entities {
			var row map[string]any
			if err := json.Unmarshal(raw, &row); err != nil {
				t.Fatal(err)
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// The queries of Durable Functions Monitor (v6.7: its Durable Task client and its
// own table reads), one by one.
func TestMonitorQueries(t *testing.T) {
	account, name := toolHub(t)
	columns := "PartitionKey,RowKey,ExecutionId,Name,Version,Input,Output,CustomStatus,CreatedTime,LastUpdatedTime,CompletedTime,ScheduledStartTime,RuntimeStatus,Generation,Tags,TaskHubName"
	for _, c := range []struct {
		table, filter, columns string
		want                   []string
	}{
		{"Instances", "CreatedTime ge datetime'2026-01-11T00:00:00.0000000Z'", columns, []string{"order-1", "order-2", "order-3"}},
		{"Instances", "CreatedTime le datetime'2026-01-11T00:00:00.0000000Z'", columns, []string{"order-0", "order-1"}},
		{"Instances", "(CreatedTime ge datetime'2026-01-11T00:00:00.0000000Z') and (CreatedTime le datetime'2026-01-12T00:00:00.0000000Z')", columns, []string{"order-1", "order-2"}},
		{"Instances", "RuntimeStatus eq 'Failed' or RuntimeStatus eq 'Running'", columns, []string{"order-1", "order-2"}},
		{"Instances", "PartitionKey ge 'order-2' and PartitionKey lt 'order-3'", columns, []string{"order-2"}},
		{"Instances", "PartitionKey eq 'order-1'", columns, []string{"order-1"}},
		{"Instances", "PartitionKey lt '@' or PartitionKey ge 'A'", columns, []string{"order-0", "order-1", "order-2", "order-3"}},
		{"Instances", "ExecutionId eq 'execution0'", "", []string{"order-0"}},
		{"History", "PartitionKey eq 'order-0' and ExecutionId eq 'execution0'", "", []string{
			"OrchestratorStarted", "ExecutionStarted", "TaskScheduled", "SubOrchestrationInstanceCreated", "OrchestratorCompleted",
			"OrchestratorStarted", "TaskCompleted", "ExecutionCompleted", "OrchestratorCompleted", "sentinel",
		}},
		{"History", "PartitionKey eq 'order-0' and TaskScheduledId ge 0", "", []string{"TaskCompleted"}},
		{"History", "InstanceId eq 'execution0:1'", "", []string{"SubOrchestrationInstanceCreated"}},
	} {
		var got []string
		for _, row := range query(t, account, name+c.table, c.filter, c.columns) {
			key, _ := row["PartitionKey"].(string)
			if c.table == "History" {
				if key, _ = row["EventType"].(string); key == "" {
					key, _ = row["RowKey"].(string)
				}
			}
			got = append(got, key)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %s\ngot  %v\nwant %v", c.table, c.filter, got, c.want)
		}
	}
}

// A hub is found by its two tables, and the columns have the types that the
// tools decode.
func TestMonitorFindsTheHub(t *testing.T) {
	account, name := toolHub(t)
	var tables []string
	for pager := account.Tables.NewListTablesPager(nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range page.Tables {
			tables = append(tables, *table.Name)
		}
	}
	if !slices.Contains(tables, name+"Instances") || !slices.Contains(tables, name+"History") || !regexp.MustCompile(`^[\w-]{3,128}$`).MatchString(name) {
		t.Errorf("hub %s is not found among %v", name, tables)
	}
	types := map[string]string{
		"CreatedTime": "Edm.DateTime", "LastUpdatedTime": "Edm.DateTime", "CompletedTime": "Edm.DateTime", "Generation": "number",
		"Name": "string", "Input": "string", "Output": "string", "CustomStatus": "string", "RuntimeStatus": "string", "TaskHubName": "string", "Tags": "string",
	}
	checkTypes(t, query(t, account, name+"Instances", "PartitionKey eq 'order-0'", "")[0], types)
	for _, row := range query(t, account, name+"History", "PartitionKey eq 'order-0' and EventType eq 'TaskCompleted'", "") {
		checkTypes(t, row, map[string]string{"_Timestamp": "Edm.DateTime", "EventId": "number", "TaskScheduledId": "number", "Result": "string", "EventType": "string", "ExecutionId": "string"})
		if key, _ := row["RowKey"].(string); !regexp.MustCompile(`^[0-9A-F]{16}$`).MatchString(key) {
			t.Errorf("row key %q", key)
		}
	}
}

func checkTypes(t *testing.T, row map[string]any, want map[string]string) {
	t.Helper()
	for column, kind := range want {
		got := strings.TrimPrefix(fmt.Sprint(row[column+"@odata.type"]), "<nil>")
		if got == "" {
			got = map[bool]string{true: "string", false: "number"}[fmt.Sprintf("%T", row[column]) == "string"]
		}
		if row[column] == nil || got != kind {
			t.Errorf("column %s is %v of type %s, want %s", column, row[column], got, kind)
		}
	}
}

// Durable Functions Monitor finds the parent of an instance by the rows that have its id
// as InstanceId: an instance's own rows have not.
func TestOwnRowsDoNotNameTheInstance(t *testing.T) {
	account, name := toolHub(t)
	for id, want := range map[string]int{"order-0": 0, "execution0:1": 1} {
		if rows := query(t, account, name+"History", "InstanceId eq '"+id+"'", ""); len(rows) != want {
			t.Errorf("%d rows have the InstanceId %s, want %d: %v", len(rows), id, want, rows)
		}
	}
}
