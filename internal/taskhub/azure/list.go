package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// withoutPayloads are the columns that are read but Input and Output.
const withoutPayloads = "PartitionKey,RowKey,Timestamp,ExecutionId,Name,Version,RuntimeStatus,Tags,CustomStatus," +
	"CreatedTime,LastUpdatedTime,CompletedTime,ScheduledStartTime,Generation,GoParked,GoBacklog,GoPurging,GoOrigin,ParentInstanceId"

// withoutInput are the columns that are read but Input.
const withoutInput = withoutPayloads + ",Output,GoOutputBlob"

// Stores of continuation tokens: the service's own, and the row with which the
// rest of one of its pages begins.
const (
	tokenPage = "azure"
	tokenRow  = "azure-row"
)

// List reads one page of the table. What the service's filter cannot say is
// left to Query.Match, so that pages may be short.
func (h *Hub) List(ctx context.Context, q taskhub.Query) (*taskhub.Page, error) {
	options := &aztables.ListEntitiesOptions{Format: to.Ptr(aztables.MetadataFormatFull), Top: to.Ptr(int32(q.Size()))}
	filter := listFilter(&q)
	if q.Token != "" {
		if position, err := taskhub.DecodeToken(tokenRow, 1, q.Token); err == nil {
			filter = strings.TrimSuffix("PartitionKey ge '"+quote(position[0])+"' and "+filter, " and ")
		} else if position, err := taskhub.DecodeToken(tokenPage, 2, q.Token); err == nil {
			options.NextPartitionKey, options.NextRowKey = &position[0], &position[1]
		} else {
			return nil, fmt.Errorf("listing instances: %w", err)
		}
	}
	if q.Empty() {
		return &taskhub.Page{}, nil
	}
	if filter != "" {
		options.Filter = &filter
	}
	switch {
	case q.WithoutPayloads:
		// The time of the last change is the ETag: what else there is to say of a column
		// would double the answer.
		options.Select, options.Format = to.Ptr(withoutPayloads), to.Ptr(aztables.MetadataFormatNone)
	case q.WithoutInput:
		options.Select = to.Ptr(withoutInput)
	}
	resp, err := h.instances.NewListEntitiesPager(options).NextPage(ctx)
	if q.Token != "" && status(err) == http.StatusBadRequest {
		err = fmt.Errorf("%w: %w", taskhub.ErrToken, err)
	}
	if err != nil {
		return nil, failed(err, "listing instances")
	}
	page, err := h.makePage(ctx, &q, resp)
	if err != nil {
		return nil, fmt.Errorf("listing instances: %w", err)
	}
	return page, nil
}

// makePage takes the rows that are asked for, with their payloads, until the page
// is full. Large payloads are read one after the other, so that no more of them
// are in memory than the page shows.
func (h *Hub) makePage(ctx context.Context, q *taskhub.Query, resp aztables.ListEntitiesResponse) (*taskhub.Page, error) {
	page, room := &taskhub.Page{}, taskhub.Room{}
	for _, raw := range resp.Entities {
		row := h.decodeListed(raw)
		if row == nil || !q.Match(row.Instance) {
			continue
		}
		full := room.Full()
		if !full {
			if err := h.fetchListed(ctx, row); err != nil {
				return nil, err
			}
			full = !room.Takes(row.Instance)
		}
		if full {
			page.Token = taskhub.EncodeToken(tokenRow, taskhub.EscapeKey(row.ID))
			return page, nil
		}
		page.Instances = append(page.Instances, row.Instance)
	}
	if partition := resp.NextPartitionKey; partition != nil && *partition != "" {
		row := ""
		if resp.NextRowKey != nil {
			row = *resp.NextRowKey
		}
		page.Token = taskhub.EncodeToken(tokenPage, *partition, row)
	}
	return page, nil
}

