package azure

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/durable-go/functions/internal/taskhub"
)

// Clear deletes the sentinel and the rows that it guards in one transaction, then the
// instance row.
func (h *Hub) Clear(ctx context.Context, id string, fence taskhub.Fence, etag string) error {
	partition := taskhub.EscapeKey(id)
	if fence.ETag != "" {
		if err := h.clearHistory(ctx, id, partition, fence); err != nil {
			return fmt.Errorf("clearing %q: %w", id, err)
		}
	}
	if etag == "" {
		return nil
	}
	_, err := h.instances.DeleteEntity(ctx, partition, "", &aztables.DeleteEntityOptions{IfMatch: to.Ptr(azcore.ETag(etag))})
	if err != nil && !differs(err) && !missing(err) {
		return failed(err, "clearing %q: deleting its row", id)
	}
	return nil
}

func (h *Hub) clearHistory(ctx context.Context, id, partition string, fence taskhub.Fence) error {
	filter := " and (RowKey eq '" + sentinelRow + "' or (RowKey ge '" + taskhub.RowKey(fence.FirstRow) + "' and RowKey lt '" + taskhub.RowKey(fence.NextRow) + "'))"
	page, err := h.listVersions(ctx, id, filter)
	if err != nil {
		return err
	}
	if len(page) == 0 || page[0].row != sentinelRow || page[0].etag != fence.ETag {
		return taskhub.ErrConflict
	}
	deleted, err := h.deleteVersions(ctx, partition, page)
	if err == nil && deleted == 0 {
		err = taskhub.ErrConflict
	}
	return err
}
