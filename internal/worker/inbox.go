package worker

import (
	"container/list"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// item is one thing that an orchestration has to look at.
type item struct {
	// message is set for what came as a message; lease is what holds it.
	message *taskhub.Message
	lease   *held
	// delivery is how the message came.
	delivery taskhub.Delivery
	// row is the instance row that this process has just inserted with the
	// start message; nil for messages from a queue.
	row *taskhub.Instance

	// call is an activity that ran here and result its end, nil when it was
	// given up; lease is then the work item that carried it, or nil.
	call   *Activity
	result *history.Event

	// local is an event that this process has made itself, for the execution.
	local     *history.Event
	execution string
	// counted says that it is no longer in the count of such events.
	counted bool

	// spilled are jobs that the pool gave up; alarm says that the orchestration
	// has been waiting for a while.
	spilled []*job
	alarm   bool
}

// post puts items into the inbox of an orchestration and sees to it that
// somebody looks at them.
func (w *Worker) post(id string, items ...*item) {
	w.mu.Lock()
	in := w.instances[id]
	if in == nil {
		if items[0].alarm {
			w.mu.Unlock()
			return
		}
		in = newInstance(w, id)
		w.instances[id] = in
	}
	in.inbox = append(in.inbox, items...)
	start := !in.driving
	in.driving = true
	w.idle.remove(in)
	w.mu.Unlock()
	if start && !w.spawn(in.loop) {
		w.mu.Lock()
		in.driving = false
		w.mu.Unlock()
	}
}

// take empties the inbox. When there is nothing the orchestration is parked:
// nobody drives it until the next post.
func (w *Worker) take(in *instance) []*item {
	w.mu.Lock()
	defer w.mu.Unlock()
	batch := in.inbox
	in.inbox = nil
	if len(batch) == 0 {
		in.driving = false
		w.parkLocked(in)
	}
	return batch
}

// parkLocked keeps an orchestration that waits in memory while the cache has
// room, and forgets a finished one.
func (w *Worker) parkLocked(in *instance) {
	switch {
	case in.busy():
	case in.worthKeeping() && (w.Keep == nil || w.Keep(in.id, len(in.committed))):
		w.idle.add(in)
		for w.idle.len() > max(w.Cache, 0) {
			w.forgetLocked(w.idle.oldest())
		}
	default:
		w.forgetLocked(in)
	}
}

func (w *Worker) forgetLocked(in *instance) {
	w.idle.remove(in)
	delete(w.instances, in.id)
	// User code may run when its coroutine ends: not under the lock.
	w.running++
	go func() {
		defer w.done()
		in.drop()
	}()
}

// carries tells whether the orchestration is worked on here, so that a result
// needs no message to reach it.
func (w *Worker) carries(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	in := w.instances[id]
	return in != nil && in.leases.Load() > 0
}

// lru orders idle orchestrations by the time of their last use. It is guarded
// by the worker's lock.
type lru struct{ order list.List }

func (l *lru) add(in *instance) {
	if in.place == nil {
		in.place = l.order.PushBack(in)
	}
}

func (l *lru) remove(in *instance) {
	if in.place != nil {
		l.order.Remove(in.place)
		in.place = nil
	}
}

func (l *lru) len() int          { return l.order.Len() }
func (l *lru) oldest() *instance { return l.order.Front().Value.(*instance) }