// fetchListed reads the large payloads of a row. One that is gone shows its
// address, as in Instance; one that never will be readable leaves the row with
// an error.
func (h *Hub) fetchListed(ctx context.Context, row *storedRow) error {
	err := h.fetchRow(ctx, row)
	switch {
	case err == nil, errors.Is(err, taskhub.ErrPayloadGone):
		return nil
	case errors.Is(err, taskhub.ErrTooLarge), errors.Is(err, taskhub.ErrDamaged):
		row.Err = fmt.Errorf("reading the payloads of the row: %w", err)
		for i, column := range []*history.Payload{&row.Input, &row.Output} {
			if row.blobs[i] != "" {
				*column = nil
			}
		}
		return nil
	}
	return err
}

// decodeListed reads a row, or tells why it cannot be read. Rows of other keys
// are none of ours.
func (h *Hub) decodeListed(raw []byte) *storedRow {
	var key struct {
		PartitionKey, RowKey, Timestamp string
		ETag                            string `json:"odata.etag"`
	}
	if json.Unmarshal(raw, &key) != nil || key.RowKey != "" {
		return nil
	}
	row, err := h.decodeRow(raw)
	if err != nil {
		row = &storedRow{Instance: &taskhub.Instance{ID: taskhub.UnescapeKey(key.PartitionKey), Status: history.Unknown, Err: fmt.Errorf("decoding the row: %w", err)}}
	}
	row.ETag = etagOf(key.ETag, key.Timestamp)
	return row
}

// listFilter is the part of a query that the service can check.
func listFilter(q *taskhub.Query) string {
	var terms []string
	switch lower, upper := prefixRange(taskhub.EscapeKey(q.Prefix)); {
	case lower != "":
		terms = append(terms, "PartitionKey ge '"+quote(lower)+"'")
		if upper != "" {
			terms = append(terms, "PartitionKey lt '"+quote(upper)+"'")
		}
	case !q.Entities:
		terms = append(terms, "(PartitionKey lt '@' or PartitionKey ge 'A')")
	}
	if !q.CreatedFrom.IsZero() {
		terms = append(terms, "CreatedTime ge "+timeLiteral(q.CreatedFrom))
	}
	if !q.CreatedTo.IsZero() {
		terms = append(terms, "CreatedTime le "+timeLiteral(q.CreatedTo))
	}
	if !q.UpdatedFrom.IsZero() {
		terms = append(terms, "LastUpdatedTime ge "+timeLiteral(q.UpdatedFrom))
	}
	if q.Version != "" {
		terms = append(terms, "Version eq '"+quote(q.Version)+"'")
	}
	if q.Roots {
		terms = append(terms, "Generation ge 0") // others have no such column
	}
	if len(q.Statuses) > 0 {
		terms = append(terms, statusFilter(q.Statuses))
	}
	if name := nameFilter(q.Name); name != "" && comparisons(append(terms, name)) < maxComparisons {
		terms = append(terms, name) // one is left for the row at which a page goes on
	}
	return strings.Join(terms, " and ")
}

// statusFilter also finds parked instances when suspended ones are asked for.
func statusFilter(statuses []history.Status) string {
	var either []string
	for _, s := range statuses {
		either = append(either, "RuntimeStatus eq '"+s.String()+"'")
		if s == history.Suspended {
			either = append(either, "GoParked gt ''")
		}
	}
	return "(" + strings.Join(either, " or ") + ")"
}

// timeLiteral writes a time within what the service compares; no row has one
// beyond.
func timeLiteral(t time.Time) string {
	return history.ClampTime(t).UTC().Truncate(100 * time.Nanosecond).Format("datetime'2006-01-02T15:04:05.0000000Z'")
}

// prefixRange are the bounds of the keys with a prefix: from lower on and below
// upper. An empty upper is none. Some keys between them may not have the
// prefix: the service compares UTF-16 units.
func prefixRange(prefix string) (lower, upper string) {
	runes := []rune(prefix)
	if len(runes) == 0 {
		return "", ""
	}
	last := &runes[len(runes)-1]
	switch *last++; {
	case *last == 0xD800:
		// The next rune that is no half of a pair.
		*last = 0xE000
	case *last == 0x10000, *last > 0x10FFFF:
		return prefix, ""
	}
	return prefix, string(runes)
}
