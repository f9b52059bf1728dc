package azure

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/durable-go/functions/internal/history"
)

// Answered asks the service for the rows that answer the action. What a rewind has
// taken out of the history has another type.
func (h *Hub) Answered(ctx context.Context, id string, task int32) (bool, error) {
	filter := inPartition(id) + " and RowKey le '" + sentinelRow + "' and TaskScheduledId eq " + strconv.Itoa(int(task))
	pager := h.history.NewListEntitiesPager(&aztables.ListEntitiesOptions{
		Filter: &filter, Select: to.Ptr("EventType,ExecutionId"), Format: to.Ptr(aztables.MetadataFormatNone),
	})
	var found []string
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return false, failed(err, "looking for the result of activity %d of instance %q", task, id)
		}
		for _, raw := range page.Entities {
			var row struct{ EventType, ExecutionId string }
			if err := json.Unmarshal(raw, &row); err != nil {
				return false, fmt.Errorf("decoding a history row of instance %q: %w", id, err)
			}
			if t, err := history.ParseType(row.EventType); err == nil && (t == history.TaskCompleted || t == history.TaskFailed) {
				found = append(found, row.ExecutionId)
			}
		}
	}
	if len(found) == 0 {
		return false, nil
	}
	head, err := h.Head(ctx, id)
	for _, execution := range found {
		if err == nil && execution == head.ExecutionID {
			return true, nil
		}
	}
	return false, err
}
