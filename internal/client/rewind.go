package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// rewoundPrefix begins the reason of a history row that a rewind has changed, as
// the official tools write it.
const rewoundPrefix = "Rewound: "

// Rewind lets a failed instance go on where it failed: the failures that ended
// it are taken out of its history, in the form of the official tools, and what
// failed is done again. Failed children are rewound with it. An instance that
// has not failed is a *StateError (ErrNotFailed).
//
// A rewind that was cut off can be repeated.
func (c *Client) Rewind(ctx context.Context, id, reason string) error {
	row, err := c.store.Instance(ctx, id)
	if err != nil {
		return err
	}
	if row, err = c.settled(ctx, row); err != nil {
		return err
	}
	if row.Status != history.Failed {
		return stateError(row, "rewind", ErrNotFailed)
	}
	rw := &rewinding{c: c, visited: map[string]bool{}}
	if _, err := rw.histories(ctx, row); err != nil {
		return fmt.Errorf("rewinding instance %q: %w", id, err)
	}
	return rw.begin(ctx, reason)
}

// rewinding is one rewind on its way.
type rewinding struct {
	c       *Client
	visited map[string]bool
	// rows are the rewound instances, children before their parents; wake are
	// those that have something to do again themselves, ended the children whose
	// end the parent did not hear of.
	rows, wake []*taskhub.Instance
	ended      []*taskhub.Message
}

// histories rewinds the history of an instance, and then those of the children
// whose failure it was: a child that goes on may end at once, and its parent
// must be ready to hear of it. It reports whether anything is to be done again.
func (rw *rewinding) histories(ctx context.Context, row *taskhub.Instance) (again bool, err error) {
	if rw.visited[row.ID] {
		return false, nil
	}
	rw.visited[row.ID] = true
	loaded, err := rw.c.store.Load(ctx, row.ID, 0)
	if err != nil {
		return false, err
	}
	p := planRewind(loaded.Events)
	if err := rw.startAgain(ctx, row, p); err != nil {
		return false, err
	}
	if len(p.marks) > 0 {
		r := &taskhub.Rewind{InstanceID: row.ID, Fence: loaded.Fence, Nonce: taskhub.NewID(), Time: rw.c.now(), Marks: p.marks}
		if err := rw.c.rewindRows(ctx, r); err != nil {
			return false, err
		}
	}
	for _, e := range p.children {
		below, err := rw.child(ctx, row, e)
		if err != nil {
			return false, err
		}
		again = again || below
	}
	if p.own || !again {
		rw.wake = append(rw.wake, row)
	}
	rw.rows = append(rw.rows, row)
	return true, nil
}

// startAgain takes out failed children that are not there: they were never
// started, or have been purged. The parent asks for them again.
func (rw *rewinding) startAgain(ctx context.Context, parent *taskhub.Instance, p *rewindPlan) error {
	there := p.children[:0]
	for _, e := range p.children {
		mark, failed := p.failed[e.ID]
		if failed {
			child, err := rw.c.child(ctx, parent.ID, e)
			if err != nil {
				return err
			}
			if child == nil {
				p.marks[mark].Generic, p.own = true, true
				continue
			}
		}
		there = append(there, e)
	}
	p.children = there
	return nil
}

// child rewinds a failed child. One that has completed since is reported to its
// parent once more: the first report came to a parent that had failed.
func (rw *rewinding) child(ctx context.Context, parent *taskhub.Instance, e *history.Event) (again bool, err error) {
	child, err := rw.c.child(ctx, parent.ID, e)
	if err == nil && child != nil && !child.Status.Finished() {
		child, err = rw.c.ahead(ctx, child)
	}
	switch {
	case err != nil, child == nil:
		return false, err
	case child.Status == history.Failed:
		return rw.histories(ctx, child)
	case !child.Status.Finished():
		return true, nil
	}
	end := &history.Event{
		Type: history.SubOrchestrationInstanceCompleted, ID: history.NoID, TaskID: e.ID, Timestamp: rw.c.now(), Result: child.Output,
	}
	if child.Status != history.Completed {
		end.Type, end.Result, end.Reason = history.SubOrchestrationInstanceFailed, nil, history.Payload(history.PlainReason(child.Output))
	}
	rw.ended = append(rw.ended, &taskhub.Message{
		ID: taskhub.NewGUID(), Event: end,
		Target: history.InstanceRef{InstanceID: parent.ID, ExecutionID: parent.ExecutionID},
		Sender: history.InstanceRef{InstanceID: child.ID, ExecutionID: child.ExecutionID},
	})
	return true, nil
}

