package hubcheck

import (
	"fmt"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
)

// compare holds the row against the history.
func (v *view) compare() {
	v.compareState()
	switch {
	case v.row == nil && v.guarded && len(v.rows) == 0:
		v.orphanHistory()
		return
	case v.row == nil:
		return
	case v.row.Purging:
		if v.isOld(v.rows[0]) {
			v.add(Finding{Severity: Damage, Kind: "purge-cut", Place: "Instances row", What: "a purge was cut off"}.with(purge{v.id, v.row.ETag}))
		}
		return
	case !v.guarded:
		v.withoutHistory()
		return
	}
	v.compareExecution()
}

// orphanHistory deals with a history whose instance has no row.
func (v *view) orphanHistory() {
	if !v.isOld(*v.sentinel) {
		return
	}
	f := Finding{Severity: Damage, Kind: "row-missing", Place: "Instances row", What: "there is a history, and no row that lists the instance"}
	if v.fence.State.Ended {
		f.Severity = Debris
		v.add(f.with(purge{id: v.id}))
		return
	}
	v.add(f.with(v.rewrite(azure.RawRow{})))
}

// withoutHistory deals with a row without a history.
func (v *view) withoutHistory() {
	row := v.row
	switch {
	case !v.isOld(v.rows[0]), row.Status.Finished():
	case row.Status != history.Pending:
		v.add(Finding{Severity: Damage, Kind: "history-missing", Place: "History", What: fmt.Sprintf("the instance is %v, and there is no history", row.Status)}.
			with(failRow{row: row, reason: "The instance's history was missing."}))
	case row.Scheduled.After(v.now), v.working:
	default:
		// The start message of a child names its parent; without that the child runs alone.
		started := *row
		if started.ExecutionID == "" {
			started.ExecutionID = taskhub.DerivedID("unstarted", row.ID)
		}
		v.add(Finding{Severity: Waiting, Kind: "start-missing", Place: "Instances row", What: "the instance is pending, and no process has its start message"}.
			with(send{v.queue, taskhub.Started(&started), "send the start message again"}))
	}
}

// compareExecution compares which execution row and sentinel speak of, and how it has
// ended.
func (v *view) compareExecution() {
	row, f := v.row, v.fence
	ours := row.ExecutionID == f.ExecutionID || row.Origins() == f.Origins() || row.ExecutionID == "" || taskhub.Continues(v.id, f.ExecutionID, row.ExecutionID)
	old := v.isOld(v.rows[0]) && v.isOld(*v.sentinel)
	switch {
	case !old:
	case !ours && f.State.Ended:
		if row.Status == history.Pending && !row.Scheduled.After(v.now) && !v.working {
			v.add(Finding{Severity: Waiting, Kind: "start-missing", Place: "Instances row", What: "the instance was started over, and no process has its start message"}.
				with(send{v.queue, taskhub.Started(row), "send the start message again"}))
		}
	case !ours:
		change := taskhub.Change{ExecutionID: f.ExecutionID, Origin: f.Origins(), Status: ptr(history.Running)}
		v.add(Finding{Severity: Damage, Kind: "row-execution", Place: "Instances row", What: "the row is of execution " + row.ExecutionID + " and the history of " + f.ExecutionID}.
			with(all{followHistory{row, change}, v.heal(taskhub.Healing{Owed: true}, "")}))
	case f.State.Ended && !row.Status.Finished():
		v.add(Finding{Severity: Waiting, Kind: "end-not-shown", Place: "Instances row", What: fmt.Sprintf("the history has ended, and the row says %v", row.Status)}.
			with(v.heal(taskhub.Healing{Owed: true}, "send a wake-up that asks for what the end owes")))
	case f.State.Ended && row.Status != f.State.Outcome:
		v.add(Finding{Severity: Damage, Kind: "row-outcome", Place: "Instances row", What: fmt.Sprintf("the history has ended as %v, and the row says %v", f.State.Outcome, row.Status)}.
			with(followHistory{row, v.outcome()}))
	case !f.State.Ended && row.Status.Finished() && f.State.Origin != "":
		v.add(Finding{Severity: Damage, Kind: "row-ended", Place: "Instances row", What: fmt.Sprintf("the row says %v, and the history has not ended", row.Status)}.
			with(all{followHistory{row, taskhub.Change{Status: ptr(history.Running)}}, v.heal(taskhub.Healing{Owed: true}, "")}))
	case !f.State.Ended && v.whole && row.Parked == "" && !v.working:
		v.compareOpen()
	}
}

