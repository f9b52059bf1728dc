package azure

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// sweepAge is how old a payload of the instance's row must be before it counts
// as forgotten: a younger one may be about to be named. A teller, which may be
// slow or repeat itself, has toldAge.
// Answers stay as long as receipts.
const (
	sweepAge    = 2 * time.Minute
	toldAge     = time.Hour
	answeredAge = taskhub.ReceiptsTold + 2*24*time.Hour
)

// Sweep deletes the blobs of history rows before the current generation, those
// that the instance's row named once, and those of tellings that neither the
// inbox nor the history names.
func (h *Hub) Sweep(ctx context.Context, id string, current taskhub.Fence) error {
	named, now, err := h.namedByRow(ctx, id)
	if err != nil {
		return failed(err, "sweeping the large payloads of instance %q", id)
	}
	old := func(item *container.BlobItem, age time.Duration) bool {
		modified := item.Properties.LastModified
		return modified != nil && now.Sub(*modified) > age
	}
	toldBefore := func(item *container.BlobItem) bool {
		return strings.HasPrefix(*item.Name, folder(id)+inboxPrefix) && old(item, toldAge)
	}
	var told atomic.Bool
	err = h.deleteLarge(ctx, id, func(item *container.BlobItem) bool {
		if toldBefore(item) {
			told.Store(true)
		}
		if strings.HasPrefix(*item.Name, folder(id)+answerPrefix) {
			return old(item, answeredAge)
		}
		rest, ours := strings.CutPrefix(*item.Name, folder(id)+"history-")
		row, _, _ := strings.Cut(rest, "-")
		switch {
		case !ours:
			return false
		case row != "":
			// A late sweep meets the blobs of another start of the id.
			n, err := strconv.ParseUint(row, 16, 64)
			return err == nil && n < current.FirstRow && taskhub.SameStart(n, current.FirstRow)
		}
		return !named[*item.Name] && old(item, sweepAge)
	}, func(context.Context) error { return nil })
	if err != nil || !told.Load() {
		return err
	}
	var inUse map[string]bool
	return h.deleteLarge(ctx, id, func(item *container.BlobItem) bool {
		return toldBefore(item) && !inUse[*item.Name]
	}, func(ctx context.Context) (err error) {
		inUse, err = h.namedInHistory(ctx, id)
		return err
	})
}

// namedInHistory are the blobs that rows of the inbox and of the history name.
// The inbox is read first, because rows go from there into the history.
func (h *Hub) namedInHistory(ctx context.Context, id string) (map[string]bool, error) {
	named := map[string]bool{}
	for _, keys := range []string{
		"RowKey ge '" + taskhub.InboxFrom + "' and RowKey lt '" + taskhub.InboxTo + "'",
		"RowKey lt '" + sentinelRow + "'",
	} {
		pager := h.history.NewListEntitiesPager(&aztables.ListEntitiesOptions{
			Filter: to.Ptr(inPartition(id) + " and " + keys),
			Select: to.Ptr(strings.Join(history.BlobColumns(), ",")),
			Format: to.Ptr(aztables.MetadataFormatNone),
		})
		for pager.More() {
			page, err := pager.NextPage(ctx)
			if err != nil {
				return nil, failed(err, "reading which large payloads of instance %q are in use", id)
			}
			for _, raw := range page.Entities {
				blobs, err := history.RowBlobs(raw)
				if err != nil {
					return nil, err
				}
				for _, name := range blobs {
					named[name] = true
				}
			}
		}
	}
	return named, nil
}

// namedByRow are the blobs that the instance's row names, and the service's
// time.
func (h *Hub) namedByRow(ctx context.Context, id string) (named map[string]bool, now time.Time, err error) {
	var answer *http.Response
	resp, err := h.instances.GetEntity(policy.WithCaptureResponse(ctx, &answer), taskhub.EscapeKey(id), "", &aztables.GetEntityOptions{Format: to.Ptr(aztables.MetadataFormatNone)})
	if err != nil {
		return nil, now, err
	}
	row, err := h.decodeRow(resp.Value)
	if err != nil {
		return nil, now, err
	}
	named = map[string]bool{row.blobs[0]: true, row.blobs[1]: true}
	now, err = http.ParseTime(answer.Header.Get("Date"))
	return named, now, err
}
