package entity

import (
	"context"
	"errors"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// row is what is known of the instance row, which lists and tools show.
type row struct {
	known bool
	// late means that the row was read after the state: a newer commit may have been made
	// in between, and be what it shows.
	late bool
	// etag is empty where there is no row. execution is the commit that it shows: what
	// that has left to send is sent.
	etag, execution string
	status          history.EntityStatus
	// shown is when it was last written.
	shown time.Time
}

// learnRow reads the row unless it is known.
func (en *Entity) learnRow(ctx context.Context) error {
	if en.row.known {
		return nil
	}
	r, err := en.Row(ctx, en.ID)
	switch {
	case errors.Is(err, taskhub.ErrNotFound):
		en.row = row{known: true, late: true}
		return nil
	case err != nil:
		return err
	}
	en.row = row{known: true, late: true, etag: r.ETag, execution: r.ExecutionID, status: history.DecodeEntityStatus(r.CustomStatus), shown: en.row.shown}
	return nil
}

// show brings the row up to date. An entity that was never stored has none.
func (en *Entity) show(ctx context.Context) error { //nolint:gocognit // one loop until the row is written
	c := en.c
	if c.fence.ETag == "" {
		return nil
	}
	status := history.EntityStatus{Exists: c.state != nil, QueueSize: en.inbox.waiting}
	if c.saved.Lock != nil {
		status.LockedBy = c.saved.Lock.Owner
	}
	for changed := false; ; changed = true {
		if c.fence.Number > 1 || changed {
			// The first commit has no row yet.
			if err := en.learnRow(ctx); err != nil {
				return err
			}
		}
		if en.row.execution == c.fence.ExecutionID && en.row.status == status {
			return nil
		}
		if en.row.late {
			// Another process may have gone on.
			head, err := en.Head(ctx, en.ID)
			if err != nil {
				return err
			}
			if head.ETag != c.fence.ETag {
				return taskhub.ErrConflict
			}
		}
		err := en.writeRow(ctx, status)
		if err == nil {
			en.row.execution, en.row.status, en.row.shown, en.row.late = c.fence.ExecutionID, status, en.Exec.Clock.Now(), false
			en.Host.RowChanged(en.ID)
			return nil
		}
		if !errors.Is(err, taskhub.ErrChanged) && !errors.Is(err, taskhub.ErrNotFound) && !errors.Is(err, taskhub.ErrExists) {
			return err
		}
		en.row = row{}
	}
}

func (en *Entity) writeRow(ctx context.Context, status history.EntityStatus) error {
	c := en.c
	input := history.EntityState{State: c.state, LockedBy: status.LockedBy}.Encode()
	custom := status.Encode()
	if en.row.etag == "" {
		r := &taskhub.Instance{
			ID: en.ID, ExecutionID: c.fence.ExecutionID, Name: en.ID, Input: input, CustomStatus: custom,
			Status: history.Running, Created: c.changed, Updated: en.Exec.Now(),
		}
		return en.Exec.Do(ctx, func(ctx context.Context) error {
			err := en.Store.Insert(ctx, r)
			if err == nil {
				en.row.known, en.row.etag = true, r.ETag
			}
			return err
		})
	}
	running := history.Running
	change := taskhub.Change{
		ETag: en.row.etag, ExecutionID: c.fence.ExecutionID, Status: &running, Input: &input, CustomStatus: &custom,
		Created: &c.changed, Updated: en.Exec.Now(),
	}
	return en.Exec.Do(ctx, func(ctx context.Context) error {
		etag, err := en.Store.Merge(ctx, en.ID, change)
		if err == nil {
			en.row.etag = etag
		}
		return err
	})
}
