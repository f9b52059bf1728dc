package worker

import (
	"context"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// drive makes sure that everything that the committed history asks for is done
// or on its way: it looks only at the state, so it is right after every load,
// delivery, commit and conflict. No other code repairs anything.
func (in *instance) drive(ctx context.Context, due bool) error {
	in.tellJournal()
	if in.execution == "" {
		in.removeAll(ctx)
		return nil
	}
	if in.outcome != nil {
		return in.finish(ctx)
	}
	if err := in.dispatch(ctx); err != nil {
		return err
	}
	// What was spilled is recorded at once when it was much; a little rides with
	// the next commit.
	if in.unrecorded && len(in.held) > 0 && !in.throughQueue() {
		if err := in.commit(ctx); err != nil {
			return err
		}
	}
	return in.rest(ctx, due)
}

// finish shows the outcome and lets go of everything.
func (in *instance) finish(ctx context.Context) error {
	in.stopTimers()
	in.dropJobs(endedBy(in.outcome.Status))
	if err := in.dispatchMine(ctx); err != nil {
		return err
	}
	if err := in.learnRow(ctx); err != nil {
		return err
	}
	// The row is written last: where it shows the outcome all else is done, and
	// a late message is nothing to tell others about.
	if in.row.gone || !in.row.status.Finished() {
		if err := in.tellOutcome(ctx); err != nil {
			return err
		}
	}
	in.removeAll(ctx)
	return nil
}

// tellOutcome tells children, the parent and, in the row, everybody.
func (in *instance) tellOutcome(ctx context.Context) error {
	if err := in.terminateChildren(ctx); err != nil {
		return err
	}
	if err := in.tellParent(ctx); err != nil {
		return err
	}
	return in.showOutcome(ctx)
}

// dropJobs tells activities to stop whose results nobody wants any more.
func (in *instance) dropJobs(cause error) {
	for id, j := range in.jobs {
		j.cancel(cause)
		delete(in.jobs, id)
	}
}

// dispatch starts the open actions that are this process's to start: those
// whose lease it holds, minus what runs already or is in a message of its own.
func (in *instance) dispatch(ctx context.Context) error {
	queue := in.throughQueue()
	over := in.takeOverflow()
	var out []*history.Event
	in.adoptLost()
	open := in.eng.Outstanding()
	in.dropAbandoned(open)
	for _, e := range open {
		if e.Type != history.TaskScheduled || in.jobs[e.ID] != nil || in.isSpilled(e.ID) {
			continue
		}
		lease := in.held[in.under[e.ID]]
		if lease == nil || !lease.alive() {
			continue
		}
		if step := in.eng.Step(e.ID); step == nil && (queue || over[e.ID]) && in.w.fits(e.Input) == nil {
			out = append(out, e)
			continue
		}
		in.submit(e, lease)
	}
	if err := in.send(ctx, out); err != nil {
		return err
	}
	if err := in.dispatchTimers(ctx, open); err != nil {
		return err
	}
	if err := in.dispatchChildren(ctx, open); err != nil {
		return err
	}
	return in.dispatchOneWay(ctx)
}

// dropAbandoned tells activities to stop that the orchestrator does not wait
// for any more.
func (in *instance) dropAbandoned(open []*history.Event) {
	if len(in.jobs) == 0 {
		return
	}
	waiting := make(map[int32]bool, len(open))
	for _, e := range open {
		waiting[e.ID] = true
	}
	for id, j := range in.jobs {
		if !waiting[id] {
			j.cancel(ErrAbandoned)
			delete(in.jobs, id)
		}
	}
}

// throughQueue tells whether the next step of the orchestration goes through
// the queues instead of running here.
func (in *instance) throughQueue() bool {
	if in.w.Dispatch == Queue {
		return true
	}
	return in.w.Budget > 0 && !in.since.IsZero() && in.w.clock.Now().Sub(in.since) > in.w.Budget
}

// takeOverflow returns the actions that the pool has no room for.
func (in *instance) takeOverflow() map[int32]bool {
	if len(in.overflow) == 0 {
		return nil
	}
	over := make(map[int32]bool, len(in.overflow))
	for _, j := range in.overflow {
		if j.call.ExecutionID == in.execution {
			delete(in.jobs, j.call.TaskID)
			over[j.call.TaskID] = true
		}
	}
	in.overflow = nil
	return over
}

func (in *instance) call(e *history.Event) *Activity {
	return &Activity{
		Name: e.Name, InstanceID: in.id, ExecutionID: in.execution, TaskID: e.ID,
		Input: e.Input, Options: e.Own.Options, Tags: e.Tags,
		IdempotencyKey: idempotencyKey(in.execution, e.ID), Progress: Progress{w: in.w, instance: in.id},
	}
}

// submit runs an activity here.
func (in *instance) submit(e *history.Event, lease *held) {
	j := &job{call: in.call(e), lease: lease, owner: in}
	j.ctx, j.cancel = context.WithCancelCause(in.w.user)
	if step := in.eng.Step(e.ID); step != nil {
		j.step = func(ctx context.Context, call *Activity) (history.Payload, *history.FailureDetails) {
			return step(context.WithValue(ctx, callKey{}, call), e, call.IdempotencyKey)
		}
	}
	j.finished = func(result *history.Event) {
		in.w.post(in.id, &item{call: j.call, result: result})
	}
	in.jobs[e.ID] = j
	if err := in.w.fits(e.Input); err != nil {
		in.w.post(in.id, &item{call: j.call, result: in.w.inputTooLarge(j.call, err)})
		return
	}
	in.w.activities.submit(j)
}

// sendAtOnce bounds the requests of one orchestration at the same time.
const sendAtOnce = 8

// send puts activities on their queues.
func (in *instance) send(ctx context.Context, events []*history.Event) error {
	if len(events) == 0 {
		return nil
	}
	errs := make([]error, len(events))
	var group sync.WaitGroup
	gate := make(chan struct{}, sendAtOnce)
	for i, e := range events {
		gate <- struct{}{}
		group.Add(1)
		go func() {
			defer func() { <-gate; group.Done() }()
			errs[i] = in.w.sendMessage(ctx, in.w.WorkItems(e.Name), in.workItem(e), 0)
		}()
	}
	group.Wait()
	for i, e := range events {
		if errs[i] != nil {
			return errs[i]
		}
		in.addSpilled(e.ID)
	}
	in.unrecorded = true
	return nil
}

// workItem is the message that asks for an activity.
func (in *instance) workItem(e *history.Event) *taskhub.Message {
	self := history.InstanceRef{InstanceID: in.id, ExecutionID: in.execution}
	return &taskhub.Message{
		ID:     in.messageID("task", e.ID),
		Event:  e,
		Target: self,
		Sender: self,
		Tags:   map[string]string{},
	}
}

func (w *Worker) sendMessage(ctx context.Context, queue string, m *taskhub.Message, delay time.Duration) error {
	return w.retry(ctx, finalStorage, func(ctx context.Context) error {
		_, err := w.Store.Send(ctx, queue, m, delay)
		return err
	})
}

// rest lets go of the messages that nothing here depends on any more. What
// stays waits for activities that run here.
func (in *instance) rest(ctx context.Context, due bool) error {
	needed := map[string]bool{}
	for id := range in.jobs {
		needed[in.under[id]] = true
	}
	if in.local > 0 {
		if lease := in.primary(); lease != nil {
			needed[lease.id] = true
		}
	}
	for _, it := range in.early {
		needed[it.message.ID] = true
	}
	if due || len(needed) == 0 {
		if err := in.showRunning(ctx); err != nil {
			return err
		}
	} else if in.mayBeOld() {
		in.setAlarm(in.w.FirstTurn)
	}
	for id, h := range in.held {
		if !needed[id] {
			in.letGo(ctx, id, h)
		}
	}
	if len(in.early) > 0 && in.alarm == nil {
		in.setAlarm(in.lookAgain())
	}
	return nil
}

// spill takes jobs that the pool has no room for: their orchestrations send
// them to the queues, where other processes find them.
func (w *Worker) spill(jobs []*job) {
	byOwner := map[string][]*job{}
	for _, j := range jobs {
		byOwner[j.call.InstanceID] = append(byOwner[j.call.InstanceID], j)
	}
	for id, list := range byOwner {
		w.post(id, &item{spilled: list})
	}
}
