package client

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// Import is a finished instance of another hub: its last execution.
type Import struct {
	InstanceID  string
	ExecutionID string
	Events      []*history.Event
	// Replace takes the place of a finished instance of that id.
	Replace bool
}

// Import writes a finished instance into the hub, with its history. It reports whether
// it has written it: the same execution may be there. An id that is taken is
// ErrExists, and with Replace ErrRunning where the instance has not finished. Nothing
// is changed then, nor where the history is not whole (ErrNotWhole), has not ended
// (ErrNotFinished), or cannot be kept. An import that was cut can be repeated.
//
// An imported instance is nothing that any process works on: no message is sent, and
// the history says from its first row on that it has ended, so that one that was cut in
// the middle is not taken for one that goes on.
func (c *Client) Import(ctx context.Context, i Import) (imported bool, err error) {
	row, err := i.row()
	if err != nil {
		return false, fmt.Errorf("importing instance %q: %w", i.InstanceID, err)
	}
	if err := c.checkImport(row, i.Events); err != nil {
		return false, fmt.Errorf("importing instance %q: %w", i.InstanceID, err)
	}
	free, err := c.makeRoom(ctx, i)
	if err != nil || !free {
		return false, err
	}
	if err := c.insertImport(ctx, row); err != nil {
		return false, fmt.Errorf("importing instance %q: %w", i.InstanceID, err)
	}
	if err := c.importHistory(ctx, row, i.Events); err != nil {
		return false, fmt.Errorf("importing the history of instance %q: %w", i.InstanceID, err)
	}
	return true, nil
}

// row is the row of the instance, as it shows how the history has ended.
func (i *Import) row() (*taskhub.Instance, error) {
	if err := history.CheckInstanceID(i.InstanceID); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidInstanceID, err)
	}
	row := &taskhub.Instance{ID: i.InstanceID, ExecutionID: i.ExecutionID, Origin: i.ExecutionID}
	begun, ended := 0, 0
	for _, e := range i.Events {
		switch e.Type {
		case history.ExecutionStarted:
			begun++
			row.Name, row.Version, row.Input, row.Tags = e.Name, e.Version, e.Input, e.Tags
			row.Created, row.Scheduled, row.Generation = e.Timestamp, e.ScheduledStart, e.Generation
			if e.Parent != nil {
				row.ParentInstanceID = e.Parent.Instance.InstanceID
			}
		case history.OrchestratorCompleted:
			if custom, set := history.CustomStatus(e); set {
				row.CustomStatus = custom
			}
		case history.ExecutionCompleted:
			ended++
			row.Status, row.Output, row.Completed, row.Updated = e.Status, e.Result, e.Timestamp, e.Timestamp
		}
	}
	switch {
	case i.ExecutionID == "" || begun != 1 || ended > 1:
		return nil, ErrNotWhole
	case ended == 0 || !row.Status.Finished():
		return nil, fmt.Errorf("%w: its activities, timers and events are messages of its own hub", ErrNotFinished)
	}
	return row, nil
}

// checkImport finds what no hub keeps, before anything is changed.
func (c *Client) checkImport(row *taskhub.Instance, events []*history.Event) error {
	if err := history.CheckStart("an orchestrator", row.Name, row.Version, row.Tags); err != nil {
		return err
	}
	for _, e := range events {
		for _, p := range []history.Payload{e.Input, e.Result, e.Reason, e.Details} {
			if err := c.checkPayload("a payload of "+e.Type.String(), p); err != nil {
				return err
			}
		}
	}
	if err := row.Check(); err != nil {
		return err
	}
	_, err := (&taskhub.Commit{InstanceID: row.ID, ExecutionID: row.ExecutionID, Nonce: row.ExecutionID, Events: events}).Units()
	return err
}

// makeRoom reports whether the id is free, or has been made free. It is not where the
// same execution is there.
func (c *Client) makeRoom(ctx context.Context, i Import) (free bool, err error) {
	have, err := c.store.Instance(ctx, i.InstanceID)
	if errors.Is(err, taskhub.ErrNotFound) {
		return true, c.makeRoomInHistory(ctx, i.InstanceID)
	}
	if err != nil {
		return false, err
	}
	if have.ExecutionID == i.ExecutionID && have.Status.Finished() && !have.Purging && !i.Replace {
		whole, cut, err := c.importedBefore(ctx, i)
		if err != nil || whole {
			return false, err
		}
		if cut {
			_, err := c.purge(ctx, have, PurgeOptions{})
			return err == nil, err
		}
	}
	if have, err = c.settled(ctx, have); err != nil {
		return false, err
	}
	finished, err := c.ended(ctx, have)
	switch {
	case err != nil:
		return false, err
	case have.Purging:
	case !finished && i.Replace:
		return false, fmt.Errorf("instance %q is %s: %w", have.ID, have.Shown(), ErrRunning)
	case !i.Replace:
		return false, fmt.Errorf("instance %q is %s: %w", have.ID, have.Shown(), ErrExists)
	}
	_, err = c.purge(ctx, have, PurgeOptions{})
	return err == nil, err
}

