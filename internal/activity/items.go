package activity

import (
	"context"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/lease"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/tracing"
)

// Item runs an activity that came through a queue. Started, when not nil, is
// called once it has a slot.
func (p *Pool) Item(ctx context.Context, d taskhub.Delivery, l *lease.Lease, started func()) {
	p.cameBack(d.Message.ID)
	if _, err := p.Activities(d.Message.Event.Name); err != nil && lease.MayBeKnownElsewhere(p.Exec.Clock.Now(), d) {
		p.Log.Warn("activity is unknown here and put off", "activity", d.Message.Event.Name, "instance", d.Message.Target.InstanceID)
		l.GiveBack(lease.UnknownDelay)
		return
	}
	if (d.Dequeued > 1 || p.putLate(d)) && p.answered(ctx, d.Message) {
		l.Remove()
		return
	}
	p.item(d, l, started)
}

// putLate reports whether a work item came to its queue so long after it was asked for
// that another process may have gone on: the one that sent it may have been stopped
// after it had looked at its lease.
func (p *Pool) putLate(d taskhub.Delivery) bool {
	return !d.Inserted.IsZero() && d.Inserted.Sub(d.Message.Event.Timestamp) >= p.Keeper.Length
}

func (p *Pool) item(d taskhub.Delivery, l *lease.Lease, started func()) {
	m := d.Message
	if !p.mine(m.ID, m.Target.InstanceID, l) {
		return
	}
	r := &Run{Lease: l, Item: true, Asked: m.Event.Timestamp, Started: started, Call: &Call{
		Name: m.Event.Name, InstanceID: m.Target.InstanceID, ExecutionID: m.Target.ExecutionID, TaskID: m.Event.ID,
		Input: m.Event.Input, Options: m.Event.Own.Options, Tags: m.Event.Tags,
		IdempotencyKey: IdempotencyKey(m.Target.ExecutionID, m.Event.ID), Progress: p.NewProgress(m.Target.InstanceID),
		Trace: tracing.Of(m.Event.Trace),
	}}
	r.Finished = func(result *history.Event) { p.report(r, result) }
	p.Submit(r)
}

// mine reports whether a work item is new here. One that runs already gets the
// newer pop receipt; a second message for the same work is removed.
func (p *Pool) mine(id, instance string, l *lease.Lease) bool {
	running, ended := p.items.enter(id, item{lease: l, instance: instance})
	switch {
	case running != nil:
		running.Absorb(l)
	case ended:
		l.Remove()
	default:
		return true
	}
	return false
}

// answered reports whether a redelivered work item is of no use any more: its
// result is in the history, or its execution has ended. The sentinel and the row of
// a result are asked, not the history.
func (p *Pool) answered(ctx context.Context, m *taskhub.Message) bool {
	head, err := p.Store.Head(ctx, m.Target.InstanceID)
	switch {
	case err != nil:
		return false
	case head.ExecutionID != m.Target.ExecutionID:
		return head.ETag != ""
	case head.State.Ended:
		return true
	}
	answered, err := p.Store.Answered(ctx, m.Target.InstanceID, m.Event.ID)
	return err == nil && answered
}

// report brings the result of a work item to its orchestration: directly when that
// is worked on here, else by message.
func (p *Pool) report(r *Run, result *history.Event) {
	switch {
	case result == nil && unwanted(r.Cause()):
		p.Done(r.Lease)
	case result == nil:
		p.GivenUp(r.Lease, 0)
	case p.Deliver(r.Call, result, r.Lease):
	default:
		p.SendResult(r.Call, result, r.Lease)
	}
}

// SendResult sends the result of a work item to its orchestration and removes the
// work item. It does not wait for either.
func (p *Pool) SendResult(call *Call, result *history.Event, carrier *lease.Lease) {
	p.Exec.Go(func(ctx context.Context) {
		err := p.Exec.Do(ctx, func(ctx context.Context) error {
			_, err := p.Store.Send(ctx, p.Control, resultMessage(call, result, carrier.ID), 0)
			return err
		})
		if err != nil {
			p.Log.Error("result of an activity could not be sent; the activity runs again", "activity", call.Name, "instance", call.InstanceID, "error", err)
			p.GivenUp(carrier, 0)
			return
		}
		p.Journal.Stored(call.Code())
		p.Journal.Settle(call.Code())
		call.Progress.Settled(result)
		p.Done(carrier)
	})
}

// Done removes a work item whose result is durable, or is not wanted.
func (p *Pool) Done(carrier *lease.Lease) {
	p.items.leave(carrier.ID, true)
	carrier.Remove()
}

// GivenUp gives a work item back whose result is not durable.
func (p *Pool) GivenUp(carrier *lease.Lease, delay time.Duration) {
	p.items.leave(carrier.ID, false)
	carrier.GiveBack(delay)
}

// Release gives back the work items that a process which stops leaves behind.
func (p *Pool) Release(ctx context.Context) {
	for _, l := range p.items.held() {
		l.Release(ctx)
	}
}

// Forget drops the work items as the end of the process does.
func (p *Pool) Forget() {
	for _, l := range p.items.held() {
		l.Drop()
	}
}

// ResultID is the logical id of the message with the result of a work item.
func ResultID(instance, execution, workItem string) string {
	return taskhub.GUID("result", instance, execution, workItem)
}

// resultMessage reports the end of an activity that a work item asked for. A work
// item has one result, however often it is run.
func resultMessage(call *Call, result *history.Event, workItem string) *taskhub.Message {
	target := history.InstanceRef{InstanceID: call.InstanceID, ExecutionID: call.ExecutionID}
	return &taskhub.Message{
		ID:     ResultID(call.InstanceID, call.ExecutionID, workItem),
		Event:  result,
		Target: target,
		Sender: target,
	}
}

// recentItems is how many work items are remembered after their end.
const recentItems = 10_000

// item is a work item that this process holds, for an orchestration.
type item struct {
	lease    *lease.Lease
	instance string
}

// items are the work items of this process, by logical id: one that comes again
// while it runs, or after it has ended here, is not run again.
type items struct {
	mu      sync.Mutex // guards the rest
	running map[string]item
	recent  map[string]bool
	order   []string
}

// enter notes a work item. It returns the lease of the one that runs already, and
// whether the item has ended here; the caller runs it only when neither.
func (w *items) enter(id string, it item) (running *lease.Lease, ended bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running == nil {
		w.running, w.recent = map[string]item{}, map[string]bool{}
	}
	if w.recent[id] {
		return nil, true
	}
	if running, ok := w.running[id]; ok {
		return running.lease, false
	}
	w.running[id] = it
	return nil, false
}

// leave notes the end of a work item. done means that its result is durable.
func (w *items) leave(id string, done bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.running, id)
	if !done || w.recent[id] || w.recent == nil {
		return
	}
	w.recent[id] = true
	w.order = append(w.order, id)
	if len(w.order) > recentItems {
		delete(w.recent, w.order[0])
		w.order = w.order[1:]
	}
}

func (w *items) held() (out []*lease.Lease) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, it := range w.running {
		out = append(out, it.lease)
	}
	clear(w.running)
	return out
}

// Instances are the orchestrations whose work items are held here.
func (p *Pool) Instances() (ids []string) {
	p.items.mu.Lock()
	defer p.items.mu.Unlock()
	for _, it := range p.items.running {
		ids = append(ids, it.instance)
	}
	return ids
}
