package orchestration

import (
	"context"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// heal makes open actions this process's to do that no process works on, as a wake-up
// asks. What has an answer meanwhile, or runs here, is left alone; so is everything
// where another process has gone on. The wake-up is the lease of the actions until
// they are done: where this process ends before that, it brings the next one here.
func (in *Instance) heal(ctx context.Context, m *Message, h *taskhub.Healing) error {
	if in.x.id == "" {
		return nil
	}
	if err := in.verify(ctx); err != nil {
		return err
	}
	if in.x.ended() {
		in.x.owes = in.x.owes || h.Owed
		return nil
	}
	for _, id := range h.Actions {
		a := in.x.record.actions[id]
		if a == nil || a.run != nil || in.mine(a) != nil {
			continue
		}
		a.under(m.Lease.ID)
		in.healAction(a)
	}
	return nil
}

// healAction forgets what the record says of how an action was sent.
func (in *Instance) healAction(a *action) {
	r, e := in.x.record, a.event
	switch {
	case e.Type == history.TaskScheduled:
		if r.unspill(e.ID) {
			in.x.draft.spills()
		}
	case e.Type == history.TimerCreated && !e.FireAt.After(in.Exec.Clock.Now()):
		in.fire(e)
	default:
		r.unsend(e.ID)
	}
}

// fire is the message of a timer that is due, for the execution in memory.
func (in *Instance) fire(e *history.Event) {
	fired := &history.Event{
		Type: history.TimerFired, ID: history.NoID, TaskID: e.ID, FireAt: e.FireAt, Timestamp: e.FireAt,
		Own: history.Own{Message: in.messageID("timer", e.ID)},
	}
	in.postLocal(fired)
}