// importedBefore reports what is there of the same execution: all of it, or what an
// import has left that was cut.
func (c *Client) importedBefore(ctx context.Context, i Import) (whole, cut bool, err error) {
	stored, err := c.store.Load(ctx, i.InstanceID, 0)
	if err != nil || len(stored.Events) == len(i.Events) && stored.Fence.ExecutionID == i.ExecutionID {
		return err == nil, false, err
	}
	cut = stored.Fence.ETag == "" || stored.Fence.ExecutionID == i.ExecutionID && stored.Fence.State.Origin == "" && !hasEnded(stored.Events)
	return false, cut, nil
}

func hasEnded(events []*history.Event) bool {
	return slices.ContainsFunc(events, func(e *history.Event) bool { return e.Type == history.ExecutionCompleted })
}

// makeRoomInHistory removes what a purge that was cut has left of an id without a row. A
// history that goes on without one is damage, which "durable hub check" mends.
func (c *Client) makeRoomInHistory(ctx context.Context, id string) error {
	head, err := c.store.Head(ctx, id)
	if err != nil {
		return err
	}
	if head.ETag != "" && !head.State.Ended {
		return fmt.Errorf("instance %q has a history that has not ended, and no row (durable hub check): %w", id, ErrRunning)
	}
	_, err = c.purgeLeftovers(ctx, id)
	if errors.Is(err, taskhub.ErrNotFound) {
		return nil
	}
	return err
}

// insertImport writes the row. One of the same execution is that of a try whose answer was
// lost; where another process imports it at the same time, one of the two commits.
func (c *Client) insertImport(ctx context.Context, row *taskhub.Instance) error {
	err := c.tries(ctx, func() error { return c.store.Insert(ctx, row) })
	if !errors.Is(err, taskhub.ErrExists) {
		return err
	}
	have, err := c.store.Instance(ctx, row.ID)
	if err == nil && (have.ExecutionID != row.ExecutionID || have.Status != row.Status) {
		err = fmt.Errorf("somebody else started it at the same time: %w", ErrExists)
	}
	if err == nil {
		row.ETag = have.ETag
	}
	return err
}

// importHistory commits first, without events, that the execution has ended, and then its
// events: wherever the import is cut, no process takes the history for one that goes on.
// Origin stays empty, as on histories that an older version began, so that the check of the
// hub leaves it alone.
func (c *Client) importHistory(ctx context.Context, row *taskhub.Instance, events []*history.Event) error {
	state := &taskhub.State{Ended: true, Outcome: row.Status}
	for _, e := range events {
		state.Sent = max(state.Sent, e.ID+1)
		if e.Type == history.ExecutionStarted {
			state.Parent = e.Parent
		}
	}
	fence := taskhub.Fence{}
	for _, part := range [][]*history.Event{nil, events} {
		commit := &taskhub.Commit{
			InstanceID: row.ID, ExecutionID: row.ExecutionID, Fence: fence, Nonce: taskhub.NewID(), Time: c.now(), Events: part, State: state,
		}
		err := c.tries(ctx, func() (err error) {
			fence, err = c.store.Commit(ctx, commit)
			return err
		})
		if err != nil {
			return errors.Join(err, c.takeBackImport(ctx, row, err))
		}
	}
	return nil
}

// takeBackImport removes the row of an import that storage refuses. Otherwise a
// repetition ends it.
func (c *Client) takeBackImport(ctx context.Context, row *taskhub.Instance, cause error) error {
	if !isFinal(cause) || errors.Is(cause, taskhub.ErrConflict) || errors.Is(cause, taskhub.ErrGone) {
		return nil
	}
	_, err := c.store.Purge(ctx, row.ID, row.ETag)
	if errors.Is(err, taskhub.ErrNotFound) || errors.Is(err, taskhub.ErrChanged) {
		return nil
	}
	return err
}
