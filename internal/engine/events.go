package engine

import (
	"strings"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// mailbox holds the external events that nobody has waited for yet and the
// waits that no event has ended yet, by the lower-case name. For each name one
// of the two is empty.
type mailbox struct {
	buffered map[string][]*history.Event
	waiting  map[string][]*Task
	// order has the buffered events of all names as they came, and what clients
	// sent after the code had continued as new: that carries them over.
	order []*history.Event
}

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
// first, so that a wait that lost a race does not swallow the event.
func (rt *Runtime) WaitEvent(name string) *Task {
	rt.check()
	return rt.waitEvent(strings.ToLower(name))
}

func (rt *Runtime) waitEvent(key string) *Task {
	t := &Task{rt: rt, id: history.NoID}
	if e := rt.mail().take(key); e != nil {
		t.settle(e.Input, nil)
		return t
	}
	mail := rt.mail()
	if mail.waiting == nil {
		mail.waiting = map[string][]*Task{}
	}
	mail.waiting[key] = append(mail.waiting[key], t)
	return t
}

// WaitEventUntil is WaitEvent that fails with ErrTimeout at a time. The timer
// is cancelled when the event comes first.
func (rt *Runtime) WaitEventUntil(name string, at time.Time) *Task {
	rt.check()
	key := strings.ToLower(name)
	event := rt.waitEvent(key)
	if event.done {
		return event
	}
	t := &Task{rt: rt, id: history.NoID}
	timer := rt.timer(at)
	event.then = func() {
		timer.cancel()
		t.settle(event.result, nil)
	}
	timer.then = func() {
		if event.done || timer.err != nil {
			return
		}
		rt.events.forget(key, event)
		t.settle(nil, ErrTimeout)
	}
	return t
}

// TakeEvent takes an event that has come already; ok is false when none has.
func (rt *Runtime) TakeEvent(name string) (p history.Payload, ok bool) {
	rt.check()
	if e := rt.mail().take(strings.ToLower(name)); e != nil {
		return e.Input, true
	}
	return nil, false
}

// raised gives an event to the newest wait for it, or keeps it.
func (rt *Runtime) raised(e *history.Event) {
	key := strings.ToLower(e.Name)
	mail := rt.mail()
	if waits := mail.waiting[key]; len(waits) > 0 && !rt.ended {
		newest := waits[len(waits)-1]
		mail.waiting[key] = waits[:len(waits)-1]
		newest.settle(e.Input, nil)
		rt.drain()
		return
	}
	if mail.buffered == nil {
		mail.buffered = map[string][]*history.Event{}
	}
	mail.buffered[key] = append(mail.buffered[key], e)
	mail.order = append(mail.order, e)
}

func (m *mailbox) take(key string) *history.Event {
	queue := m.buffered[key]
	if len(queue) == 0 {
		return nil
	}
	e := queue[0]
	m.buffered[key] = queue[1:]
	if len(queue) == 1 {
		delete(m.buffered, key)
	}
	for i, other := range m.order {
		if other == e {
			m.order = append(m.order[:i], m.order[i+1:]...)
			break
		}
	}
	return e
}

func (m *mailbox) forget(key string, t *Task) {
	waits := m.waiting[key]
	for i, other := range waits {
		if other == t {
			m.waiting[key] = append(waits[:i], waits[i+1:]...)
			return
		}
	}
}
