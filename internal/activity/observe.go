package activity

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/tracing"
)

// observe begins the span of a run. That of a Step is written with the commit of its
// result.
func (p *Pool) observe(ctx context.Context, r *Run) (_ context.Context, ended func(*history.FailureDetails)) {
	if p.Observer == nil {
		return ctx, func(*history.FailureDetails) {}
	}
	call := r.Call
	s := &observe.Span{
		Kind: observe.Activity, Role: observe.Serves, Name: call.Name, InstanceID: call.InstanceID, ExecutionID: call.ExecutionID,
		TaskID: call.TaskID, Attempt: attemptOf(call.Options), Trace: call.Trace, Start: p.Exec.Now(),
	}
	if r.Step != nil {
		s.Kind, s.ID = observe.Step, call.Trace.SpanID()
	}
	p.mu.Lock()
	s.Asked = r.queued.UTC()
	p.mu.Unlock()
	ctx, end := p.Observer.Begin(ctx, s)
	return ctx, func(failure *history.FailureDetails) {
		s.End = p.Exec.Now()
		if failure != nil {
			s.Failure = tracing.Failure(failure, fmt.Sprintf("Activity function '%s' failed: %s", call.Name, failure.ErrorMessage))
		}
		end()
	}
}

// attemptOf is the number of a run under a retry policy, which package durable keeps
// with a call from the second on.
func attemptOf(options history.Payload) int {
	kept := struct {
		Attempt int `json:"attempt"`
	}{Attempt: 1}
	if options != nil {
		_ = json.Unmarshal(options, &kept) // what another version wrote there counts as the first
	}
	return max(kept.Attempt, 1)
}
