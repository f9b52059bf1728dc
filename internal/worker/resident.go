package worker

import (
	"container/list"
	"context"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/activity"
)

// resident is a room in memory with its mailbox. It is guarded by the worker's lock;
// in belongs to the goroutine that drives while driving is set.
type resident struct {
	id      string
	in      room
	mailbox []any
	driving bool
	place   *list.Element
}

// post puts items into the mailbox of an orchestration and sees to it that a
// goroutine looks at them.
func (w *Worker) post(id string, items ...any) {
	w.mu.Lock()
	r := w.residents[id]
	if r == nil {
		if !wakes(items[0]) {
			w.mu.Unlock()
			return
		}
		r = &resident{id: id, in: w.newRoom(id)}
		w.residents[id] = r
	}
	w.postLocked(r, items)
	w.mu.Unlock()
}

func (w *Worker) postLocked(r *resident, items []any) {
	r.mailbox = append(r.mailbox, items...)
	w.idle.remove(r)
	if r.driving {
		return
	}
	r.driving = w.exec.Go(func(ctx context.Context) { w.drive(ctx, r) })
}

// drive looks at what comes for an orchestration until its mailbox is empty.
func (w *Worker) drive(ctx context.Context, r *resident) {
	for {
		batch := w.take(r)
		if batch == nil {
			return
		}
		r.in.pass(ctx, batch)
	}
}

// take empties the mailbox. When there is nothing the orchestration rests: no
// goroutine drives it until the next post.
func (w *Worker) take(r *resident) []any {
	w.mu.Lock()
	defer w.mu.Unlock()
	batch := r.mailbox
	r.mailbox = nil
	if len(batch) == 0 {
		r.driving = false
		w.restLocked(r)
	}
	return batch
}

// restLocked keeps an orchestration that waits in memory while the cache has room,
// and forgets an ended one.
func (w *Worker) restLocked(r *resident) {
	switch {
	case r.in.Busy():
	case r.in.Useful() && (w.Keep == nil || w.Keep(r.id, r.in.Events())):
		w.idle.add(r)
		for w.idle.len() > max(w.Cache, 0) {
			w.evictLocked(w.idle.oldest())
		}
	default:
		w.forgetLocked(r)
	}
}

// evictLocked is forgetLocked for want of room.
func (w *Worker) evictLocked(r *resident) {
	w.forgetLocked(r)
	if w.Observer != nil {
		w.exec.Go(func(context.Context) { w.counted(observe.CacheEvictions, kindOf(r.id)) })
	}
}

func (w *Worker) forgetLocked(r *resident) {
	w.idle.remove(r)
	delete(w.residents, r.id)
	// User code may run when its coroutine ends: not under the lock.
	if !w.exec.Go(func(context.Context) { r.in.Drop(activity.ErrLost) }) {
		w.residents[r.id] = r // the worker has stopped, and drops it itself
	}
}

// carries reports whether the orchestration is worked on here, so that a result needs
// no message to reach it.
func (w *Worker) carries(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.residents[id]
	return r != nil && r.in.Holding()
}

// Holds reports whether the worker has the instance in memory.
func (w *Worker) Holds(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.residents[id] != nil
}

// Working are the instances that this process works on: it holds a message of theirs,
// or a work item that one of them has sent. There may be repetitions.
func (w *Worker) Working() []string {
	ids := w.pool.Instances()
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, r := range w.residents {
		if r.driving || r.in.Holding() {
			ids = append(ids, id)
		}
	}
	return ids
}

// Poke makes an orchestration look at its inbox, after something was stored there, and
// reports true, where this process holds a wake-up that it has not begun to let go.
// Otherwise the teller must send one.
func (w *Worker) Poke(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.residents[id]
	if r == nil || !r.in.CanLook() {
		return false
	}
	w.postLocked(r, []any{poke(id)})
	return true
}

// Current returns the execution that was started, and the orchestrator's name, of an
// instance that this process works on and holds a wake-up of that it has not begun to
// let go.
func (w *Worker) Current(id string) (origin, name string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.residents[id]
	if r == nil || !r.in.CanLook() {
		return "", "", false
	}
	return r.in.Current()
}

// lru orders idle orchestrations by the time of their last use. It is guarded by the
// worker's lock.
type lru struct{ order list.List }

func (l *lru) add(r *resident) {
	if r.place == nil {
		r.place = l.order.PushBack(r)
	}
}

func (l *lru) remove(r *resident) {
	if r.place != nil {
		l.order.Remove(r.place)
		r.place = nil
	}
}

func (l *lru) len() int          { return l.order.Len() }
func (l *lru) oldest() *resident { return l.order.Front().Value.(*resident) }
