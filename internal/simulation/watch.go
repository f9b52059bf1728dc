package simulation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/activity"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// watch is the hub with an eye on what is committed to it.
type watch struct {
	hub
	trace *trace

	mu  sync.Mutex // guards the rest
	ids map[string]bool
	// nonces are those of the commits that were made.
	nonces map[string]bool
	told   map[string]bool // events that are history, by execution and telling
	ended  map[string]bool // actions that have an end, by execution and id
	// first are the actions of first turns. Two start messages of one start may bring
	// two processes to them before either has committed.
	first map[string]bool
	// again are executions that were rewound: what has an end there may begin anew.
	again map[string]bool
	// put are the messages that were put, by id; twice are the instances to which one
	// was put again: its copies may be worked on in two processes at once.
	put, twice map[string]bool
	// bank keeps the books where the program is one; nil: it is none.
	bank  *ledger
	wrong []error
}

func newWatch(h hub, t *trace) *watch {
	return &watch{hub: h, trace: t, ids: map[string]bool{}, nonces: map[string]bool{}, first: map[string]bool{}, told: map[string]bool{}, ended: map[string]bool{}, again: map[string]bool{}, put: map[string]bool{}, twice: map[string]bool{}}
}

// maxWrong is how many violations are noted.
const maxWrong = 5

// violated notes what is wrong. The caller holds the lock.
func (w *watch) violated(format string, args ...any) {
	if len(w.wrong) < maxWrong {
		w.wrong = append(w.wrong, fmt.Errorf(format, args...))
	}
}

func actionOf(execution string, task int32) string { return fmt.Sprint(execution, " ", task) }

// Send puts a message.
func (w *watch) Send(ctx context.Context, queue string, m *taskhub.Message, delay time.Duration) (lease *taskhub.Lease, err error) {
	defer func() {
		if err == nil {
			w.trace.add("  %s: %v %s to %s", lease.MessageID, m.Event.Type, m.ID, m.Target.InstanceID)
		}
	}()
	w.mu.Lock()
	w.twice[m.Target.InstanceID] = w.twice[m.Target.InstanceID] || w.put[m.ID]
	w.put[m.ID] = true
	w.mu.Unlock()
	return w.hub.Send(ctx, queue, m, delay)
}

// Receive takes messages.
func (w *watch) Receive(ctx context.Context, queue string, most int, hide time.Duration) ([]taskhub.Delivery, error) {
	batch, err := w.hub.Receive(ctx, queue, most, hide)
	for _, d := range batch {
		w.trace.add("  %s: delivered, time %d, for %v", d.Lease.MessageID, d.Dequeued, hide)
	}
	return batch, err
}

// Renew hides a message for another time.
func (w *watch) Renew(ctx context.Context, l *taskhub.Lease, hide time.Duration) error {
	err := w.hub.Renew(ctx, l, hide)
	w.trace.add("  %s: hidden for %v: %v", l.MessageID, hide, err)
	return err
}

// Commit appends to a history.
func (w *watch) Commit(ctx context.Context, c *taskhub.Commit) (taskhub.Fence, error) {
	fence, err := w.hub.Commit(ctx, c)
	if err == nil {
		w.committed(c)
	}
	return fence, err
}

func (w *watch) committed(c *taskhub.Commit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids[c.InstanceID] = true
	if w.nonces[c.Nonce] {
		return // the same commit, whose first answer was lost
	}
	w.nonces[c.Nonce] = true
	w.trace.add("  %s", summary(c))
	if w.bank != nil && history.IsEntity(c.InstanceID) {
		if err := w.bank.committed(c); err != nil {
			w.violated("%w", err)
		}
	}
	first := slices.ContainsFunc(c.Events, func(e *history.Event) bool { return e.Type == history.ExecutionStarted })
	for _, e := range c.Events {
		switch e.Type {
		case history.TaskScheduled:
			w.first[actionOf(c.ExecutionID, e.ID)] = first
		case history.EventRaised:
			once(w, w.told, c.ExecutionID+" "+e.Own.Message, e.Own.Message == "", "event %s %s of %s", e.Name, e.Own.Message, c.InstanceID)
		case history.TaskCompleted, history.TaskFailed, history.TimerFired,
			history.SubOrchestrationInstanceCompleted, history.SubOrchestrationInstanceFailed:
			once(w, w.ended, actionOf(c.ExecutionID, e.TaskID), w.again[c.ExecutionID], "%v of action %d of %s", e.Type, e.TaskID, c.InstanceID)
		}
	}
}

// once notes what must be committed once. The caller holds the lock.
func once(w *watch, seen map[string]bool, key string, free bool, format string, args ...any) {
	if seen[key] && !free {
		w.violated("committed twice: "+format, args...)
	}
	seen[key] = true
}

// Rewind changes a history.
func (w *watch) Rewind(ctx context.Context, r *taskhub.Rewind) (taskhub.Fence, error) {
	w.mu.Lock()
	w.again[r.Fence.ExecutionID] = true
	w.mu.Unlock()
	return w.hub.Rewind(ctx, r)
}

