package reconcile

import (
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// sight is what is known of an unfinished instance.
type sight struct {
	now time.Time
	row *taskhub.Instance
	// head is the sentinel of its history, zero where there is none.
	head taskhub.Fence
	// since is when it was first seen as it is.
	since time.Time
	// patience is how long it must have been so.
	patience time.Duration
	// queued is when the first message of its queue was put there; zero: none waits.
	queued time.Time
}

// verdict is what is done about an instance.
type verdict int

const (
	// rest: nothing is wrong, as far as row and sentinel say.
	rest verdict = iota
	// wait: it is not known yet.
	wait
	// start: its start message is missing.
	start
	// finish: it has ended, and what its end owes is not done.
	finish
	// look: it waits for events; whether any are there says the inbox.
	look
	// inspect: it waits for more than events; the history says for what.
	inspect
)

// grace is how long after its time a timer may come.
const grace = 10 * time.Second

// judge decides by row and sentinel alone.
func judge(s sight) verdict {
	unchanged := s.now.Sub(s.since) >= s.patience
	none := s.head.ExecutionID == ""
	switch {
	case s.row.Err != nil, s.row.Purging:
		return rest
	case none && s.row.Scheduled.After(s.now.Add(-s.patience)):
		return rest
	case !unchanged, !s.queued.IsZero() && !s.queued.After(s.since):
		return wait
	case none && s.row.Status == history.Pending:
		return start
	case none:
		return rest // a history that is lost is no matter of messages
	case s.head.State.Ended:
		return finish
	case s.row.Parked != "":
		return look
	case s.head.State.Awaits.Work, isOver(s.head.State.Awaits.Until, s.now):
		return inspect
	}
	return look
}

func isOver(due, now time.Time) bool { return !due.IsZero() && due.Add(grace).Before(now) }

// missing is what of a history waits although no process works on the instance.
type missing struct {
	// again are actions to be done again: activities, and timers whose time has come.
	again []int32
	// unsure are messages to others that may not have been sent.
	unsure []int32
	// children are those whose end is not known.
	children []*history.Event
}

// find reads a history.
func find(h *taskhub.History, now time.Time) (m missing) {
	for _, e := range history.Open(h.Events) {
		oneWay := e.Type == history.EventSent || history.IsDetached(e)
		switch {
		case e.Type == history.TaskScheduled, e.Type == history.TimerCreated && isOver(e.FireAt, now):
			m.again = append(m.again, e.ID)
		case oneWay && e.ID >= h.Fence.State.Sent:
			m.unsure = append(m.unsure, e.ID)
		case e.Type == history.SubOrchestrationInstanceCreated && !oneWay:
			m.children = append(m.children, e)
		}
	}
	return m
}

// after is how long an instance that was looked at the given number of times, and
// rightly waits, is left alone.
func after(looks int) time.Duration { return min(time.Minute<<min(looks, 6), time.Hour) }
