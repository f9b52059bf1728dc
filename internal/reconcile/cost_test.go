package reconcile_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/reconcile"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

// An idle hub costs three requests a minute in the process that looks, and one in
// every other. With many instances that rightly wait it costs at most 80 a minute,
// however many they are, and less and less where they are few.
func TestIdleHubCostsLittle(t *testing.T) {
	for _, c := range []struct{ waiting, first, later int }{
		{0, 4, 4}, {5, 20, 6}, {300, 84, 84},
	} {
		t.Run(fmt.Sprint(c.waiting, " instances wait"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub := hubtest.Strict(t)
				for i := range c.waiting {
					waits(t, hub, fmt.Sprint("w", i))
				}
				var requests atomic.Int64
				counted := hub.Process(func(fake.Request) fake.Fault {
					requests.Add(1)
					return fake.Fault{}
				})
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{}, 2)
				for _, process := range []string{"a", "b"} {
					r := reconcile.New(reconcile.Options{
						Hub: counted, Gauge: counted.(taskhub.Gauge), Process: process, Working: func() []string { return nil },
						ControlOf: func(string) string { return controlQueue }, Lease: lease, Log: slog.New(slog.DiscardHandler),
					})
					go func() { r.Run(ctx); done <- struct{}{} }()
					<-time.After(time.Second)
				}
				<-time.After(3 * time.Minute) // the start may cost more
				per := func(minutes int) int {
					before := requests.Load()
					<-time.After(time.Duration(minutes) * time.Minute)
					return int(requests.Load()-before) / minutes
				}
				if n := per(10); n > c.first {
					t.Errorf("%d requests a minute", n)
				}
				<-time.After(3 * time.Hour)
				if n := per(60); n > c.later {
					t.Errorf("%d requests a minute after three hours", n)
				}
				cancel()
				<-done
				<-done
			})
		})
	}
}

// waits makes an instance that waits for an event.
func waits(t *testing.T, hub taskhub.Store, id string) {
	t.Helper()
	long := time.Now().UTC().Add(-time.Hour)
	row := &taskhub.Instance{ID: id, ExecutionID: "e" + id, Name: "O", Status: history.Running, Created: long, Updated: long}
	if err := hub.Insert(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	start := &history.Event{Type: history.ExecutionStarted, ID: history.NoID, Timestamp: long, Name: "O",
		Instance: history.InstanceRef{InstanceID: id, ExecutionID: row.ExecutionID}}
	_, err := hub.Commit(t.Context(), &taskhub.Commit{
		InstanceID: id, ExecutionID: row.ExecutionID, Nonce: taskhub.NewID(), Time: long, Events: []*history.Event{start}, State: &taskhub.State{Origin: row.ExecutionID},
	})
	if err != nil {
		t.Fatal(err)
	}
}
