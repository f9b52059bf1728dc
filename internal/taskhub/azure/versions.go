package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/taskhub"
)

// version is a row of a history as it was when it was listed. What is deleted
// outside of a commit is deleted by its version, so that a process that is slow
// between the listing and the deletion deletes nothing that was written since.
type version struct{ row, etag string }

// listVersions reads the first rows of an instance's history and inbox that are
// left and pass the filter, with the sentinel first. It returns one page of the service,
// of which the first ones may be empty; nothing when no row is left.
func (h *Hub) listVersions(ctx context.Context, id, filter string) ([]version, error) {
	pager := h.history.NewListEntitiesPager(&aztables.ListEntitiesOptions{
		Filter: to.Ptr(inPartition(id) + filter),
		Select: to.Ptr("PartitionKey,RowKey,Timestamp"),
		Format: to.Ptr(aztables.MetadataFormatFull),
	})
	var out []version
	for pager.More() && len(out) == 0 {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, failed(err, "listing its history")
		}
		for _, raw := range page.Entities {
			v, err := decodeVersion(raw)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
	}
	at := slices.IndexFunc(out, func(v version) bool { return v.row == sentinelRow })
	if at < 0 && pager.More() && filter == "" {
		// The sentinel comes in a later page.
		sentinel, err := h.readSentinel(ctx, id)
		if err != nil && !errors.Is(err, taskhub.ErrFormat) {
			return nil, err
		}
		if sentinel != nil {
			at, out = len(out), append(out, version{sentinelRow, sentinel.fence.ETag})
		}
	}
	if at > 0 {
		sentinel := out[at]
		out = slices.Insert(slices.Delete(out, at, at+1), 0, sentinel)
	}
	return out, nil
}

func decodeVersion(raw []byte) (version, error) {
	var row struct {
		RowKey, Timestamp string
		ETag              string `json:"odata.etag"`
	}
	if err := json.Unmarshal(raw, &row); err != nil {
		return version{}, fmt.Errorf("listing its history: %w", err)
	}
	return version{row.RowKey, etagOf(row.ETag, row.Timestamp)}, nil
}

// deleteVersions deletes the versions, in order, and returns how many. A
// transaction that meets a row which is gone or has changed deletes nothing: what
// is left then is for the next list.
func (h *Hub) deleteVersions(ctx context.Context, partition string, page []version) (deleted int, err error) {
	for part := range slices.Chunk(page, storage.MaxOperations) {
		b := storage.NewBatch(taskhub.HistoryTable(h.name))
		for _, v := range part {
			b.Delete(h.account, partition, v.row, v.etag)
		}
		_, err := h.account.Submit(ctx, b)
		switch {
		case err == nil:
			deleted += len(part)
		case missing(err), differs(err):
			if part[0].row == sentinelRow {
				// Nothing may go while the sentinel is there.
				return deleted, nil
			}
		default:
			return deleted, failed(err, "deleting its history")
		}
	}
	return deleted, nil
}

// deleteOld deletes the rows of an execution that a commit has replaced, where
// the transactions had no room for that. It is best effort: readers skip rows of
// other executions, and a purge finds them.
func (h *Hub) deleteOld(ctx context.Context, id, execution string, from, to uint64) {
	filter := " and RowKey ge '" + taskhub.RowKey(from) + "' and RowKey lt '" + taskhub.RowKey(to) + "' and ExecutionId eq '" + quote(execution) + "'"
	for range 1 + (to-from)/storage.MaxOperations {
		page, err := h.listVersions(ctx, id, filter)
		if err != nil || len(page) == 0 {
			return
		}
		if deleted, err := h.deleteVersions(ctx, taskhub.EscapeKey(id), page); err != nil || deleted == 0 {
			return
		}
	}
}