// ahead is a row with the end that the history has: the row is written after the
// history, so a process that died in between leaves it behind, after the parent
// has heard of the end.
func (c *Client) ahead(ctx context.Context, row *taskhub.Instance) (*taskhub.Instance, error) {
	loaded, err := c.store.Load(ctx, row.ID, 0)
	if err != nil {
		return nil, err
	}
	for _, e := range loaded.Events {
		if e.Type == history.ExecutionCompleted {
			ended := *row
			ended.Status, ended.Output = e.Status, e.Result
			return &ended, nil
		}
	}
	return row, nil
}

// begin lets the instances go on. The row of the instance is last: as long as it
// says Failed, the rewind can be repeated.
func (rw *rewinding) begin(ctx context.Context, reason string) error {
	for _, row := range rw.wake {
		e := &history.Event{Type: history.GenericEvent, Reason: history.Payload(reason)}
		e.ID, e.Timestamp = history.NoID, rw.c.now()
		m := &taskhub.Message{ID: taskhub.NewGUID(), Event: e, Target: history.InstanceRef{InstanceID: row.ID, ExecutionID: row.ExecutionID}}
		if err := rw.c.send(ctx, row, m); err != nil {
			return fmt.Errorf("sending %s to instance %q: %w", e.Type, row.ID, err)
		}
	}
	for _, m := range rw.ended {
		if _, err := rw.c.sendMessage(ctx, rw.c.o.Queue, m, 0); err != nil {
			return err
		}
	}
	for _, row := range rw.rows {
		if err := rw.c.showPending(ctx, row); err != nil {
			return err
		}
	}
	return nil
}

