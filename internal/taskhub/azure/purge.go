package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/taskhub"
)

// Purge marks the row, deletes the sentinel and the history, then the row.
//
// Rows of the history are listed first; then the instance row is checked to be
// as this purge marked it; then exactly the versions that were listed are
// deleted. So whatever a new execution of the id writes is safe, even from a
// purge that slept for an hour.
func (h *Hub) Purge(ctx context.Context, id, etag string) (int, error) {
	p := &purge{hub: h, id: id, partition: taskhub.EscapeKey(id)}
	err := p.mark(ctx, etag)
	if err == nil {
		err = p.deleteHistory(ctx)
	}
	if err == nil {
		err = p.deletePayloads(ctx)
	}
	if err == nil {
		err = p.deleteRow(ctx)
	}
	if err == nil && p.rows == 0 {
		err = taskhub.ErrNotFound
	}
	if err != nil {
		return p.rows, fmt.Errorf("purging instance %q: %w", id, err)
	}
	return p.rows, nil
}

// purge is one purge on its way.
type purge struct {
	hub           *Hub
	id, partition string
	// etag is that of the marked row; empty when there is no row.
	etag string
	// rows is how many were deleted.
	rows int
}

// mark marks the row. The mark is the ETag that the row had, so that a repeated
// purge finds its own.
func (p *purge) mark(ctx context.Context, etag string) error {
	if etag == "" {
		row, err := p.hub.Instance(ctx, p.id)
		if errors.Is(err, taskhub.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		etag = row.ETag
	}
	e := newEntity(p.partition, "")
	e.text("GoPurging", etag)
	raw, err := e.end()
	if err != nil {
		return err
	}
	p.etag, err = p.hub.update(ctx, p.id, raw, etag, aztables.UpdateModeMerge)
	switch {
	case errors.Is(err, taskhub.ErrNotFound):
		return nil
	case errors.Is(err, taskhub.ErrChanged):
		return p.adopt(ctx, etag)
	}
	return err
}

// adopt goes on with a purge of the same row that was begun before.
func (p *purge) adopt(ctx context.Context, etag string) error {
	mark, stored, err := p.readMark(ctx)
	switch {
	case err != nil:
		return err
	case stored != "" && mark != etag:
		return taskhub.ErrChanged
	}
	p.etag = stored
	return nil
}

// readMark reads the mark of the row and its ETag, which is empty when there is
// no row.
func (p *purge) readMark(ctx context.Context) (mark, etag string, err error) {
	resp, err := p.hub.instances.GetEntity(ctx, p.partition, "", &aztables.GetEntityOptions{Format: to.Ptr(aztables.MetadataFormatNone)})
	if missing(err) {
		return "", "", nil
	}
	if err != nil {
		return "", "", fmt.Errorf("reading the row: %w", err)
	}
	var row struct{ GoPurging string }
	if err := json.Unmarshal(resp.Value, &row); err != nil {
		return "", "", fmt.Errorf("reading the row: %w", err)
	}
	return row.GoPurging, string(resp.ETag), nil
}

// check makes sure that the row is still the one that this purge is about.
func (p *purge) check(ctx context.Context) error {
	_, etag, err := p.readMark(ctx)
	switch {
	case err != nil:
		return err
	case etag == "":
		// Another purge was faster. There may be rows that it did not see.
		p.etag = ""
	case etag != p.etag:
		return taskhub.ErrChanged
	}
	return nil
}

// maxIdle is how many times in a row a purge may find that others were faster,
// without deleting anything itself.
const maxIdle = 8

// deleteHistory deletes page after page until nothing is left.
func (p *purge) deleteHistory(ctx context.Context) error {
	for idle := 0; idle < maxIdle; idle++ {
		page, err := p.list(ctx)
		if err != nil || len(page) == 0 {
			return err
		}
		if err := p.check(ctx); err != nil {
			return err
		}
		before := p.rows
		if err := p.deletePage(ctx, page); err != nil {
			return err
		}
		if p.rows > before {
			idle = -1
		}
	}
	return errors.New("others work on its history at the same time")
}

// version is a row of a history as it was when it was listed.
type version struct{ row, etag string }

// list reads the first page of rows that are left, with the sentinel first. All
// but the first page of a long history come without it.
func (p *purge) list(ctx context.Context) ([]version, error) {
	pager := p.hub.history.NewListEntitiesPager(&aztables.ListEntitiesOptions{
		Filter: to.Ptr("PartitionKey eq '" + quote(p.partition) + "'"),
		Select: to.Ptr("PartitionKey,RowKey,Timestamp"),
		Format: to.Ptr(aztables.MetadataFormatFull),
	})
	page, err := pager.NextPage(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing its history: %w", err)
	}
	var out []version
	for _, raw := range page.Entities {
		v, err := decodeVersion(raw)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	if pager.More() {
		// The sentinel is the last row of all.
		sentinel, err := p.hub.readSentinel(ctx, p.id)
		if err != nil && !errors.Is(err, taskhub.ErrFormat) {
			return nil, err
		}
		if sentinel != nil {
			out = append(out, version{sentinelRow, sentinel.fence.ETag})
		}
	}
	if n := len(out); n > 0 && out[n-1].row == sentinelRow {
		out = slices.Insert(out[:n-1], 0, out[n-1])
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

// deletePage deletes the versions, in order. What is gone or has changed is left
// to the next list.
func (p *purge) deletePage(ctx context.Context, page []version) error {
	for part := range slices.Chunk(page, storage.MaxOperations) {
		b := storage.NewBatch(taskhub.HistoryTable(p.hub.name))
		for _, v := range part {
			b.Delete(p.hub.account, p.partition, v.row, v.etag)
		}
		_, err := p.hub.account.Submit(ctx, b)
		switch {
		case err == nil:
			p.rows += len(part)
		case status(err) == http.StatusNotFound, status(err) == http.StatusPreconditionFailed:
			if part[0].row == sentinelRow {
				// Nothing may go while the sentinel is there.
				return nil
			}
		default:
			return fmt.Errorf("deleting its history: %w", err)
		}
	}
	return nil
}

// deletePayloads deletes the large payloads while the row is the marked one:
// nothing new can name one.
func (p *purge) deletePayloads(ctx context.Context) error {
	if err := p.check(ctx); err != nil || p.etag == "" && p.rows == 0 {
		return err
	}
	return p.hub.deleteLarge(ctx, p.id, nil)
}

func (p *purge) deleteRow(ctx context.Context) error {
	if p.etag == "" {
		return nil
	}
	_, err := p.hub.instances.DeleteEntity(ctx, p.partition, "", &aztables.DeleteEntityOptions{IfMatch: to.Ptr(azcore.ETag(p.etag))})
	switch {
	case differs(err):
		return taskhub.ErrChanged
	case err != nil && !missing(err):
		return fmt.Errorf("deleting its row: %w", err)
	}
	p.rows++
	return nil
}
