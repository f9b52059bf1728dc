package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/durable-go/functions/internal/taskhub"
)

// Reuse says what becomes of a start whose instance id is taken.
type Reuse int

const (
	// RejectIfRunning replaces a finished instance; an unfinished one is
	// ErrRunning.
	RejectIfRunning Reuse = iota
	// RejectIfExists replaces nothing: ErrExists.
	RejectIfExists
	// ReturnExisting starts nothing and returns the instance that is there.
	ReturnExisting
	// TerminateAndReplace ends an unfinished instance, waits until it has
	// finished, and replaces it.
	TerminateAndReplace
)

// check finds a policy that there is not.
func (r Reuse) check() error {
	if r < RejectIfRunning || r > TerminateAndReplace {
		return fmt.Errorf("%d is not a reuse policy", r)
	}
	return nil
}

// existing decides about a row that another start has written.
func (s *start) existing(ctx context.Context, have *taskhub.Instance, lease *taskhub.Lease) (*taskhub.Instance, error) {
	have, err := s.c.settled(ctx, have)
	if err != nil {
		return nil, errors.Join(err, s.takeBack(ctx, lease))
	}
	finished, err := s.c.ended(ctx, have)
	if err != nil {
		return nil, errors.Join(err, s.takeBack(ctx, lease))
	}
	switch {
	case have.Purging:
		return s.purgeFirst(ctx, have, lease)
	case s.reuse == ReturnExisting:
		return have, errors.Join(s.takeBack(ctx, lease), s.heal(ctx, have))
	case finished && s.reuse != RejectIfExists:
		return s.replace(ctx, have, lease)
	case finished:
		return nil, errors.Join(fmt.Errorf("instance %q is %s: %w", have.ID, have.Status, ErrExists), s.takeBack(ctx, lease))
	case s.reuse == TerminateAndReplace:
		return s.terminateFirst(ctx, have, lease)
	}
	if err := errors.Join(s.takeBack(ctx, lease), s.heal(ctx, have)); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("instance %q is %s: %w", have.ID, have.Shown(), ErrRunning)
}

// purgeFirst ends a purge that was cut off: of an instance whose history may be
// gone nothing is there that could be in the way of a start.
func (s *start) purgeFirst(ctx context.Context, have *taskhub.Instance, lease *taskhub.Lease) (*taskhub.Instance, error) {
	if err := s.takeBack(ctx, lease); err != nil {
		return nil, err
	}
	if _, err := s.c.store.Purge(ctx, have.ID, have.ETag); err != nil && !errors.Is(err, taskhub.ErrNotFound) && !errors.Is(err, taskhub.ErrChanged) {
		return nil, fmt.Errorf("instance %q is being purged: %w", have.ID, err)
	}
	return s.begin(ctx)
}

// terminateFirst ends the instance that is there and replaces it when it has
// finished: two executions of one id never run at once. It waits for a worker,
// until ctx ends.
func (s *start) terminateFirst(ctx context.Context, have *taskhub.Instance, lease *taskhub.Lease) (*taskhub.Instance, error) {
	if err := s.takeBack(ctx, lease); err != nil {
		return nil, err
	}
	for ended := false; !ended; {
		if err := s.c.terminate(ctx, have, "replaced by a new start", TerminateOptions{}); err != nil {
			return nil, err
		}
		row, err := s.c.waitForEnd(ctx, have)
		switch {
		case errors.Is(err, taskhub.ErrNotFound):
			return s.begin(ctx)
		case err != nil:
			return nil, fmt.Errorf("instance %q is to be replaced and has not ended yet: %w", have.ID, err)
		case row.ExecutionID == s.row.ExecutionID:
			return row, nil
		}
		have = row
		if ended, err = s.c.ended(ctx, have); err != nil {
			return nil, err
		}
	}
	return s.begin(ctx)
}

// waitForEnd waits until the instance has finished or is another execution.
func (c *Client) waitForEnd(ctx context.Context, have *taskhub.Instance) (*taskhub.Instance, error) {
	for etag := have.ETag; ; {
		row, err := c.Wait(ctx, have.ID, etag)
		if err == nil && !row.Status.Finished() && row.ExecutionID == have.ExecutionID {
			err = ctx.Err()
			etag = row.ETag
			if err == nil {
				continue
			}
		}
		return row, err
	}
}
