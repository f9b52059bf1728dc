package worker

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

// inOrder takes events that carry the numbers from 0, each once and in their order, and
// continues as new after a hundred. It ends with the number of the last.
func inOrder(last int) engine.Program {
	return func(rt *engine.Runtime, in history.Payload) (history.Payload, error) {
		next := 0
		_ = json.Unmarshal(in, &next)
		for range 100 {
			raw, err := rt.WaitEvent("add").Await()
			if err != nil {
				return nil, err
			}
			if string(raw) != fmt.Sprint(next) {
				return nil, fmt.Errorf("event %s came, want %d", raw, next)
			}
			if next++; next == last {
				return raw, nil
			}
		}
		raw, _ := json.Marshal(next)
		return nil, &engine.ContinueAsNew{Input: raw}
	}
}

// Ten thousand events to an instance that continues as new after each hundred come each
// once and in order, whether they come one by one or many at once, and its storage does
// not grow with them.
func TestManyEventsOverGenerations(t *testing.T) {
	for _, burst := range []int{1, 49, 500} {
		t.Run(fmt.Sprintf("%d at once", burst), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const events = 10_000
				hub := hubtest.Memory(t)
				w := polling(t, hub, inOrder(events), nil)
				start(t, hub, w, "counter")
				largest := 0
				for n := 0; n < events; {
					var tellings []*taskhub.Telling
					for range min(burst, events-n) {
						tellings = append(tellings, &taskhub.Telling{
							ID: taskhub.GUID("event", fmt.Sprint(n)), Sent: time.Now(), Sequence: int64(n),
							Event: &history.Event{Type: history.EventRaised, ID: history.NoID, Name: "add", Input: history.Payload(fmt.Sprint(n))},
						})
						n++
					}
					if err := hub.Tell(t.Context(), "counter", tellings...); err != nil {
						t.Fatal(err)
					}
					send(t, hub, controlQueue, taskhub.Look("counter", fmt.Sprint(n), time.Now()))
					<-time.After(200 * time.Millisecond)
					if n%1000 == 0 {
						largest = max(largest, stored(t, hub))
					}
				}
				row := finished(t, hub, "counter", time.Minute)
				if row.Status != history.Completed || string(row.Output) != fmt.Sprint(events-1) {
					t.Errorf("%s: %s", row.Status, row.Output)
				}
				if found, err := hub.Look(t.Context(), "counter", taskhub.LookOptions{}); err != nil || len(found.Rows) != 0 {
					t.Errorf("%d rows are left in the inbox, %v", len(found.Rows), err)
				}
				if most := 40_000; largest > most {
					t.Errorf("the history had %d bytes, want at most %d: that of a hundred events", largest, most)
				}
			})
		})
	}
}
