package worker

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

// A fan-out is offered as fast as others take, whichever process hears of the results,
// and whether or not a Functions host gives what was offered to the process that has
// offered it.
func TestFanOutIsShared(t *testing.T) {
	for _, test := range []struct {
		name string
		// feed gives messages to the process in which the fan-out begins, and to another.
		first, other func(context.Context, taskhub.Store, *Worker)
	}{
		{"all messages come to the other", func(context.Context, taskhub.Store, *Worker) {}, poll},
		{"both poll", poll, poll},
		{"both have a host", hostFeeds(minPause), hostFeeds(minPause)},
		{"its own host looks first", hostFeeds(minPause), hostFeeds(maxPause)},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub, ran := hubtest.Strict(t), [2]atomic.Int64{}
				first := sharing(t, hub, &ran[0], test.first)
				sharing(t, hub, &ran[1], test.other)
				start(t, hub, first, "x")
				row := finished(t, hub, "x", time.Hour)
				here, there := ran[0].Load(), ran[1].Load()
				if row.Status != history.Completed || there < sharedRuns/4 || here < sharedRuns/4 {
					t.Errorf("%v: of %d activities the processes ran %d and %d", row.Status, sharedRuns, here, there)
				}
			})
		})
	}
}

// sharedRuns is how many activities a fan-out has that is shared.
const sharedRuns = 600

// sharing is a process with few slots for activities that take a while.
func sharing(t *testing.T, hub hubtest.Hub, ran *atomic.Int64, feed func(context.Context, taskhub.Store, *Worker)) *Worker {
	t.Helper()
	store := late(t, hub, 5*time.Millisecond)
	w := newWorker(t, store, each(sharedRuns), func(o *Options) {
		o.ActivitySlots = 10
		o.Activities = only(func(context.Context) {
			ran.Add(1)
			<-time.After(200 * time.Millisecond)
		})
	})
	ctx, cancel := context.WithCancel(context.Background())
	var fed sync.WaitGroup
	fed.Go(func() { feed(ctx, store, w) })
	t.Cleanup(func() {
		cancel()
		w.Kill()
		fed.Wait()
	})
	return w
}

func poll(ctx context.Context, _ taskhub.Store, w *Worker) {
	w.Poll(ctx, controlQueue)
	w.PollActivities(ctx, itemQueue)
}

// hostFeeds gives messages as the Functions host does: in batches of 32, until more than
// 64 are not answered, whatever the process has slots for. It waits for least at least
// after a look that finds nothing.
func hostFeeds(least time.Duration) func(context.Context, taskhub.Store, *Worker) {
	return func(ctx context.Context, store taskhub.Store, w *Worker) {
		var all sync.WaitGroup
		defer all.Wait()
		for _, queue := range []string{controlQueue, itemQueue} {
			all.Go(func() {
				var open atomic.Int64
				for wait := least; ctx.Err() == nil; wait = min(2*wait, maxPause) {
					if open.Load() <= 64 && hostFetches(ctx, store, w, queue, &open, &all) > 0 {
						wait = least
					}
					select {
					case <-time.After(wait):
					case <-ctx.Done():
					}
				}
			})
		}
	}
}

// hostFetches fetches a batch and begins an invocation for each of its messages.
func hostFetches(ctx context.Context, store taskhub.Store, w *Worker, queue string, open *atomic.Int64, all *sync.WaitGroup) int {
	batch, _ := store.Receive(ctx, queue, 32, 10*time.Minute)
	for _, d := range batch {
		open.Add(1)
		all.Go(func() {
			defer open.Add(-1)
			if w.Deliver(ctx, d, true) == nil {
				_ = store.Remove(ctx, d.Lease)
			}
		})
	}
	return len(batch)
}
