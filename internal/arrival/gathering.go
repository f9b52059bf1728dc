// Package arrival puts what clients of another make have sent to one room, an
// orchestration or an entity, into the order in which they have sent it. A queue does not
// keep that order, and the Functions host hands the messages of a batch over side by side.
package arrival

import (
	"cmp"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

const (
	// gather is how long messages are collected.
	gather = 20 * time.Millisecond
	// await is how long a message waits for the one before it whose number shows that
	// it is on its way, step how often that is looked at.
	await = 500 * time.Millisecond
	step  = 50 * time.Millisecond
)

// Gathering is the messages of a room that wait for those that belong before them. It is
// for one goroutine at a time; the zero value is empty.
type Gathering struct {
	list []taskhub.Delivery
	// since is when the first of them came.
	since time.Time
}

// Add collects a message, unless it is there.
func (g *Gathering) Add(d taskhub.Delivery, now time.Time) {
	if g.Has(d.Message.ID) {
		return
	}
	if g.IsEmpty() {
		g.since = now
	}
	g.list = append(g.list, d)
}

// IsEmpty reports whether nothing is gathered.
func (g *Gathering) IsEmpty() bool { return len(g.list) == 0 }

// Has reports whether the message with that id is gathered.
func (g *Gathering) Has(id string) bool {
	return slices.ContainsFunc(g.list, func(d taskhub.Delivery) bool { return d.Message.ID == id })
}

// Next is when to look again whether the messages are all there; zero: they are, or
// nothing more is waited for.
func (g *Gathering) Next(n *Numbers, now time.Time) time.Time {
	if at := g.since.Add(gather); now.Before(at) {
		return at
	}
	if !slices.ContainsFunc(g.list, func(d taskhub.Delivery) bool { return n.lacks(d, now) }) {
		return time.Time{}
	}
	if now.Before(g.since.Add(await)) {
		return now.Add(step)
	}
	n.waitedInVain(now)
	return time.Time{}
}

// Tellings are the messages for an inbox, in the order in which they were sent, as far as
// clients say. Each is told under its own id: it may come again. Their times grow, so
// that the inbox keeps the order. Origin is the execution that the message names.
func (g *Gathering) Tellings() []*taskhub.Telling {
	slices.SortStableFunc(g.list, inOrder)
	tellings := make([]*taskhub.Telling, len(g.list))
	var last time.Time
	for i, d := range g.list {
		m := d.Message
		t := &taskhub.Telling{ID: m.ID, Origin: m.Target.ExecutionID, Event: m.Event, Sent: m.Event.Timestamp, Sequence: m.Sequence}
		if t.Sent.IsZero() {
			t.Sent = d.Inserted
		}
		if !t.Sent.After(last) {
			t.Sent = last.Add(100 * time.Nanosecond)
		}
		last, tellings[i] = t.Sent, t
	}
	return tellings
}

// Clear forgets what was told.
func (g *Gathering) Clear() { *g = Gathering{} }

// inOrder is the order in which clients have sent messages, as far as they say.
func inOrder(a, b taskhub.Delivery) int {
	return cmp.Or(a.Message.Event.Timestamp.Compare(b.Message.Event.Timestamp), cmp.Compare(a.Message.Sequence, b.Message.Sequence))
}