// begins notes that an activity begins.
func (w *watch) begins(call *activity.Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if action := actionOf(call.ExecutionID, call.TaskID); w.ended[action] && !w.first[action] && !w.again[call.ExecutionID] && !w.twice[call.InstanceID] {
		w.trace.add("  action %d of %s begins again", call.TaskID, call.InstanceID)
		w.violated("activity %s, action %d of %s, begins after its end is history", call.Name, call.TaskID, call.InstanceID)
	}
}

// end is what is wrong when all is over.
func (w *watch) end(queues []string) []error {
	w.mu.Lock()
	defer w.mu.Unlock()
	ctx := context.Background()
	for _, queue := range queues {
		if n := w.Pending(queue); n > 0 {
			w.violated("%d messages are left in %s: %s", n, queue, shown(w.Messages(queue)))
		}
	}
	rows, err := w.rows(ctx)
	if err != nil {
		return append(w.wrong, err)
	}
	for _, row := range rows {
		w.ids[row.ID] = true
		head, err := w.Head(ctx, row.ID)
		switch {
		case err != nil:
			w.violated("instance %s: %v", row.ID, err)
		case !row.Status.Finished():
			w.violated("instance %s is %v %s", row.ID, row.Status, row.Parked)
		case head.ETag == "" || !head.State.Ended || head.State.Outcome != row.Status:
			w.violated("the row of %s shows %v, the sentinel %+v", row.ID, row.Status, head.State)
		}
	}
	for id := range w.ids {
		if in, err := w.Look(ctx, id, taskhub.LookOptions{Now: time.Now().Add(365 * 24 * time.Hour)}); err != nil || len(in.Rows) > 0 {
			w.violated("the inbox of %s has %d rows, %v", id, len(in.Rows), err)
		}
	}
	w.entities(ctx)
	if w.bank != nil {
		w.wrong = append(w.wrong, w.bank.end()...)
	}
	for _, row := range rows {
		if _, err := w.Purge(ctx, row.ID, row.ETag); err != nil && !errors.Is(err, taskhub.ErrNotFound) {
			w.violated("purging %s: %v", row.ID, err)
		}
	}
	for _, row := range rows {
		w.nothing(ctx, row.ID)
	}
	return w.wrong
}

// rows are those of all instances.
func (w *watch) rows(ctx context.Context) (rows []*taskhub.Instance, err error) {
	for q := (taskhub.Query{Max: taskhub.MaxPage, WithoutPayloads: true}); ; {
		page, err := w.List(ctx, q)
		if err != nil {
			return nil, err
		}
		rows = append(rows, page.Instances...)
		if q.Token = page.Token; q.Token == "" {
			return rows, nil
		}
	}
}

// entities checks that no entity is locked, and that lists show the last commit. The
// caller holds the lock.
func (w *watch) entities(ctx context.Context) {
	for _, id := range slices.Sorted(maps.Keys(w.ids)) {
		if !history.IsEntity(id) {
			continue
		}
		row, err := w.Instance(ctx, id)
		head, failure := w.Head(ctx, id)
		if err = errors.Join(err, failure); err != nil {
			w.violated("entity %s: %v", id, err)
			continue
		}
		status := history.DecodeEntityStatus(row.CustomStatus)
		if row.ExecutionID != head.ExecutionID || status.LockedBy != "" || status.QueueSize != 0 {
			w.violated("the row of %s shows commit %s, %+v; the last commit is %s", id, row.ExecutionID, status, head.ExecutionID)
		}
	}
}

// nothing checks that nothing is left of an instance that was purged. The caller holds
// the lock.
func (w *watch) nothing(ctx context.Context, id string) {
	if h, err := w.Load(ctx, id, 0); err != nil || h.Fence.ETag != "" || len(h.Events) > 0 {
		w.violated("after its purge the history of %s has %d events, %v", id, len(h.Events), err)
	}
	if n, err := w.ForgetReceipts(ctx, id, time.Now().Add(time.Hour)); err != nil || n > 0 {
		w.violated("after its purge %d receipts of %s are left, %v", n, id, err)
	}
}

// summary names the events of a commit, with the leases of what it asks for.
func summary(c *taskhub.Commit) string {
	var out []string
	for _, e := range c.Events {
		text := e.Type.String()
		switch {
		case e.Own.Lease != "":
			text += fmt.Sprintf(" %d under %s", e.ID, e.Own.Lease)
		case e.ID >= 0:
			text += fmt.Sprint(" ", e.ID)
		case e.Own.Message != "":
			text += " by " + e.Own.Message
		case e.Type != history.OrchestratorStarted && e.Type != history.OrchestratorCompleted:
			text += fmt.Sprint(" of ", e.TaskID)
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func shown(messages []*taskhub.Message) string {
	var out []string
	for _, m := range messages {
		out = append(out, fmt.Sprintf("%v to %s", m.Event.Type, m.Target.InstanceID))
	}
	return strings.Join(out, ", ")
}