func ptr[T any](v T) *T { return &v }

// outcome is what the row should say of the end.
func (v *view) outcome() taskhub.Change {
	c := taskhub.Change{Status: &v.fence.State.Outcome}
	for _, e := range v.history {
		if e.Type == history.ExecutionCompleted {
			c.Output, c.Completed = &e.Result, &e.Timestamp
		}
	}
	return c
}

// compareState holds what the sentinel says of the execution against its history.
func (v *view) compareState() {
	if !v.guarded || !v.whole || !v.isOld(*v.sentinel) || len(v.history) == 0 || v.fence.State.Origin == "" || v.fence.Rewinds > 0 {
		return
	}
	want := v.fence.State
	want.Ended, want.Outcome, want.Awaits = false, 0, taskhub.Awaits{}
	for _, e := range v.history {
		if e.Type == history.ExecutionCompleted {
			want.Ended, want.Outcome = true, e.Status
		}
	}
	if !want.Ended {
		for _, e := range history.Open(v.history) {
			switch {
			case e.Type == history.TimerCreated:
				if want.Awaits.Until.IsZero() || e.FireAt.Before(want.Awaits.Until) {
					want.Awaits.Until = e.FireAt.UTC()
				}
			case e.Type != history.EventSent && !history.IsDetached(e):
				want.Awaits.Work = true
			}
		}
	}
	have := v.fence.State
	same := have.Ended == want.Ended && have.Outcome == want.Outcome && (want.Ended || have.Awaits.Work == want.Awaits.Work && have.Awaits.Until.Equal(want.Awaits.Until))
	if !same {
		v.add(Finding{Severity: Damage, Kind: "sentinel-state", Place: "sentinel", What: fmt.Sprintf("the sentinel says that the execution has ended: %v, and waits for %+v; the history says %v and %+v", have.Ended, have.Awaits, want.Ended, want.Awaits)}.
			with(all{restate{v.id, want}, v.heal(taskhub.Healing{Owed: true}, "")}))
	}
}

// compareOpen looks for what the instance waits for and no process does.
func (v *view) compareOpen() {
	var timers, activities []int32
	for _, e := range history.Open(v.history) {
		switch {
		case e.Type == history.TimerCreated && e.FireAt.Add(v.age).Before(v.now):
			timers = append(timers, e.ID)
		case e.Type == history.TaskScheduled && v.now.Sub(v.sentinel.Stored) > hostHides:
			activities = append(activities, e.ID)
		case e.Type == history.SubOrchestrationInstanceCreated && !history.IsDetached(e):
			v.children = append(v.children, e)
		}
	}
	if len(timers) > 0 {
		v.add(Finding{Severity: Waiting, Kind: "timer-overdue", Place: "History", What: fmt.Sprintf("%d timers are overdue", len(timers))}.
			with(v.heal(taskhub.Healing{Actions: timers}, "send a wake-up that lets them fire")))
	}
	if len(activities) > 0 {
		v.add(Finding{Severity: Waiting, Kind: "activity-lost", Place: "History", What: fmt.Sprintf("%d activities are open, and no process says that it runs them", len(activities))}.
			with(v.heal(taskhub.Healing{Actions: activities[:min(len(activities), taskhub.MaxHealed)]}, "send a wake-up that runs them again")))
	}
}