// rewindRows changes the rows. An unknown outcome is asked for again: the nonce
// tells whether it was ours.
func (c *Client) rewindRows(ctx context.Context, r *taskhub.Rewind) error {
	var err error
	for range 3 {
		if _, err = c.store.Rewind(ctx, r); err == nil || final(err) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

func final(err error) bool {
	return errors.Is(err, taskhub.ErrConflict) || errors.Is(err, taskhub.ErrGone) || errors.Is(err, taskhub.ErrFormat)
}

// rewindPlan is what a rewind does to a history.
type rewindPlan struct {
	marks []taskhub.Mark
	// children are those that have failed, or whose end is not known; own says
	// that other things are to be done again, too.
	children []*history.Event
	own      bool
	// failed are the marks of the children whose failures are taken out, by the
	// ids of their actions.
	failed map[int32]int
}

// planRewind finds the failures that ended an execution: those after which the
// code has asked for nothing more. What it asked for after an earlier failure
// depends on that one. Where there are none, they are the failures that the
// error of the execution repeats: the code has cleaned up before it failed with
// them; of a call that was tried several times, the last. What had no result yet
// is done again as well: results that came after the end were dropped.
func planRewind(events []*history.Event) *rewindPlan {
	p := &rewindPlan{failed: map[int32]int{}}
	asked, open, last, end := map[int32]int{}, map[int32]int{}, 0, -1
	for i, e := range events {
		switch e.Type {
		case history.TaskScheduled, history.SubOrchestrationInstanceCreated, history.TimerCreated:
			asked[e.ID], open[e.ID], last = i, i, i
		case history.EventSent:
			last = i
		case history.TaskCompleted, history.TimerFired, history.SubOrchestrationInstanceCompleted,
			history.TaskFailed, history.SubOrchestrationInstanceFailed:
			delete(open, e.TaskID)
		case history.ExecutionCompleted:
			end = i
		}
	}
	if end < 0 {
		// Rewound before: what is left is to find the children again.
		p.rewoundChildren(events)
		return p
	}
	failures := failuresOf(events, func(i int, _ *history.Event) bool { return i > last })
	if len(failures) == 0 {
		failures = failuresOf(events, func(_ int, e *history.Event) bool { return repeats(events[end].Failure, e.Failure) })
		failures = callsOf(events).lastTries(failures)
	}
	closed := map[int32]bool{}
	for _, i := range failures {
		closed[events[i].TaskID] = true
		p.mark(i, events[i], true)
		open[events[i].TaskID] = asked[events[i].TaskID]
	}
	for _, at := range slices.Sorted(maps.Values(open)) {
		e := events[at]
		if e.Type == history.SubOrchestrationInstanceCreated {
			if closed[e.ID] {
				p.failed[e.ID] = len(p.marks)
			}
			p.children = append(p.children, e)
			p.mark(at, e, false)
			continue
		}
		p.own = true
		p.mark(at, e, true)
	}
	p.mark(end, events[end], true)
	return p
}

// failuresOf are the positions of some of the failures in a history.
func failuresOf(events []*history.Event, which func(int, *history.Event) bool) (out []int) {
	for i, e := range events {
		if (e.Type == history.TaskFailed || e.Type == history.SubOrchestrationInstanceFailed) && which(i, e) {
			out = append(out, i)
		}
	}
	return out
}

// repeats reports whether an error has another one as its cause, or is it.
func repeats(err, cause *history.FailureDetails) bool {
	for ; err != nil && cause != nil; err = err.Inner {
		if err.ErrorType == cause.ErrorType && err.ErrorMessage == cause.ErrorMessage {
			return true
		}
	}
	return false
}

// ownReasons are those of actions that are asked for again.
var ownReasons = []string{
	rewoundPrefix + history.TaskScheduled.String(), rewoundPrefix + history.SubOrchestrationInstanceCreated.String(),
}

func (p *rewindPlan) rewoundChildren(events []*history.Event) {
	for _, e := range events {
		if e.Type == history.SubOrchestrationInstanceCreated && string(e.Reason) == rewoundPrefix+e.Type.String() {
			p.children = append(p.children, e)
		}
		p.own = p.own || e.Type == history.GenericEvent && slices.Contains(ownReasons, string(e.Reason))
	}
}

func (p *rewindPlan) mark(at int, e *history.Event, generic bool) {
	p.marks = append(p.marks, taskhub.Mark{Event: at, Generic: generic, Reason: rewoundPrefix + e.Type.String()})
}

// showPending makes the row say that the instance waits to go on, unless a worker has
// gone on with it already. One that had not got the answer may write the old end once
// more meanwhile: whether an end that the row shows is the old one the sentinel says.
func (c *Client) showPending(ctx context.Context, row *taskhub.Instance) error {
	pending := history.Pending
	for {
		_, err := c.store.Merge(ctx, row.ID, taskhub.Change{ETag: row.ETag, Status: &pending, Updated: c.now()})
		if !errors.Is(err, taskhub.ErrChanged) {
			return unless(err, taskhub.ErrNotFound)
		}
		now, err := c.store.Instance(ctx, row.ID)
		if err != nil {
			return unless(err, taskhub.ErrNotFound)
		}
		if now.ExecutionID != row.ExecutionID || now.Status != history.Failed {
			return nil
		}
		head, err := c.store.Head(ctx, row.ID)
		if err != nil || head.State.Ended || head.ExecutionID != row.ExecutionID {
			return err
		}
		row = now
	}
}

// unless is the error, or nil where it is the one that does not matter.
func unless(err, harmless error) error {
	if errors.Is(err, harmless) {
		return nil
	}
	return err
}
