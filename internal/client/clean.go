package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/durable-go/functions/internal/entity"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Cleaning says what to clean of entities.
type Cleaning struct {
	// Empty removes what is kept of entities that have no state, no lock, and no request
	// that waits, and had their last operation EmptyFor ago.
	Empty    bool
	EmptyFor time.Duration
	// Locks releases locks whose owners do not run any more.
	Locks bool
	// Token is where to go on: that of an earlier Cleaned. Budget is after how long to stop
	// at the end of a page; 0: at the end.
	Token  string
	Budget time.Duration
}

// Cleaned is what was cleaned. Token is where to go on; empty: that was all.
type Cleaned struct {
	Removed, Released int
	Token             string
}

// CleanEntities goes through all entities. After an error, Cleaned says how far it came;
// it may be repeated.
func (c *Client) CleanEntities(ctx context.Context, what Cleaning) (done Cleaned, err error) {
	begun := time.Now()
	for token := what.Token; ; {
		rows, next, err := c.ListEntities(ctx, EntityQuery{WithoutState: true, Deleted: true, Max: taskhub.MaxPage, Token: token})
		if err != nil {
			return done, fmt.Errorf("cleaning entities: %w", err)
		}
		for i := range rows {
			if rows[i].Err != nil {
				continue // "durable hub check" knows more
			}
			if err := c.clean(ctx, &rows[i], what, &done); err != nil {
				return done, fmt.Errorf("cleaning entity %s: %w", rows[i].ID, err)
			}
		}
		if token, done.Token = next, next; token == "" || what.Budget > 0 && time.Since(begun) > what.Budget {
			return done, nil
		}
	}
}

func (c *Client) clean(ctx context.Context, row *EntityRow, what Cleaning, done *Cleaned) error {
	switch {
	case what.Locks && row.LockedBy != "":
		released, err := c.releaseOrphan(ctx, row.ID)
		if released {
			done.Released++
		}
		return err
	case what.Empty && !row.Exists && row.LockedBy == "" && row.QueueSize == 0 && c.now().Sub(row.Changed) >= what.EmptyFor:
		removed, err := c.removeEmpty(ctx, row.ID)
		if removed {
			done.Removed++
		}
		return err
	}
	return nil
}

// releaseOrphan releases the lock of an entity whose owner does not run any more.
func (c *Client) releaseOrphan(ctx context.Context, id history.EntityID) (released bool, err error) {
	s, err := c.ReadEntity(ctx, id)
	if err != nil || s.Lock == nil {
		return false, err
	}
	owner, err := c.store.Head(ctx, s.Lock.Owner)
	if err != nil || !s.Lock.IsOrphan(owner) {
		return false, err
	}
	release := taskhub.Release(s.Lock.Owner, s.Lock.Section, id.String(), c.now())
	return true, c.tellEntity(ctx, id.String(), []*taskhub.Telling{release})
}

// removeEmpty removes what is kept of an entity without a state, unless something has
// happened to it since it was listed. Its inbox stays, with the receipts.
func (c *Client) removeEmpty(ctx context.Context, id history.EntityID) (removed bool, err error) {
	row, err := c.store.Instance(ctx, id.String())
	if errors.Is(err, taskhub.ErrNotFound) {
		return false, nil
	}
	var s entity.Snapshot
	if err == nil {
		s, err = c.ReadEntity(ctx, id)
	}
	// A row that shows another commit may have the only trace of what is to be sent.
	if err != nil || s.State != nil || s.Lock != nil || s.Fence.ETag != "" && s.Fence.ExecutionID != row.ExecutionID {
		return false, err
	}
	err = c.store.Clear(ctx, id.String(), s.Fence, row.ETag)
	if errors.Is(err, taskhub.ErrConflict) {
		return false, nil
	}
	return err == nil, err
}
