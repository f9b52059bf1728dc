package activity

import (
	"context"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/lease"
)

// Run is one run of an activity in this process.
type Run struct {
	Call *Call
	// Lease is the message under which the activity runs: the one that its
	// orchestration holds, or the work item itself.
	Lease *lease.Lease
	// Step is the code of an activity that has no name of its own; nil for all
	// others.
	Step Func
	// Item means that the run was asked for by a message of its own, not by an
	// orchestration in this process.
	Item bool
	// Asked is when the orchestration asked for it; set where Item is.
	Asked time.Time
	// Started is called once the run has a slot; it may be nil.
	Started func()
	// Finished takes the event that reports the end, TaskCompleted or TaskFailed;
	// nil when the run was given up.
	Finished func(*history.Event)

	// ctx is what the activity runs in; cancel tells it to stop, and why.
	ctx    context.Context
	cancel context.CancelCauseFunc
	// queued and began are when the run came and got its slot; cap is the bound of
	// its activity, usually nil. All three are guarded by the pool's lock; began does
	// not change once the run has its slot.
	queued, began time.Time
	cap           *bound
}

// Cancel tells the activity to stop, and why; nil: it goes on. Where it has not begun
// it will not.
func (r *Run) Cancel(cause error) {
	if r.cancel != nil && cause != nil {
		r.cancel(cause)
	}
}

// Cause is why the activity was told to stop, nil while it was not.
func (r *Run) Cause() error { return context.Cause(r.ctx) }

// execute runs one activity and returns the event that reports its end, or nil
// when it was given up.
func (p *Pool) execute(r *Run) *history.Event {
	ctx := r.ctx
	if p.waitedLong(r) {
		r.Cancel(p.unwanted(ctx, r.Call))
	}
	if !r.Lease.Alive() || ctx.Err() != nil {
		return nil
	}
	code, err := r.Step, error(nil)
	if code == nil {
		code, err = p.Activities(r.Call.Name)
	}
	if err != nil {
		return p.failed(r.Call, &history.FailureDetails{ErrorType: "UnknownActivity", ErrorMessage: err.Error(), NonRetriable: true}, err.Error())
	}
	deliveries := 0
	if r.Item {
		deliveries = r.Lease.Deliveries()
	}
	running, err := p.Journal.Begin(ctx, r.Call.Code(), deliveries)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return p.failed(r.Call, Exited(err), "")
	}
	defer running.Return(false)
	result := p.call(ctx, r, code)
	if result != nil {
		result.Own.Options = history.BeganOptions(r.began)
	}
	return result
}

// waitedLong reports whether a work item has waited so long for its turn that its
// orchestration may have ended. Others cost no request.
func (p *Pool) waitedLong(r *Run) bool {
	return r.Item && r.Lease.Alive() && p.Exec.Clock.Now().Sub(r.Asked) >= p.Keeper.Length
}

// call runs the code on a goroutine whose loss it notices: user code may call
// runtime.Goexit.
func (p *Pool) call(ctx context.Context, r *Run, code Func) *history.Event {
	var result history.Payload
	failure := &history.FailureDetails{ErrorType: "Goexit", ErrorMessage: "the activity ended its goroutine with runtime.Goexit"}
	done := make(chan struct{})
	within, ended := p.observe(ctx, r)
	go func() {
		defer close(done)
		result, failure = code(within, r.Call)
	}()
	select {
	case <-done:
	case <-r.Lease.Lost():
		r.cancel(ErrLost)
		<-done
	}
	ended(failure)
	dropped := unwanted(context.Cause(ctx))
	r.Call.Progress.end(p.Exec.Context(), failure == nil || dropped)
	if dropped {
		r.Call.Progress.Settled(&history.Event{})
	}
	switch {
	case failure == nil:
		return p.completed(r.Call, result)
	case ctx.Err() != nil:
		// The activity was told to stop: who holds its message next runs it again.
		return nil
	default:
		return p.failed(r.Call, failure, "")
	}
}
