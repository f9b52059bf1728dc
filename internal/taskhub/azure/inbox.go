package azure

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/taskhub"
)

// entry is a telling as it is stored.
type entry struct {
	id, key, voids string
	row            []byte
	large          []largePayload
}

func (h *Hub) entryOf(id string, t *taskhub.Telling) entry {
	e := entry{id: t.ID, key: t.Key(t.Large()), voids: t.Voids}
	e.row = taskhub.AppendInboxRow(nil, taskhub.EscapeKey(id), e.key, t, func(column string, text history.Payload) string {
		if history.FitsColumn(text) {
			return ""
		}
		blob := inboxBlob(id, t.LargeName(), column)
		e.large = append(e.large, largePayload{blob, text})
		return blob
	})
	return e
}

// Tell stores tellings in as few transactions as hold them, one after the other.
func (h *Hub) Tell(ctx context.Context, id string, tellings ...*taskhub.Telling) error {
	entries := make([]entry, 0, len(tellings))
	seen := map[string]bool{}
	for _, t := range tellings {
		if err := t.Check(); err != nil {
			return failed(err, "telling instance %q", id)
		}
		if !seen[t.ID] {
			seen[t.ID] = true
			entries = append(entries, h.entryOf(id, t))
		}
	}
	if err := h.admit(ctx, id, tellings); err != nil {
		return failed(err, "telling instance %q", id)
	}
	for len(entries) > 0 {
		n, size := 0, 0
		for n < len(entries) && n < taskhub.MaxTold && operations(entries[:n+1]) <= storage.MaxOperations && (n == 0 || size+len(entries[n].row) < maxBytes) {
			size += len(entries[n].row)
			n++
		}
		if err := h.tell(ctx, id, entries[:n]); err != nil {
			return failed(err, "telling instance %q", id)
		}
		entries = entries[n:]
	}
	return nil
}

// operations is how many a transaction that stores the entries has.
func operations(entries []entry) int {
	n := 2 * len(entries)
	for _, e := range entries {
		if e.voids != "" {
			n++
		}
	}
	return n
}

// tell stores what fits one transaction. Tellings that were told before drop out
// of it, until the rest is stored or none is left.
func (h *Hub) tell(ctx context.Context, id string, entries []entry) error {
	var large []largePayload
	for _, e := range entries {
		large = append(large, e.large...)
	}
	if err := h.writeAllLarge(ctx, large); err != nil {
		return err
	}
	for len(entries) > 0 {
		err := h.submitTold(ctx, id, entries)
		if !exists(err) {
			return err
		}
		place := 0
		if batch := new(storage.BatchError); errors.As(err, &batch) && batch.Index >= 0 {
			place = batch.Index / 2
		} else if len(entries) > 1 {
			return h.tellEach(ctx, id, entries)
		}
		// A transaction is stored as a whole, so the receipt of this one, from a try
		// whose answer was lost, answers for all of it.
		if len(entries) > 1 {
			stored, err := h.receiptBatch(ctx, id, entries[place].id)
			if err != nil || stored == batchMark(entries) {
				return err
			}
		}
		entries = append(entries[:place:place], entries[place+1:]...)
	}
	return nil
}

// tellEach stores each telling in a transaction of its own.
func (h *Hub) tellEach(ctx context.Context, id string, entries []entry) error {
	for i := range entries {
		if err := h.submitTold(ctx, id, entries[i:i+1]); err != nil && !exists(err) {
			return err
		}
	}
	return nil
}

func (h *Hub) submitTold(ctx context.Context, id string, entries []entry) error {
	b := storage.NewBatch(taskhub.HistoryTable(h.name))
	batch := batchMark(entries)
	for _, e := range entries {
		b.Insert(h.account, taskhub.AppendReceipt(nil, taskhub.EscapeKey(id), e.id, batch))
		b.Insert(h.account, e.row)
	}
	for _, e := range entries { // behind the others, whose places tell which was told
		if e.voids != "" {
			b.Upsert(h.account, taskhub.EscapeKey(id), taskhub.ReceiptKey(e.voids), taskhub.AppendReceipt(nil, taskhub.EscapeKey(id), e.voids, ""))
		}
	}
	_, err := h.account.Submit(ctx, b)
	return err
}

