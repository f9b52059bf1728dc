package hubcheck

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
)

// deleteRow deletes a row that is as it was read.
type deleteRow struct{ row azure.RawRow }

func (d deleteRow) describe() string { return "delete the row" }

func (d deleteRow) apply(ctx context.Context, hub *azure.Hub) error {
	return hub.DeleteRaw(ctx, d.row)
}

// deleteRows deletes several.
type deleteRows struct{ rows []azure.RawRow }

func (d deleteRows) describe() string { return fmt.Sprintf("delete %d rows", len(d.rows)) }

func (d deleteRows) apply(ctx context.Context, hub *azure.Hub) error {
	for _, row := range d.rows {
		if err := hub.DeleteRaw(ctx, row); err != nil {
			return err
		}
	}
	return nil
}

// deleteBlob deletes a blob that is as it was listed.
type deleteBlob struct{ blob azure.RawBlob }

func (d deleteBlob) describe() string { return "delete the blob" }

func (d deleteBlob) apply(ctx context.Context, hub *azure.Hub) error {
	return hub.DeleteRawBlob(ctx, d.blob)
}

// purge ends a purge that was cut, or removes what belongs to no instance.
type purge struct{ id, etag string }

func (p purge) describe() string { return "purge what is left" }

func (p purge) apply(ctx context.Context, hub *azure.Hub) error {
	_, err := hub.Purge(ctx, p.id, p.etag)
	if errors.Is(err, taskhub.ErrNotFound) {
		return nil
	}
	return err
}

// failRow makes the row of an instance show a failure, so that it can be purged or
// started again. doomed, where there is one, is a sentinel that no process can read.
type failRow struct {
	row    *taskhub.Instance
	reason string
	doomed *azure.RawRow
}

func (f failRow) describe() string { return "mark the instance as failed, so that it can be purged" }

func (f failRow) apply(ctx context.Context, hub *azure.Hub) error {
	if f.doomed != nil {
		if err := hub.DeleteRaw(ctx, *f.doomed); err != nil {
			return err
		}
	}
	status, now, output, none := history.Failed, time.Now().UTC(), history.Payload(f.reason), ""
	_, err := hub.Merge(ctx, f.row.ID, taskhub.Change{ETag: f.row.ETag, Status: &status, Output: &output, Updated: now, Completed: &now, Parked: &none})
	return err
}

// rewriteRow writes a row anew in the place of one that cannot be read.
type rewriteRow struct {
	bad azure.RawRow
	row *taskhub.Instance
}

func (r rewriteRow) describe() string { return "write the row anew from the history" }

func (r rewriteRow) apply(ctx context.Context, hub *azure.Hub) error {
	if r.bad.Table != "" {
		if err := hub.DeleteRaw(ctx, r.bad); err != nil {
			return err
		}
	}
	return hub.Insert(ctx, r.row)
}

// followHistory makes the row show what the history says.
type followHistory struct {
	row    *taskhub.Instance
	change taskhub.Change
}

func (f followHistory) describe() string { return "make the row show what the history says" }

func (f followHistory) apply(ctx context.Context, hub *azure.Hub) error {
	f.change.ETag, f.change.Updated = f.row.ETag, time.Now().UTC()
	_, err := hub.Merge(ctx, f.row.ID, f.change)
	return err
}

// restate commits what the history says to the sentinel.
type restate struct {
	id    string
	state taskhub.State
}

func (r restate) describe() string { return "make the sentinel say what the history says" }

func (r restate) apply(ctx context.Context, hub *azure.Hub) error {
	h, err := hub.Load(ctx, r.id, 0)
	if err != nil {
		return err
	}
	state := r.state
	state.Sent = h.Fence.State.Sent
	_, err = hub.Commit(ctx, &taskhub.Commit{
		InstanceID: r.id, ExecutionID: h.Fence.ExecutionID, Fence: h.Fence, Nonce: taskhub.NewID(), Time: time.Now().UTC(),
		Spilled: h.Fence.Spilled, State: &state,
	})
	return err
}

// send sends a message to the hub's control queue.
type send struct {
	queue   string
	message *taskhub.Message
	what    string
}

func (s send) describe() string { return s.what }

func (s send) apply(ctx context.Context, hub *azure.Hub) error {
	_, err := hub.Send(ctx, s.queue, s.message, 0)
	return err
}

// all does several repairs, one after the other.
type all []repair

func (a all) describe() string { return a[0].describe() }

func (a all) apply(ctx context.Context, hub *azure.Hub) error {
	for _, r := range a {
		if err := r.apply(ctx, hub); err != nil {
			return err
		}
	}
	return nil
}

// forget deletes old receipts.
type forget struct {
	id     string
	before time.Time
}

func (f forget) describe() string { return "delete the receipts" }

func (f forget) apply(ctx context.Context, hub *azure.Hub) error {
	for {
		n, err := hub.ForgetReceipts(ctx, f.id, f.before)
		if err != nil || n == 0 {
			return err
		}
	}
}

// create makes what is missing of the hub.
type create struct{}

func (create) describe() string { return "create it" }

func (create) apply(ctx context.Context, hub *azure.Hub) error {
	return hub.Create(ctx, taskhub.Owner{})
}
