package worker

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

// waiter waits for events for ever, in one execution.
func waiter(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
	for {
		if _, err := rt.WaitEvent("add").Await(); err != nil {
			return nil, err
		}
	}
}

// An instance that is told something every hour for months keeps the receipts of a
// little more than the days for which a telling may be repeated, in one long execution
// as over generations, and whether or not its process stays up.
func TestReceiptsAreForgottenInPassing(t *testing.T) {
	for name, program := range map[string]engine.Program{"one execution": waiter, "generations": counter} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub := hubtest.Memory(t)
				w := polling(t, hub, program, nil)
				start(t, hub, w, "counter")
				const hours = 90 * 24
				tell := func(hour int) {
					err := hub.Tell(t.Context(), "counter", &taskhub.Telling{
						ID: taskhub.GUID("hour", fmt.Sprint(hour)), Sent: time.Now(),
						Event: &history.Event{Type: history.EventRaised, ID: history.NoID, Name: "add", Input: history.Payload(`1`)},
					})
					if err != nil {
						t.Fatal(err)
					}
					send(t, hub, controlQueue, taskhub.Look("counter", fmt.Sprint(hour), time.Now()))
				}
				for hour := range hours {
					tell(hour)
					<-time.After(time.Hour)
				}
				left := 0
				for {
					n, err := hub.ForgetReceipts(t.Context(), "counter", time.Now().Add(time.Hour))
					if err != nil {
						t.Fatal(err)
					}
					if n == 0 {
						break
					}
					left += n
				}
				days := 8*24 + 8*receiptsEvery
				if left < 8*24 || left > days {
					t.Errorf("%d receipts are left of %d, want those of 8 days: %d to %d", left, hours, 8*24, days)
				}
			})
		})
	}
}

// receiptsEvery is how many tellings come to one deletion; chance makes it up to
// several times that.
const receiptsEvery = 64
