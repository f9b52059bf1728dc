package orchestration

import (
	"context"
	"strconv"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/tracing"
)

// sendEffects sends the messages of timers, children and events, several at the same
// time; those to one instance go one after the other, in the order in which the code
// asked for them.
func (in *Instance) sendEffects(ctx context.Context, effects []*history.Event) error {
	if len(effects) == 0 {
		return nil
	}
	groups := byTarget(effects)
	outcomes := make([][]outcome, len(groups))
	err := in.Exec.Each(ctx, len(groups), func(ctx context.Context, i int) (err error) {
		outcomes[i], err = in.sendGroup(ctx, groups[i])
		return err
	})
	for _, list := range outcomes {
		for _, o := range list {
			in.sent(o)
		}
	}
	return err
}

// byTarget groups effects: events to one instance together, everything else alone.
func byTarget(effects []*history.Event) (groups [][]*history.Event) {
	at := map[string]int{}
	for _, e := range effects {
		if e.Type == history.EventSent {
			if i, known := at[e.InstanceID]; known {
				groups[i] = append(groups[i], e)
				continue
			}
			at[e.InstanceID] = len(groups)
		}
		groups = append(groups, []*history.Event{e})
	}
	return groups
}

// outcome is what became of an effect.
type outcome struct {
	event *history.Event
	timer *timer
	// problem is why a child was not started; empty: it was.
	problem string
}

func (in *Instance) sendGroup(ctx context.Context, group []*history.Event) ([]outcome, error) {
	switch e := group[0]; e.Type {
	case history.TimerCreated:
		t, err := in.sendTimer(ctx, e)
		if err != nil {
			return nil, err
		}
		return []outcome{{event: e, timer: t}}, nil
	case history.SubOrchestrationInstanceCreated:
		problem, err := in.startChild(ctx, e)
		if err != nil {
			return nil, err
		}
		return []outcome{{event: e, problem: problem}}, nil
	}
	send := in.sendEvents
	if history.IsEntity(group[0].InstanceID) {
		send = in.tellEntity
	}
	if err := send(ctx, group); err != nil {
		return nil, err
	}
	done := make([]outcome, len(group))
	for i, e := range group {
		done[i].event = e
	}
	return done, nil
}

// sent takes note of an effect that is done.
func (in *Instance) sent(o outcome) {
	r := in.x.record
	a := r.actions[o.event.ID]
	r.markSent(o.event.ID)
	switch {
	case o.timer != nil && a != nil:
		a.waits(o.timer)
	case o.problem == "":
	case isOneWay(o.event) || in.x.ended():
		in.Log.Error("an orchestration was not started, and no other waits for it", "instance", in.ID, "child", o.event.InstanceID, "reason", o.problem)
	default:
		in.failChild(o.event, o.problem)
	}
}

// sendTimer puts the message of a timer on the queue, hidden until it is due, and sets
// the alarm. The wait is counted from the clock of the turn that asked for the timer,
// when that was just now: the clock of the process that made the turn before may be
// ahead of ours.
func (in *Instance) sendTimer(ctx context.Context, e *history.Event) (*timer, error) {
	m := &taskhub.Message{
		ID: in.messageID("timer", e.ID), Target: in.self(), Sender: in.self(),
		Event: &history.Event{Type: history.TimerFired, ID: history.NoID, TaskID: e.ID, FireAt: e.FireAt, Timestamp: e.FireAt},
	}
	now := in.Exec.Clock.Now()
	wait := max(e.FireAt.Sub(now), 0)
	if e.Timestamp.After(now) {
		wait = engine.Delay(e)
	}
	// A longer wait goes in hops: the message comes, is too early, and is sent again.
	l, err := in.Send(ctx, in.control(), m, min(wait, taskhub.MaxDelay))
	if err != nil {
		return nil, err
	}
	id, due := in.ID, *l
	return &timer{message: m.ID, lease: l, alarm: in.Exec.Clock.AfterFunc(wait, func() { in.timerDue(id, m, &due) })}, nil
}

// timerDue brings a timer's message to its orchestration before it comes through the
// queue. Where it has come already, nothing is lost.
func (v *Env) timerDue(id string, m *taskhub.Message, l *taskhub.Lease) {
	if !v.Local.Holds(id) {
		return
	}
	v.Exec.Go(func(ctx context.Context) {
		if err := v.Store.Renew(ctx, l, v.Keeper.Length); err == nil {
			v.Local.HandOver(taskhub.Delivery{Message: m, Lease: l}, nil)
		}
	})
}

// takeTimerBack removes the message of a timer that the orchestrator does not wait for
// any more. A message that is not removed is dropped when it comes.
func (in *Instance) takeTimerBack(a *action) {
	t := a.timer
	a.stop(nil)
	if !in.x.record.seen[t.message] {
		in.Exec.Go(func(ctx context.Context) { _ = in.Store.Remove(ctx, t.lease) })
	}
}

// sendEvents tells another instance events, in their order.
func (in *Instance) sendEvents(ctx context.Context, events []*history.Event) error {
	target := events[0].InstanceID
	var tellings []*taskhub.Telling
	for _, e := range events {
		if err := in.fits(e.Input); err != nil {
			in.Log.Error("an event to another instance is too large and was not sent", "instance", in.ID, "target", target, "error", err)
			continue
		}
		if in.Exec.Clock.Now().Sub(e.Timestamp) > taskhub.ReceiptsTold {
			in.Log.Error("an event to another instance was not repeated: it is so old that it may have been taken in before", "instance", in.ID, "target", target, "event", e.Name)
			continue
		}
		tellings = append(tellings, &taskhub.Telling{
			ID: in.messageID("event", e.ID), Sent: e.Timestamp, Sequence: int64(e.ID),
			Event: &history.Event{Type: history.EventRaised, ID: history.NoID, Name: e.Name, Input: e.Input, Timestamp: e.Timestamp, Trace: tracing.Wire(in.traceOf(e.ID))},
		})
	}
	for len(tellings) > 0 {
		n := min(len(tellings), maxTaken)
		// Any queue brings any message: whose instance it is is not known here.
		if err := in.Tell(ctx, in.Control, target, tellings[:n]...); err != nil {
			return in.refusedEvents(target, err)
		}
		tellings = tellings[n:]
	}
	return nil
}

// refusedEvents drops events that no inbox takes.
func (in *Instance) refusedEvents(target string, err error) error {
	if !isRefused(err) {
		return err
	}
	in.Log.Error("events to another instance were not sent: storage refuses them", "instance", in.ID, "target", target, "error", err)
	return nil
}

// control is the queue of the orchestration's own messages.
func (in *Instance) control() string {
	if started := in.x.record.started; started != nil {
		return in.ControlOf(started.Name)
	}
	return in.Control
}

func itoa(n int32) string { return strconv.Itoa(int(n)) }