// batchMark is the same for the same tellings.
func batchMark(entries []entry) string {
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = e.id
	}
	return mark(ids...)
}

// receiptBatch reads which transaction stored a telling.
func (h *Hub) receiptBatch(ctx context.Context, id, telling string) (string, error) {
	resp, err := h.history.GetEntity(ctx, taskhub.EscapeKey(id), taskhub.ReceiptKey(telling), &aztables.GetEntityOptions{Format: to.Ptr(aztables.MetadataFormatNone)})
	if missing(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var row struct{ GoBatch string }
	err = json.Unmarshal(resp.Value, &row)
	return row.GoBatch, err
}

// inboxBlob names the blob of a column of a telling. It is the same in every try.
func inboxBlob(id, name, column string) string {
	return folder(id) + inboxPrefix + strings.ReplaceAll(name, ".", "-") + "-" + column + ".json.gz"
}

const inboxPrefix = "inbox-"

// Discard deletes rows. Where some of a transaction are gone, it lists those that
// are there and tries again. The payloads of rows that it has deleted itself,
// which no commit can have taken in, go too.
func (h *Hub) Discard(ctx context.Context, id string, keys ...string) error {
	for part := range slices.Chunk(slices.Compact(slices.Sorted(slices.Values(keys))), storage.MaxOperations) {
		for len(part) > 0 {
			b := storage.NewBatch(taskhub.HistoryTable(h.name))
			for _, key := range part {
				b.Delete(h.account, taskhub.EscapeKey(id), key, string(azcore.ETagAny))
			}
			_, err := h.account.Submit(ctx, b)
			if err == nil {
				h.deleteTold(ctx, id, part)
				break
			}
			if missing(err) {
				part, err = h.present(ctx, id, part)
			}
			if err != nil {
				return failed(err, "discarding rows of the inbox of instance %q", id)
			}
		}
	}
	return nil
}

// deleteTold deletes the payloads of inbox rows that are deleted. It is best
// effort: Sweep and Purge find what it leaves.
func (h *Hub) deleteTold(ctx context.Context, id string, keys []string) {
	var names []string
	for _, key := range keys {
		if name, apart := taskhub.LargeName(key); apart {
			names = append(names, inboxBlob(id, name, "Input"), inboxBlob(id, name, "Reason"))
		}
	}
	_ = eachLarge(len(names), func(i int) error { return h.deleteBlob(ctx, names[i], nil) })
}

// present lists which of the rows, whose keys are in order, are there.
func (h *Hub) present(ctx context.Context, id string, keys []string) (there []string, err error) {
	filter := inPartition(id) + " and RowKey ge '" + keys[0] + "' and RowKey le '" + keys[len(keys)-1] + "'"
	pager := h.history.NewListEntitiesPager(&aztables.ListEntitiesOptions{Filter: &filter, Select: to.Ptr("RowKey"), Format: to.Ptr(aztables.MetadataFormatNone)})
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, raw := range page.Entities {
			var row struct{ RowKey string }
			if err := json.Unmarshal(raw, &row); err != nil {
				return nil, err
			}
			if _, wanted := slices.BinarySearch(keys, row.RowKey); wanted {
				there = append(there, row.RowKey)
			}
		}
	}
	return there, nil
}

// maxForgotten is how many receipts one call deletes.
const maxForgotten = 1000

// ForgetReceipts deletes a page of old receipts.
func (h *Hub) ForgetReceipts(ctx context.Context, id string, before time.Time) (int, error) {
	filter := " and RowKey ge '" + taskhub.ReceiptsFrom + "' and RowKey lt '" + taskhub.ReceiptsTo + "' and Timestamp lt " + timeLiteral(before)
	page, err := h.listVersions(ctx, id, filter)
	if err != nil {
		return 0, failed(err, "forgetting receipts of instance %q", id)
	}
	n, err := h.deleteVersions(ctx, taskhub.EscapeKey(id), page[:min(len(page), maxForgotten)])
	if err != nil {
		return n, failed(err, "forgetting receipts of instance %q", id)
	}
	return n, nil
}

// Head reads the sentinel alone.
func (h *Hub) Head(ctx context.Context, id string) (taskhub.Fence, error) {
	s, err := h.readSentinel(ctx, id)
	if s == nil || err != nil {
		return taskhub.Fence{}, err
	}
	return s.fence, nil
}
