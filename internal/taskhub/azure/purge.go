package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
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
		return "", "", failed(err, "reading the row")
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
		page, err := p.hub.listVersions(ctx, p.id, "")
		if err != nil || len(page) == 0 {
			return err
		}
		if err := p.check(ctx); err != nil {
			return err
		}
		deleted, err := p.hub.deleteVersions(ctx, p.partition, page)
		p.rows += deleted
		if err != nil {
			return err
		}
		if deleted > 0 {
			idle = -1
		}
	}
	return errors.New("others work on its history at the same time")
}

// deletePayloads deletes the large payloads while the row is the marked one:
// nothing new can name one.
func (p *purge) deletePayloads(ctx context.Context) error {
	if p.etag == "" && p.rows == 0 {
		return nil
	}
	return p.hub.deleteLarge(ctx, p.id, nil, p.check)
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
		return failed(err, "deleting its row")
	}
	p.rows++
	return nil
}
