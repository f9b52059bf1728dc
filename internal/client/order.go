package client

import (
	"slices"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// Bounds of what is remembered for the order of events.
const (
	maxBefore  = 16
	sweepAbove = 1000
)

// order remembers, for each instance, the events that this client has raised
// last: an event that is raised after they were sent says so, and the worker
// delivers it after them, whatever ways the messages take.
type order struct {
	mu    sync.Mutex // guards the rest
	tails map[string][]taskhub.Earlier
	// crowded is the number of instances at which old ones are forgotten.
	crowded int
}

// before is what an event for the instance that is raised now comes after.
func (o *order) before(id string, now time.Time) []taskhub.Earlier {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(o.tails[id]), func(e taskhub.Earlier) bool { return now.Sub(e.Sent) > taskhub.OrderWindow })
}

// sent notes that an event is stored: those that it comes after need not be
// named any more.
func (o *order) sent(m *taskhub.Message) {
	id, now := m.Target.InstanceID, m.Event.Timestamp
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.tails == nil {
		o.tails = map[string][]taskhub.Earlier{}
	}
	tails := slices.DeleteFunc(o.tails[id], func(e taskhub.Earlier) bool {
		return now.Sub(e.Sent) > taskhub.OrderWindow || slices.ContainsFunc(m.After, func(a taskhub.Earlier) bool { return a.ID == e.ID })
	})
	tails = append(tails, taskhub.Earlier{ID: m.ID, Sent: now})
	o.tails[id] = tails[max(len(tails)-maxBefore, 0):]
	if len(o.tails) > max(o.crowded, sweepAbove) {
		o.sweep(now)
		o.crowded = 2 * len(o.tails)
	}
}

// sweep forgets instances whose last event is long ago. The caller holds the
// lock.
func (o *order) sweep(now time.Time) {
	for id, tails := range o.tails {
		if now.Sub(tails[len(tails)-1].Sent) > taskhub.OrderWindow {
			delete(o.tails, id)
		}
	}
}
