package orchestration

import (
	"context"
	"slices"

	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/lease"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/tracing"
)

// drive makes sure that everything that the committed history asks for is done or on
// its way: it looks only at the state, so it is right after every load, delivery,
// commit and conflict. No other code repairs anything.
func (in *Instance) drive(ctx context.Context) error {
	in.tellJournal()
	if in.x.id == "" {
		in.custody.LetGo(in.isKept)
		return nil
	}
	if in.x.ended() {
		return in.finish(ctx)
	}
	if err := in.sendOffers(ctx); err != nil {
		return err
	}
	if err := in.dispatch(ctx); err != nil {
		return err
	}
	// What was spilled is recorded at once when it was much; a little rides with the
	// next commit.
	if in.x.draft.spilled && !in.custody.IsEmpty() && !in.throughQueue() {
		if err := in.commit(ctx); err != nil {
			return err
		}
	}
	return in.rest(ctx)
}

// dispatch starts the open actions that are this process's to start: those whose
// lease it holds, minus what runs already or is in a message of its own.
func (in *Instance) dispatch(ctx context.Context) error {
	in.adopt()
	in.late = nil
	open := in.x.eng.Outstanding()
	in.dropAbandoned(open)
	queue := in.throughQueue()
	var items, effects []*history.Event
	for _, e := range open {
		a := in.x.action(e)
		switch {
		case a == nil:
		case e.Type != history.TaskScheduled:
			if in.x.record.unsent[e.ID] && in.mine(a) != nil {
				effects = append(effects, e)
			}
		case a.run != nil || in.x.record.spilled[e.ID]:
		default:
			under := in.mine(a)
			if under == nil {
				continue
			}
			if queue && in.x.eng.Step(e.ID) == nil && in.fits(e.Input) == nil {
				items = append(items, e)
				continue
			}
			in.submit(a, e, under)
		}
	}
	in.x.eng.KeepOneWay(func(e *history.Event) bool {
		a := in.x.record.actions[e.ID]
		if a != nil && in.mine(a) != nil {
			effects = append(effects, e)
		}
		return a != nil || in.x.inDraft(e)
	})
	if err := in.sendItems(ctx, items, nil); err != nil {
		return err
	}
	return in.sendEffects(ctx, effects)
}

// mine is the lease under which an action was recorded, where this process holds it
// and is in time; nil otherwise. Where it is past its time, the message stays: this
// process does what the action asks for when it has renewed the lease, or else the one
// that gets the message.
func (in *Instance) mine(a *action) *lease.Lease {
	l := in.custody.Alive(a.lease)
	if l == nil && in.custody.Holds(a.lease) {
		if in.late == nil {
			in.late = map[string]bool{}
		}
		in.late[a.lease] = true
	}
	return l
}

// adopt puts open actions that have lost their lease under one that is held.
func (in *Instance) adopt() {
	if in.x.record.rewinds == nil {
		return
	}
	under := in.custody.Any(func(string) bool { return true })
	if under == nil {
		return
	}
	for _, a := range in.x.record.actions {
		if a.lease == "" {
			a.under(under.ID)
		}
	}
}

// dropAbandoned tells activities to stop that the orchestrator does not wait for any
// more, and takes the messages of such timers back.
func (in *Instance) dropAbandoned(open []*history.Event) {
	if r := in.x.record; len(open) == r.work+len(r.timers)+len(in.x.draft.actions) {
		return
	}
	waiting := make(map[int32]bool, len(open))
	for _, e := range open {
		waiting[e.ID] = true
	}
	for id, a := range in.x.record.actions {
		switch {
		case waiting[id] || isOneWay(a.event):
		case a.run != nil:
			a.cancel(activity.ErrAbandoned)
		case a.timer != nil:
			in.takeTimerBack(a)
		}
	}
}

// throughQueue reports whether the next step of the orchestration goes through the
// queues instead of running here.
func (in *Instance) throughQueue() bool {
	if in.ThroughQueue {
		return true
	}
	return in.Budget > 0 && !in.since.IsZero() && in.Exec.Clock.Now().Sub(in.since) > in.Budget
}

func (in *Instance) call(e *history.Event) *activity.Call {
	return &activity.Call{
		Name: e.Name, InstanceID: in.ID, ExecutionID: in.x.id, TaskID: e.ID,
		Input: e.Input, Options: e.Own.Options, Tags: e.Tags,
		IdempotencyKey: activity.IdempotencyKey(in.x.id, e.ID), Progress: in.Pool.NewProgress(in.ID), Trace: in.traceOf(e.ID),
	}
}

// submit runs an activity here.
func (in *Instance) submit(a *action, e *history.Event, under *lease.Lease) {
	r := &activity.Run{Call: in.call(e), Lease: under}
	if step := in.x.eng.Step(e.ID); step != nil {
		r.Step = func(ctx context.Context, call *activity.Call) (history.Payload, *history.FailureDetails) {
			return step(ctx, e, call.IdempotencyKey)
		}
	}
	work := in.messageID("task", e.ID)
	r.Finished = func(result *history.Event) { in.Host.Post(in.ID, &Result{Call: r.Call, Event: result, work: work}) }
	a.runs(r)
	if err := in.fits(e.Input); err != nil {
		in.Host.Post(in.ID, &Result{Call: r.Call, Event: in.Pool.InputTooLarge(r.Call, err), work: work})
		return
	}
	in.Pool.Submit(r)
}

