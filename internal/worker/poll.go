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
	// Wake returns a channel that is closed when a message of the queue comes,
	// or is to be visible earlier than due. due is when the first of the hidden
	// ones is visible, zero when there is none.
	Wake(queue string) (wake <-chan struct{}, due time.Time)
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
	waker, wakes := w.Store.(Waker)
	for ctx.Err() == nil {
		var wake <-chan struct{}
		wait, free := pause, min(room(), maxReceive)
		if wakes && free > 0 {
			// Asked before the receive, so that no message comes unnoticed.
			var due time.Time
			wake, due = waker.Wake(queue)
			wait = w.until(due)
		}
		n, err := w.receive(ctx, queue, free)
		if n > 0 {
			pause = minPause
			continue
		}
		if err != nil {
			wait = pause
		}
		w.idleWait(ctx, wake, wait)
		pause = min(2*pause, maxPause)
	}
}

// until is how long to wait for a message that is hidden; a day where there is
// none.
func (w *Worker) until(due time.Time) time.Duration {
	if due.IsZero() {
		return 24 * time.Hour
	}
	return max(due.Sub(w.clock.Now()), 0)
}

// receive takes what there is and returns how many messages that were.
func (w *Worker) receive(ctx context.Context, queue string, room int) (int, error) {
	if room == 0 {
		return 0, nil
	}
	batch, err := w.Store.Receive(ctx, queue, room, w.Lease)
	if err != nil {
		if ctx.Err() == nil {
			w.storage.failed(ctx, err)
		}
		return 0, err
	}
	for _, d := range batch {
		if err := w.Deliver(ctx, d, false); err != nil {
			w.storage.failed(ctx, err)
		}
	}
	return len(batch), nil
}

func (w *Worker) idleWait(ctx context.Context, wake <-chan struct{}, pause time.Duration) {
	fired := make(chan struct{})
	stop := w.clock.AfterFunc(pause, func() { close(fired) })
	defer stop()
	select {
	case <-fired:
	case <-wake:
	case <-ctx.Done():
	}
}
