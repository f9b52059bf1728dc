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
	w.pollAll(ctx, queues, w.Room)
}

// PollActivities is Poll for queues of work items. It takes no more of them than
// there are free slots.
func (w *Worker) PollActivities(ctx context.Context, queues ...string) {
	w.pollAll(ctx, queues, w.pool.Free)
}

// Room is how many messages to orchestrations the process can begin: those that
// it has begun, and that wait for their turn, are not more than a few for each slot.
func (w *Worker) Room() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	driven := 0
	for _, r := range w.residents {
		if r.driving {
			driven++
		}
	}
	return max(4*w.OrchestratorSlots-driven, 0)
}

func (w *Worker) pollAll(ctx context.Context, queues []string, room func() int) {
	for _, queue := range queues {
		w.exec.Go(func(stop context.Context) {
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
	return max(due.Sub(w.Clock.Now()), 0)
}

// receive takes what there is and returns how many messages that were.
func (w *Worker) receive(ctx context.Context, queue string, room int) (int, error) {
	if room == 0 {
		return 0, nil
	}
	batch, err := w.Store.Receive(ctx, queue, room, w.Lease)
	if err != nil {
		if ctx.Err() == nil {
			w.exec.Failed(ctx, err)
		}
		return 0, err
	}
	for _, d := range batch {
		if err := w.Deliver(ctx, d, false); err != nil {
			w.exec.Failed(ctx, err)
		}
	}
	return len(batch), nil
}

func (w *Worker) idleWait(ctx context.Context, wake <-chan struct{}, pause time.Duration) {
	fired := make(chan struct{})
	stop := w.Clock.AfterFunc(pause, func() { close(fired) })
	defer stop()
	select {
	case <-fired:
	case <-wake:
	case <-ctx.Done():
	}
}
