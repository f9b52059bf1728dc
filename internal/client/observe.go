package client

import (
	"context"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/tracing"
)

// begin begins a span of something that the client sends.
func (c *Client) begin(ctx context.Context, s *observe.Span) (context.Context, func(*observe.Failure)) {
	s.TaskID, s.Start = observe.NoTask, c.now()
	ctx, end := c.o.Observer.Begin(ctx, s)
	return ctx, func(failure *observe.Failure) {
		s.End, s.Failure = c.now(), failure
		end()
	}
}

func failed(err error) *observe.Failure {
	if err == nil {
		return nil
	}
	return &observe.Failure{Type: "error", Message: err.Error()}
}

// observeStart puts the trace context into a start. ended takes what became of it.
func (c *Client) observeStart(ctx context.Context, s *start) (_ context.Context, ended func(*taskhub.Instance, error)) {
	if c.o.Observer == nil {
		return ctx, func(*taskhub.Instance, error) {}
	}
	row := s.row
	span := &observe.Span{
		Kind: observe.Orchestration, Role: observe.Sends, Name: row.Name, Version: row.Version, InstanceID: row.ID, ExecutionID: row.ExecutionID, Scheduled: row.Scheduled,
	}
	ctx, end := c.begin(ctx, span)
	s.msg.Event.Trace = tracing.Wire(span.Own)
	return ctx, func(started *taskhub.Instance, err error) {
		switch {
		case err != nil:
		case started.ExecutionID != row.ExecutionID:
			span.Status = "existing"
		case started.Generation != nil && *started.Generation > 0:
			span.Status = "replaced"
		default:
			span.Status = "created"
		}
		end(failed(err))
	}
}

// observeRaise puts the trace context into an event.
func (c *Client) observeRaise(ctx context.Context, instance string, e *history.Event) (_ context.Context, ended func(error)) {
	if c.o.Observer == nil {
		return ctx, func(error) {}
	}
	span := &observe.Span{Kind: observe.Event, Role: observe.Sends, Name: e.Name, TargetID: instance}
	ctx, end := c.begin(ctx, span)
	e.Trace = tracing.Wire(span.Own)
	return ctx, func(err error) { end(failed(err)) }
}

// observeSignals puts the trace contexts into signals to one entity.
func (c *Client) observeSignals(ctx context.Context, id history.EntityID, tellings []*taskhub.Telling) (ended func(error)) {
	if c.o.Observer == nil {
		return func(error) {}
	}
	ends := make([]func(*observe.Failure), len(tellings))
	for i, t := range tellings {
		span := &observe.Span{Kind: observe.Entity, Role: observe.Sends, Name: id.Name, TargetID: id.String(), Scheduled: t.Due}
		if r, err := history.DecodeEntityRequest(t.Event.Input); err == nil {
			span.Operation = r.Operation
		}
		_, ends[i] = c.begin(ctx, span)
		t.Event.Trace = tracing.Wire(span.Own)
	}
	return func(err error) {
		for _, end := range ends {
			end(failed(err))
		}
	}
}

// observeCall puts the trace context into the call of an entity.
func (c *Client) observeCall(ctx context.Context, r *EntityRequest, t *taskhub.Telling) (_ context.Context, ended func(*history.EntityAnswer, error)) {
	if c.o.Observer == nil {
		return ctx, func(*history.EntityAnswer, error) {}
	}
	span := &observe.Span{Kind: observe.Entity, Role: observe.Calls, Name: r.Entity.Name, Operation: r.Operation, TargetID: r.Entity.String()}
	ctx, end := c.begin(ctx, span)
	t.Event.Trace = tracing.Wire(span.Own)
	return ctx, func(answer *history.EntityAnswer, err error) {
		failure := failed(err)
		if err == nil {
			failure = tracing.Failure(answer.Failure, "")
		}
		end(failure)
	}
}
