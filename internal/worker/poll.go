package worker

import (
	"context"
	"time"
)

// Bounds of the pause between two empty receives.
const (
	minPause = 50 * time.Millisecond
	maxPause = time.Second
)

// maxReceive is the most that the queue service gives at a time.
const maxReceive = 32

// Waker is a store that says when a message comes, so that nobody need poll.
type Waker interface {
	// Wake returns a channel that is closed when a message of the queue may
	// have become visible.
	Wake(queue string) <-chan struct{}
}

// Poll receives messages to orchestrations from the queues until ctx ends. It is
// for processes that no Functions host feeds.
func (w *Worker) Poll(ctx context.Context, queues ...string) {
	w.pollAll(ctx, queues, func() int { return maxReceive })
}

// PollActivities is Poll for queues of work items. It takes no more of them than
// there are free slots.
func (w *Worker) PollActivities(ctx context.Context, queues ...string) {
	w.pollAll(ctx, queues, w.activities.free)
}

func (w *Worker) pollAll(ctx context.Context, queues []string, room func() int) {
	for _, queue := range queues {
		w.spawn(func(stop context.Context) {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(stop, cancel)()
			w.poll(ctx, queue, room)
		})
	}
}

func (w *Worker) poll(ctx context.Context, queue string, room func() int) {
	pause := minPause
	for ctx.Err() == nil {
		n := w.receive(ctx, queue, min(room(), maxReceive))
		if n > 0 {
			pause = minPause
			continue
		}
		w.idleWait(ctx, queue, pause)
		pause = min(2*pause, maxPause)
	}
}

// receive takes what there is and returns how many messages that were.
func (w *Worker) receive(ctx context.Context, queue string, room int) int {
	if room == 0 {
		return 0
	}
	batch, err := w.Store.Receive(ctx, queue, room, w.Lease)
	if err != nil {
		if ctx.Err() == nil {
			w.storage.failed(err)
		}
		return 0
	}
	for _, d := range batch {
		if err := w.Deliver(ctx, d, false); err != nil {
			w.storage.failed(err)
		}
	}
	return len(batch)
}

func (w *Worker) idleWait(ctx context.Context, queue string, pause time.Duration) {
	var wake <-chan struct{}
	if waker, ok := w.Store.(Waker); ok {
		wake = waker.Wake(queue)
	}
	fired := make(chan struct{})
	stop := w.clock.AfterFunc(pause, func() { close(fired) })
	defer stop()
	select {
	case <-fired:
	case <-wake:
	case <-ctx.Done():
	}
}
