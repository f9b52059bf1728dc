package reconcile

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// What is done about an instance is decided by its row, its sentinel and its queue.
func TestJudge(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	const patience = 40 * time.Second
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	row := func(s history.Status) taskhub.Instance { return taskhub.Instance{ID: "x", Name: "O", Status: s} }
	running := func(a taskhub.Awaits) taskhub.Fence {
		return taskhub.Fence{ExecutionID: "e", State: taskhub.State{Awaits: a}}
	}
	for _, c := range []struct {
		what   string
		row    taskhub.Instance
		head   taskhub.Fence
		since  time.Time
		queued time.Time
		want   verdict
	}{
		{"just seen, pending", row(history.Pending), taskhub.Fence{}, ago(time.Second), time.Time{}, wait},
		{"pending for long", row(history.Pending), taskhub.Fence{}, ago(time.Minute), time.Time{}, start},
		{"pending, and the queue has older messages", row(history.Pending), taskhub.Fence{}, ago(time.Minute), ago(2 * time.Minute), wait},
		{"pending, and the queue has younger messages", row(history.Pending), taskhub.Fence{}, ago(time.Minute), ago(time.Second), start},
		{"scheduled for later", taskhub.Instance{Status: history.Pending, Scheduled: now.Add(time.Hour)}, taskhub.Fence{}, ago(time.Hour), time.Time{}, rest},
		{"scheduled for just now", taskhub.Instance{Status: history.Pending, Scheduled: ago(time.Second)}, taskhub.Fence{}, ago(time.Hour), time.Time{}, rest},
		{"scheduled for before", taskhub.Instance{Status: history.Pending, Scheduled: ago(time.Minute)}, taskhub.Fence{}, ago(time.Hour), time.Time{}, start},
		{"being purged", taskhub.Instance{Status: history.Pending, Purging: true}, taskhub.Fence{}, ago(time.Hour), time.Time{}, rest},
		{"a row that cannot be read", taskhub.Instance{Status: history.Unknown, Err: fmt.Errorf("?")}, taskhub.Fence{}, ago(time.Hour), time.Time{}, rest},
		{"running without a history", row(history.Running), taskhub.Fence{}, ago(time.Hour), time.Time{}, rest},
		{"ended, and the row does not show it", row(history.Running), taskhub.Fence{ExecutionID: "e", State: taskhub.State{Ended: true}}, ago(time.Minute), time.Time{}, finish},
		{"ended just now", row(history.Running), taskhub.Fence{ExecutionID: "e", State: taskhub.State{Ended: true}}, ago(time.Second), time.Time{}, wait},
		{"waits for events", row(history.Running), running(taskhub.Awaits{}), ago(time.Minute), time.Time{}, look},
		{"waits for an activity", row(history.Running), running(taskhub.Awaits{Work: true}), ago(time.Minute), time.Time{}, inspect},
		{"waits for an activity, a moment", row(history.Running), running(taskhub.Awaits{Work: true}), ago(time.Second), time.Time{}, wait},
		{"waits for a timer", row(history.Running), running(taskhub.Awaits{Until: now.Add(time.Minute)}), ago(time.Minute), time.Time{}, look},
		{"waits for a timer that is due", row(history.Running), running(taskhub.Awaits{Until: ago(time.Second)}), ago(time.Minute), time.Time{}, look},
		{"waits for a timer that is overdue", row(history.Running), running(taskhub.Awaits{Until: ago(time.Minute)}), ago(time.Minute), time.Time{}, inspect},
		{"suspended, an activity is open", row(history.Suspended), running(taskhub.Awaits{Work: true}), ago(time.Minute), time.Time{}, inspect},
		{"parked", taskhub.Instance{Status: history.Running, Parked: "code differs"}, running(taskhub.Awaits{Work: true}), ago(time.Minute), time.Time{}, look},
	} {
		s := sight{now: now, row: &c.row, head: c.head, since: c.since, patience: patience, queued: c.queued}
		if got := judge(s); got != c.want {
			t.Errorf("%s: verdict %d, want %d", c.what, got, c.want)
		}
	}
}

// What is missing is read from the history.
func TestFind(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	asked := func(kind history.Type, id int32) *history.Event { return &history.Event{Type: kind, ID: id} }
	answered := func(kind history.Type, id int32) *history.Event {
		return &history.Event{Type: kind, ID: history.NoID, TaskID: id}
	}
	timer := func(id int32, at time.Time) *history.Event {
		return &history.Event{Type: history.TimerCreated, ID: id, FireAt: at}
	}
	detached := &history.Event{Type: history.SubOrchestrationInstanceCreated, ID: 7, Tags: map[string]string{history.FireAndForget: ""}}
	h := &taskhub.History{Fence: taskhub.Fence{State: taskhub.State{Sent: 6}}, Events: []*history.Event{
		asked(history.TaskScheduled, 0), asked(history.TaskScheduled, 1), answered(history.TaskCompleted, 0),
		timer(2, now.Add(-time.Minute)), timer(3, now.Add(time.Minute)), timer(4, now.Add(-time.Hour)), answered(history.TimerFired, 4),
		asked(history.EventSent, 5), asked(history.EventSent, 6), detached,
		asked(history.SubOrchestrationInstanceCreated, 8), asked(history.SubOrchestrationInstanceCreated, 9), answered(history.SubOrchestrationInstanceFailed, 9),
	}}
	m := find(h, now)
	if want := []int32{1, 2}; !slices.Equal(m.again, want) {
		t.Errorf("to be done again: %v, want %v", m.again, want)
	}
	if want := []int32{6, 7}; !slices.Equal(m.unsure, want) {
		t.Errorf("perhaps not sent: %v, want %v", m.unsure, want)
	}
	if len(m.children) != 1 || m.children[0].ID != 8 {
		t.Errorf("%d children are open, want that of action 8", len(m.children))
	}
}
