package azure

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Insert writes the first row of an instance.
func (h *Hub) Insert(ctx context.Context, row *taskhub.Instance) error {
	if !fitsRow(row.Input) {
		// A start that is refused leaves no blob.
		if _, err := h.readRow(ctx, row.ID); err == nil {
			return fmt.Errorf("instance %q: %w", row.ID, taskhub.ErrExists)
		}
	}
	raw, err := h.instanceEntity(ctx, row)
	if err != nil {
		return fmt.Errorf("instance %q: %w", row.ID, err)
	}
	resp, err := h.instances.AddEntity(ctx, raw, nil)
	if exists(err) {
		return fmt.Errorf("instance %q: %w", row.ID, taskhub.ErrExists)
	}
	if err != nil {
		return failed(err, "inserting the row of instance %q", row.ID)
	}
	row.ETag = string(resp.ETag)
	return nil
}

// Replace writes a whole row over a known one.
func (h *Hub) Replace(ctx context.Context, row *taskhub.Instance, etag string) error {
	raw, err := h.instanceEntity(ctx, row)
	if err != nil {
		return fmt.Errorf("instance %q: %w", row.ID, err)
	}
	row.ETag, err = h.update(ctx, row.ID, raw, etag, aztables.UpdateModeReplace)
	return err
}

// Merge changes some columns.
func (h *Hub) Merge(ctx context.Context, id string, c taskhub.Change) (string, error) {
	raw, err := h.changeEntity(ctx, id, c)
	if err != nil {
		return "", fmt.Errorf("instance %q: %w", id, err)
	}
	return h.update(ctx, id, raw, c.ETag, aztables.UpdateModeMerge)
}

// update never sends a nil ETag: the service would insert the row.
func (h *Hub) update(ctx context.Context, id string, raw []byte, etag string, mode aztables.UpdateMode) (string, error) {
	match := azcore.ETagAny
	if etag != "" {
		match = azcore.ETag(etag)
	}
	resp, err := h.instances.UpdateEntity(ctx, raw, &aztables.UpdateEntityOptions{IfMatch: &match, UpdateMode: mode})
	switch {
	case differs(err):
		return "", fmt.Errorf("instance %q: %w", id, taskhub.ErrChanged)
	case missing(err):
		return "", fmt.Errorf("instance %q: %w", id, taskhub.ErrNotFound)
	case err != nil:
		return "", failed(err, "writing the row of instance %q", id)
	}
	return string(resp.ETag), nil
}

func (h *Hub) instanceEntity(ctx context.Context, row *taskhub.Instance) ([]byte, error) {
	if err := row.Check(); err != nil {
		return nil, err
	}
	given := row
	row, err := h.outsizeRow(ctx, row)
	if err != nil {
		return nil, err
	}
	e := newEntity(taskhub.EscapeKey(row.ID), "")
	e.text("Name", row.Name)
	e.text("Version", row.Version)
	e.payload("Input", row.Input)
	e.payload("Output", row.Output)
	h.markBlob(e, row.ID, "Input", given.Input, row.Input)
	h.markBlob(e, row.ID, "Output", given.Output, row.Output)
	e.custom(row.CustomStatus)
	e.text("RuntimeStatus", row.Status.String())
	e.time("CreatedTime", row.Created)
	e.time("LastUpdatedTime", row.Updated)
	e.time("CompletedTime", row.Completed)
	e.time("ScheduledStartTime", row.Scheduled)
	e.text("TaskHubName", h.name)
	if row.ExecutionID != "" {
		e.text("ExecutionId", row.ExecutionID)
	}
	if row.Origin != "" {
		e.text("GoOrigin", row.Origin)
	}
	if row.ParentInstanceID != "" {
		e.text("ParentInstanceId", row.ParentInstanceID)
	}
	if row.Generation != nil {
		e.int32("Generation", *row.Generation)
	}
	tags := "null"
	if row.Tags != nil {
		tags = string(history.AppendTags(nil, row.Tags))
	}
	e.text("Tags", tags)
	if row.Parked != "" {
		e.text("GoParked", row.Parked)
	}
	if row.Backlog != "" {
		e.text("GoBacklog", row.Backlog)
	}
	return e.end()
}

// custom writes the custom status: an unset one is the text null.
func (e *entity) custom(status history.Payload) {
	if status == nil {
		status = history.Payload("null")
	}
	e.text("CustomStatus", string(status))
}

func (h *Hub) changeEntity(ctx context.Context, id string, c taskhub.Change) ([]byte, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	given := c
	if err := h.outsizeChange(ctx, id, &c); err != nil {
		return nil, err
	}
	e := newEntity(taskhub.EscapeKey(id), "")
	e.text("TaskHubName", h.name)
	if c.ExecutionID != "" {
		e.text("ExecutionId", c.ExecutionID)
	}
	if c.Origin != "" {
		e.text("GoOrigin", c.Origin)
	}
	if c.Status != nil {
		e.text("RuntimeStatus", c.Status.String())
	}
	if c.Output != nil {
		e.payload("Output", *c.Output)
		h.markBlob(e, id, "Output", *given.Output, *c.Output)
	}
	if c.CustomStatus != nil {
		e.custom(*c.CustomStatus)
	}
	if c.Input != nil {
		e.payload("Input", *c.Input)
		h.markBlob(e, id, "Input", *given.Input, *c.Input)
	}
	for name, value := range map[string]*string{"Name": c.Name, "Version": c.Version, "GoParked": c.Parked, "GoBacklog": c.Backlog} {
		if value != nil {
			e.text(name, *value)
		}
	}
	e.time("LastUpdatedTime", c.Updated)
	if c.Created != nil {
		e.time("CreatedTime", *c.Created)
	}
	if c.Completed != nil {
		e.time("CompletedTime", *c.Completed)
	}
	return e.end()
}
