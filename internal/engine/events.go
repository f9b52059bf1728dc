package engine

import (
	"slices"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// mailbox holds the external events that nobody has waited for yet and the
// waits that no event has ended yet, by the lower-case name. For each name one
// of the two is empty.
type mailbox struct {
	buffered map[string][]arrival
	waiting  map[string][]*eventWait
	// order has the buffered events of all names as they came, and what clients
	// sent after the code had continued as new: that carries them over.
	order []*history.Event
	// bytes is the size of the data of those.
	bytes int
}

// arrival is a buffered event. settled is where it stands among the ends of
// tasks: a wait that was released ends as if it had never been.
type arrival struct {
	event   *history.Event
	settled int32
}

// eventWait is a wait for an external event, the what of its task. It has a
// claim to the next event of its name from the beginning. A race that it loses
// ends the claim (released), until the code waits for it once more.
type eventWait struct {
	task     *Task
	name     string
	released bool
	// since is when the code began to wait; until is its timeout, zero for none,
	// and timer what fires then.
	since, until time.Time
	timer        *Task
}

func (w *eventWait) key() string { return strings.ToLower(w.name) }

func (rt *Runtime) mail() *mailbox {
	if rt.events == nil {
		rt.events = &mailbox{}
	}
	return rt.events
}

// ErrTimeout is the error of a wait that took too long.
var ErrTimeout = timeoutError{}

type timeoutError struct{}

func (timeoutError) Error() string { return "the wait timed out" }

// WaitEvent waits for an external event. Events that came before are taken
// first, the oldest one first; of several waits for a name the newest is served
// first. A wait that has lost a race (Group.Close was called before it ended, and
// no other code waits for it) takes no event until the code waits for it again.
func (rt *Runtime) WaitEvent(name string) *Task {
	rt.check()
	return rt.waitEvent(name).task
}

func (rt *Runtime) waitEvent(name string) *eventWait {
	w := &eventWait{name: name, since: rt.now(), task: &Task{rt: rt, id: history.NoID}}
	w.task.what = w
	if a, ok := rt.mail().take(w.key()); ok {
		w.task.settle(a.event.Input, nil)
		return w
	}
	rt.mail().wait(w)
	return w
}

// WaitEventUntil is WaitEvent that fails with ErrTimeout at a time. The timer
// is cancelled when the event comes first.
func (rt *Runtime) WaitEventUntil(name string, at time.Time) *Task {
	rt.check()
	w := rt.waitEvent(name)
	if w.task.done {
		return w.task
	}
	timer := rt.timer(at)
	if timer.done { // there is no such time
		w.end(nil, timer.err)
		return w.task
	}
	w.until, w.timer = at, timer
	timer.belongTo(w.task)
	w.timer.then = func() {
		if w.timer.err == nil {
			w.end(nil, ErrTimeout)
		}
	}
	return w.task
}

// end ends the wait, which takes no event any more, and cancels its timer.
func (w *eventWait) end(result history.Payload, err error) {
	if w.task.done {
		return
	}
	w.task.rt.events.forget(w)
	if w.timer != nil {
		w.timer.cancel()
	}
	w.task.settle(result, err)
}

// release takes the claim to the next event from a wait for which the code does
// not wait any more. Executions that an earlier engine began go on as they did
// there: a wait keeps its claim.
func (w *eventWait) release() {
	rt := w.task.rt
	if rt.instance.semantics < releasedWaits || w.task.done || w.released {
		return
	}
	w.released = true
	rt.events.forget(w)
}

// look ends a wait that was released with an event that has come meanwhile, if
// there is one that no other wait has taken.
func (w *eventWait) look() {
	if !w.released || w.task.done {
		return
	}
	if a, ok := w.task.rt.mail().take(w.key()); ok {
		w.end(a.event.Input, nil)
		w.task.order = a.settled
	}
}

// claim gives a wait that was released its claim back: the code waits for it
// again.
func (w *eventWait) claim() {
	if w.look(); w.released && !w.task.done {
		w.released = false
		w.task.rt.mail().wait(w)
	}
}

// TakeEvent takes an event that has come already; ok is false when none has.
func (rt *Runtime) TakeEvent(name string) (p history.Payload, ok bool) {
	rt.check()
	if a, ok := rt.mail().take(strings.ToLower(name)); ok {
		return a.event.Input, true
	}
	return nil, false
}

// raised gives an event to the newest wait for it, or keeps it.
func (rt *Runtime) raised(e *history.Event) {
	key := strings.ToLower(e.Name)
	mail := rt.mail()
	if waits := mail.waiting[key]; len(waits) > 0 && !rt.ended {
		waits[len(waits)-1].end(e.Input, nil)
		rt.drain()
		return
	}
	if mail.buffered == nil {
		mail.buffered = map[string][]arrival{}
	}
	rt.settled++
	mail.buffered[key] = append(mail.buffered[key], arrival{event: e, settled: rt.settled})
	mail.keep(e)
}

func (m *mailbox) keep(e *history.Event) {
	m.order = append(m.order, e)
	m.bytes += len(e.Input)
}

func (m *mailbox) take(key string) (arrival, bool) {
	queue := m.buffered[key]
	if len(queue) == 0 {
		return arrival{}, false
	}
	a := queue[0]
	m.buffered[key] = queue[1:]
	if len(queue) == 1 {
		delete(m.buffered, key)
	}
	if at := slices.Index(m.order, a.event); at >= 0 {
		m.order = slices.Delete(m.order, at, at+1)
		m.bytes -= len(a.event.Input)
	}
	return a, true
}

func (m *mailbox) wait(w *eventWait) {
	if m.waiting == nil {
		m.waiting = map[string][]*eventWait{}
	}
	m.waiting[w.key()] = append(m.waiting[w.key()], w)
}

func (m *mailbox) forget(w *eventWait) {
	key := w.key()
	at := slices.Index(m.waiting[key], w)
	switch {
	case at < 0:
	case len(m.waiting[key]) == 1:
		delete(m.waiting, key)
	default:
		m.waiting[key] = slices.Delete(m.waiting[key], at, at+1)
	}
}
