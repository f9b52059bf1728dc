package client

import (
	"context"
	"errors"
	"maps"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// RestartOptions say under which id an instance starts again.
type RestartOptions struct {
	// SameID takes the id of the instance, which must have finished.
	SameID bool
	// NewID is the new id; empty: a random one.
	NewID string
	// ExecutionID is that of Start.
	ExecutionID string
}

// Restart starts the orchestrator of an instance again, with the same name,
// version, input and tags. Under the same id an instance that has not finished
// is a *StateError (ErrNotFinished).
func (c *Client) Restart(ctx context.Context, id string, o RestartOptions) (*taskhub.Instance, error) {
	row, err := c.store.Instance(ctx, id)
	if err != nil {
		return nil, err
	}
	if o.SameID {
		if row, err = c.settled(ctx, row); err != nil {
			return nil, err
		}
	}
	tags := maps.Clone(row.Tags)
	delete(tags, history.FireAndForget) // how it was started the first time
	s := Start{Name: row.Name, Version: row.Version, Input: row.Input, Tags: tags, InstanceID: o.NewID, ExecutionID: o.ExecutionID}
	if !o.SameID {
		return c.Start(ctx, s)
	}
	s.InstanceID = id
	if !row.Status.Finished() && (o.ExecutionID == "" || row.ExecutionID != o.ExecutionID) {
		return nil, stateError(row, "restart", ErrNotFinished)
	}
	started, err := c.Start(ctx, s)
	if errors.Is(err, ErrRunning) {
		return nil, errors.Join(stateError(row, "restart", ErrNotFinished), err)
	}
	return started, err
}
