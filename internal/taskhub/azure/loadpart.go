package azure

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/durable-go/functions/internal/taskhub"
)

// Bounds of the pages that a part is read in: rows of one page, and how many pages
// are asked for at the same time.
const (
	partRows   = taskhub.MaxPage
	partAtOnce = 4
)

// LoadPart reads a short history as Load does, with one request. Of a longer one it reads
// the sentinel and the rows that are asked for, which are known by their numbers and so
// are read at the same time.
func (h *Hub) LoadPart(ctx context.Context, id string, from uint64, most int) (*taskhub.History, error) {
	most = max(most, 1)
	part, err := h.loadPart(ctx, id, from, most)
	switch {
	case err != nil && !errors.Is(err, taskhub.ErrUnreadable) && !errors.Is(err, taskhub.ErrPayloadGone):
		return nil, failed(err, "loading a part of the history of instance %q", id)
	case err == nil && part != nil:
		return part, nil
	}
	// It changed meanwhile, or it is damaged.
	whole, err := h.Load(ctx, id, from)
	if err == nil {
		whole.Events = whole.Events[:min(len(whole.Events), most)]
	}
	return whole, err
}

// loadPart returns nil where the rows may be of different times: see torn.
func (h *Hub) loadPart(ctx context.Context, id string, from uint64, most int) (*taskhub.History, error) {
	partition := inPartition(id) + " and RowKey ge '" + taskhub.RowKey(from) + "'"
	rows, more, err := h.firstRows(ctx, partition+" and RowKey le '"+sentinelRow+"'", most+1)
	if err != nil {
		return nil, err
	}
	if !more {
		out, err := h.assemble(ctx, rows, from)
		if err == nil {
			out.Events = out.Events[:min(len(out.Events), most)]
		}
		return out, err
	}
	s, err := h.readSentinel(ctx, id)
	if err != nil || s == nil || s.fence.Rewinds > 0 {
		return nil, err
	}
	out := &taskhub.History{Fence: s.fence}
	first := min(max(s.fence.FirstRow, from), s.fence.NextRow)
	end := min(first+uint64(most), s.fence.NextRow)
	rows = following(rows, first)
	rest, err := h.rowsBetween(ctx, id, first+uint64(len(rows)), end)
	if err != nil {
		return nil, err
	}
	return out, h.take(ctx, out, append(rows, rest...), first, end)
}

// firstRows reads one page of rows, and reports whether there are more.
func (h *Hub) firstRows(ctx context.Context, filter string, most int) ([][]byte, bool, error) {
	pager := h.history.NewListEntitiesPager(&aztables.ListEntitiesOptions{Filter: &filter, Format: to.Ptr(aztables.MetadataFormatFull), Top: to.Ptr(int32(min(most, partRows)))})
	page, err := pager.NextPage(ctx)
	return page.Entities, err == nil && pager.More(), err
}

// following are the rows that follow one another from a number on.
func following(rows [][]byte, first uint64) (out [][]byte) {
	for _, raw := range rows {
		var key struct{ RowKey string }
		if json.Unmarshal(raw, &key) == nil && key.RowKey == taskhub.RowKey(first+uint64(len(out))) {
			out = append(out, raw)
		}
	}
	return out
}

// rowsBetween reads rows from a number to before another, several pages at a time.
func (h *Hub) rowsBetween(ctx context.Context, id string, first, end uint64) ([][]byte, error) {
	if first >= end {
		return nil, nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	pages := make([][][]byte, (end-first+partRows-1)/partRows)
	_ = sideBySide(len(pages), partAtOnce, func(i int) (err error) {
		from := first + uint64(i)*partRows
		if pages[i], err = h.rowRange(ctx, id, from, min(from+partRows, end)); err != nil {
			cancel(err) // the others need not be read
		}
		return err
	})
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return slices.Concat(pages...), nil
}

// rowRange reads rows from a number to before another.
func (h *Hub) rowRange(ctx context.Context, id string, first, end uint64) ([][]byte, error) {
	filter := inPartition(id) + " and RowKey ge '" + taskhub.RowKey(first) + "' and RowKey lt '" + taskhub.RowKey(end) + "'"
	rows, _, err := h.readRows(ctx, filter, aztables.MetadataFormatNone)
	return rows, err
}
