package worker

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

// TestResultsHaveTheTimeOfTheirBeginning: three activities in one slot, each of a
// second. What each of them has waited for its slot is in the history, however its
// result came there.
func TestResultsHaveTheTimeOfTheirBeginning(t *testing.T) {
	for name, dispatch := range map[string]Dispatch{"in the process": Local, "by the queue": Queue} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub := hubtest.Strict(t)
				w := polling(t, hub, each(3), func(o *Options) {
					o.Dispatch, o.ActivitySlots = dispatch, 1
					o.Activities = only(func(context.Context) { <-time.After(time.Second) })
				})
				start(t, hub, w, "i")
				finished(t, hub, "i", time.Minute)
				h, err := hub.Load(t.Context(), "i", 0)
				if err != nil {
					t.Fatal(err)
				}
				asked, results := map[int32]time.Time{}, 0
				for _, e := range h.Events {
					switch e.Type {
					case history.TaskScheduled:
						asked[e.ID] = e.Timestamp
					case history.TaskCompleted:
						began := history.Began(e)
						if worked := e.Timestamp.Sub(began); worked != time.Second || began.Before(asked[e.TaskID].Add(time.Duration(results)*time.Second)) {
							t.Errorf("result %d: asked for at %v, began at %v, worked for %v", results, asked[e.TaskID], began, worked)
						}
						results++
					}
				}
				if results != 3 {
					t.Errorf("%d results", results)
				}
			})
		})
	}
}