// offer sends activities that this process will not begin soon to the queue of work
// items, where other processes find them.
func (in *Instance) offer(runs []*activity.Run) {
	for _, r := range runs {
		r.Cancel(activity.ErrLost) // this run; the call goes on
		a := in.x.record.actions[r.Call.TaskID]
		if a == nil || a.run != r {
			continue
		}
		a.runs(nil)
		in.offers = append(in.offers, a)
	}
}

// sendOffers sends what was offered, between commits and under leases that are in
// time. What cannot be sent now runs here.
func (in *Instance) sendOffers(ctx context.Context) error {
	offers := in.offers
	in.offers = nil
	if len(offers) == 0 || in.x.ended() || len(in.x.record.ranges(nil)) >= maxRanges {
		return nil
	}
	if err := in.showRunning(ctx); err != nil {
		return err
	}
	inputs := map[int32]*history.Event{}
	for _, e := range in.x.eng.Outstanding() {
		inputs[e.ID] = e
	}
	var events []*history.Event
	for _, a := range offers {
		if e := inputs[a.event.ID]; e != nil && in.x.record.actions[e.ID] == a && in.fits(e.Input) == nil {
			events = append(events, e)
		}
	}
	return in.sendItems(ctx, events, in.Pool.Offered)
}

// sendItems puts activities on their queues.
func (in *Instance) sendItems(ctx context.Context, events []*history.Event, sent func(*taskhub.Message, *taskhub.Lease)) error {
	if len(events) == 0 {
		return nil
	}
	done := make([]bool, len(events))
	err := in.Exec.Each(ctx, len(events), func(ctx context.Context, i int) error {
		e := events[i]
		if a := in.x.record.actions[e.ID]; a == nil || in.mine(a) == nil {
			return nil // its lease is over: another process has it
		}
		m := in.workItem(e)
		l, err := in.Send(ctx, in.WorkItems(e.Name), m, 0)
		if err == nil && sent != nil {
			sent(m, l)
		}
		done[i] = err == nil
		return err
	})
	for i, e := range events {
		if done[i] {
			in.x.record.spill(e.ID)
			in.x.draft.spills()
		}
	}
	return err
}

// workItem is the message that asks for an activity.
func (in *Instance) workItem(e *history.Event) *taskhub.Message {
	if t := in.traceOf(e.ID); t.Valid() {
		traced := *e
		traced.Trace, e = tracing.Wire(t), &traced
	}
	return &taskhub.Message{
		ID: in.messageID("task", e.ID), Event: e, Target: in.self(), Sender: in.self(), Tags: map[string]string{},
	}
}

// messageID is the logical id of a message that an action of the execution causes. A
// rewind makes it another one.
func (in *Instance) messageID(kind string, action int32) string {
	return taskhub.GUID(in.partsOf(kind, action)...)
}

// partsOf are what ids are made of that belong to an action.
func (in *Instance) partsOf(kind string, action int32) []string {
	parts := []string{kind, in.ID, in.x.id, itoa(action)}
	if n := in.x.record.redone(action); n > 0 {
		parts = append(parts, itoa(int32(n)))
	}
	return parts
}

// isGathered reports whether a message waits to be told, or for its time.
func (in *Instance) isGathered(id string) bool {
	early := func(m *Message) bool { return m.Lease.ID == id }
	return in.inbox.foreign.Has(id) || slices.ContainsFunc(in.inbox.early, early)
}

// rest lets go of the messages that nothing here depends on any more. What stays
// waits for activities that run here, or for more that is told.
func (in *Instance) rest(ctx context.Context) error {
	needed := map[string]bool{}
	for _, a := range in.x.record.actions {
		if a.run != nil {
			needed[a.lease] = true
		}
	}
	for _, a := range in.x.draft.actions {
		if a.run != nil {
			needed[a.lease] = true
		}
	}
	all := false
	if in.x.local > 0 {
		// What answers an open action is committed under the lease of one.
		l := in.custody.Any(in.x.record.open)
		if l == nil {
			l = in.custody.Any(func(string) bool { return true })
		}
		if all = l == nil; !all {
			needed[l.ID] = true
		}
	}
	if in.due || len(needed) == 0 {
		if err := in.showRunning(ctx); err != nil {
			return err
		}
	} else if in.mayBeOld() {
		in.dueIn(in.FirstTurn)
	}
	if len(in.late) > 0 {
		in.dueIn(second)
	}
	in.custody.LetGo(func(id string) bool { return all || needed[id] || in.late[id] || in.isKept(id) })
	return nil
}

// isKept reports whether a message stays although nothing is left to do for it: it is
// a wake-up that has not begun to be let go, or waits to be told.
func (in *Instance) isKept(id string) bool { return in.custody.Opened(id) || in.isGathered(id) }
