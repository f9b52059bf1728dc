package orchestration

import (
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// What a turn asked for and how it ended have the time of the turn; what the code saw as
// its clock, and what came before, keep theirs.
func TestStamp(t *testing.T) {
	clock := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	turn := clock.Add(time.Second)
	for _, c := range []struct {
		event history.Event
		want  time.Time
	}{
		{history.Event{Type: history.OrchestratorStarted}, clock},
		{history.Event{Type: history.ExecutionStarted}, clock},
		{history.Event{Type: history.TaskCompleted, TaskID: 7}, clock},
		{history.Event{Type: history.EventRaised}, clock},
		{history.Event{Type: history.TaskScheduled, ID: 8}, turn},
		{history.Event{Type: history.TaskCompleted, TaskID: 8}, turn},
		{history.Event{Type: history.SubOrchestrationInstanceCreated, ID: 9}, turn},
		{history.Event{Type: history.EventSent, ID: 10}, turn},
		{history.Event{Type: history.TimerCreated, ID: 11}, clock},
		{history.Event{Type: history.ExecutionCompleted, ID: 12}, turn},
		{history.Event{Type: history.OrchestratorCompleted}, turn},
	} {
		asked := &history.Event{Type: history.TaskScheduled, ID: 8, Timestamp: clock}
		c.event.Timestamp = clock
		stamp([]*history.Event{asked, &c.event}, turn)
		if !c.event.Timestamp.Equal(c.want) {
			t.Errorf("%s %d has the time %v, want %v", c.event.Type, c.event.ID, c.event.Timestamp, c.want)
		}
		stamp([]*history.Event{&c.event}, clock.Add(-time.Hour))
		if !c.event.Timestamp.Equal(c.want) {
			t.Errorf("%s %d went back to %v", c.event.Type, c.event.ID, c.event.Timestamp)
		}
	}
}
