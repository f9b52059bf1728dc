package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// instanceRow is an instance row as the service answers it.
type instanceRow struct {
	PartitionKey, ExecutionId, Name, Version, RuntimeStatus, Tags   string
	GoParked, GoBacklog, GoPurging, GoOrigin, ParentInstanceId      string
	Input, Output, CustomStatus, GoInputBlob, GoOutputBlob          *string
	InputBlobName                                                   string
	CreatedTime, LastUpdatedTime, CompletedTime, ScheduledStartTime time.Time
	Generation                                                      *int32
}

// storedRow is an instance's row, with the blobs that hold its payloads where
// they do not stand in it: of Input, of Output.
type storedRow struct {
	*taskhub.Instance
	blobs [2]string
}

// Instance reads a row. An address of a payload that is not there is shown as
// it is: the row was replaced while it was read.
func (h *Hub) Instance(ctx context.Context, id string) (*taskhub.Instance, error) {
	for again := false; ; again = true {
		row, err := h.readRow(ctx, id)
		if err != nil {
			return nil, err
		}
		err = h.fetchRow(ctx, row)
		if err == nil || again && errors.Is(err, taskhub.ErrPayloadGone) {
			return row.Instance, nil
		}
		if !errors.Is(err, taskhub.ErrPayloadGone) {
			return nil, fmt.Errorf("reading the row of instance %q: %w", id, err)
		}
	}
}

func (h *Hub) readRow(ctx context.Context, id string) (*storedRow, error) {
	resp, err := h.instances.GetEntity(ctx, taskhub.EscapeKey(id), "", &aztables.GetEntityOptions{Format: to.Ptr(aztables.MetadataFormatNone)})
	if missing(err) {
		return nil, fmt.Errorf("instance %q: %w", id, taskhub.ErrNotFound)
	}
	if err != nil {
		return nil, failed(err, "reading the row of instance %q", id)
	}
	row, err := h.decodeRow(resp.Value)
	if err != nil {
		return nil, fmt.Errorf("reading the row of instance %q: %w", id, err)
	}
	row.ETag = string(resp.ETag)
	return row, nil
}

func (h *Hub) decodeRow(raw []byte) (*storedRow, error) {
	var w instanceRow
	if err := json.Unmarshal(raw, &w); err != nil {
		return nil, err
	}
	row, err := w.instance()
	if err != nil {
		return nil, err
	}
	input := h.namedBlob(row.ID, row.Input, w.GoInputBlob, true)
	if len(row.Input) == 0 && row.Origin == "" && isOwn(row.ID, w.InputBlobName) {
		// An official client leaves an input there that fits its message and not the row.
		input = w.InputBlobName
	}
	return &storedRow{row, [2]string{input, h.namedBlob(row.ID, row.Output, w.GoOutputBlob, false)}}, nil
}

func (w *instanceRow) instance() (*taskhub.Instance, error) {
	status, err := history.ParseStatus(w.RuntimeStatus)
	if err != nil {
		return nil, err
	}
	tags, err := history.ParseTags([]byte(w.Tags))
	if err != nil {
		return nil, err
	}
	row := &taskhub.Instance{
		ID: taskhub.UnescapeKey(w.PartitionKey), ExecutionID: w.ExecutionId, Name: w.Name, Version: w.Version,
		Input: optional(w.Input), Output: optional(w.Output), CustomStatus: optional(w.CustomStatus), Status: status,
		Created: w.CreatedTime.UTC(), Updated: w.LastUpdatedTime.UTC(), Completed: w.CompletedTime.UTC(), Scheduled: w.ScheduledStartTime.UTC(),
		Generation: w.Generation, Tags: tags, Origin: w.GoOrigin, ParentInstanceID: w.ParentInstanceId, Parked: w.GoParked, Backlog: w.GoBacklog, Purging: w.GoPurging != "",
	}
	if string(row.CustomStatus) == "null" {
		row.CustomStatus = nil
	}
	return row, nil
}

func optional(s *string) history.Payload {
	if s == nil {
		return nil
	}
	return history.Payload(*s)
}

// etagOf is the ETag of a listed row. Where columns are selected the service may
// leave it out; it is made of the time of the last change.
func etagOf(etag, timestamp string) string {
	if etag != "" {
		return etag
	}
	return `W/"datetime'` + strings.ReplaceAll(timestamp, ":", "%3A") + `'"`
}
