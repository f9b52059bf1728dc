package activity

import (
	"context"
	"errors"

	"github.com/durable-go/functions/internal/lease"
	"github.com/durable-go/functions/internal/taskhub"
)

// CheckWanted tells the activities that run under a lease to stop when their
// orchestration has ended. That may have happened in another process, which cannot
// reach them. It is called whenever the lease was renewed, so short activities
// never cost a request.
func (p *Pool) CheckWanted(ctx context.Context, l *lease.Lease) {
	runs := p.under(l)
	if len(runs) == 0 {
		return
	}
	cause := p.unwanted(ctx, runs[0].Call)
	for _, r := range runs {
		r.Cancel(cause)
	}
}

// unwanted is why a call's result is not wanted any more, nil while it is or as
// long as that is not known.
func (p *Pool) unwanted(ctx context.Context, call *Call) error {
	head, err := p.Store.Head(ctx, call.InstanceID)
	switch {
	case err != nil:
		return nil
	case head.ETag == "":
		return p.purged(ctx, call)
	case head.ExecutionID == call.ExecutionID && head.State.Ended:
		return EndedBy(head.State.Outcome)
	case head.ExecutionID == call.ExecutionID:
		return nil
	case taskhub.Continues(call.InstanceID, head.ExecutionID, call.ExecutionID):
		return ErrAbandoned
	}
	return ErrPurged
}

// purged tells a purged instance from one whose first commit is still to come.
func (p *Pool) purged(ctx context.Context, call *Call) error {
	row, err := p.Store.Instance(ctx, call.InstanceID)
	if errors.Is(err, taskhub.ErrNotFound) || err == nil && row.ExecutionID != "" && row.ExecutionID != call.ExecutionID {
		return ErrPurged
	}
	return nil
}
