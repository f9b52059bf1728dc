package orchestration

import (
	"context"
	"errors"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// parkedDelay is how long the messages of a parked instance are put off: a deployment
// may bring code that fits.
const parkedDelay = time.Minute

// parkedError means that the instance waits for other code, or for an operator: its
// code does not fit its history, or blocks, or its history cannot be read.
type parkedError struct{ cause error }

func (p *parkedError) Error() string { return p.cause.Error() }

// Unwrap is why.
func (p *parkedError) Unwrap() error { return p.cause }

// Parked is an error of Host.RunCode: the code must not run for now.
func Parked(cause error) error { return &parkedError{cause: cause} }

// refusedError is why an instance fails of which storage refuses to keep something.
type refusedError struct{ cause error }

func (r *refusedError) Error() string { return "storage refuses what it asked for: " + r.cause.Error() }

// park makes the row say why the instance does not go on, and puts the messages off.
func (in *Instance) park(ctx context.Context, cause *parkedError) {
	text := cause.Error()
	in.Log.Error("orchestration parked until other code comes", "instance", in.ID, "error", cause)
	if in.x == nil {
		in.become(in.unread(ctx))
	}
	name := ""
	if in.x.record.started != nil {
		name = in.x.record.started.Name
	}
	in.Parkings.note(in.ID, name, cause, in.Exec.Clock.Now())
	if in.x.id != "" {
		err := in.mergeRow(ctx, taskhub.Change{Parked: &text, Updated: in.Exec.Now()})
		if err != nil && !errors.Is(err, errAgain) {
			in.Exec.Failed(ctx, err)
		}
	}
	in.abandon(parkedDelay)
}

// unread is the execution of a history that cannot be read, as the sentinel names it,
// or where that cannot be read either, the instance row.
func (in *Instance) unread(ctx context.Context) *execution {
	if head, err := in.readHead(ctx); err == nil && head.ETag != "" {
		return in.newExecution(head, nil)
	}
	row, err := in.Row(ctx, in.ID)
	if err != nil || row.Status.Finished() {
		return in.nothing()
	}
	return in.newExecution(taskhub.Fence{ExecutionID: row.ExecutionID}, nil)
}

// maxRefusals is how many ways to end an instance are tried whose commits storage
// refuses: as failed, and as failed without the payloads of what it was sent.
const maxRefusals = 2

// refused fails an instance whose last turn storage refuses for good, and reports that
// the batch is to be looked at again: what it brought is part of the end. Where that
// is refused as well, the instance is parked.
func (in *Instance) refused(ctx context.Context, cause error) (again bool) {
	in.refusals++
	if in.x == nil || in.x.id == "" || in.refusals > maxRefusals {
		in.park(ctx, &parkedError{cause: &refusedError{cause}})
		return false
	}
	in.Log.Error("storage refuses a turn for good; the instance fails", "instance", in.ID, "error", cause)
	in.refusal = &refusedError{cause}
	if err := in.refresh(ctx); err != nil {
		return in.recover(ctx, err)
	}
	return true
}

// withoutPayloads are events without what storage may refuse.
func withoutPayloads(events []*history.Event) []*history.Event {
	out := make([]*history.Event, len(events))
	for i, e := range events {
		short := *e
		short.Input, short.Result, short.Reason, short.Tags = nil, nil, nil, nil
		out[i] = &short
	}
	return out
}
