package worker

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// arrived are the events that came to an orchestration last, the latest at the
// end. They outlive continue-as-new, which begins a history that does not have
// them: the message of one may come again when its removal failed, and a later
// event of the same sender may ask whether one has come.
type arrived struct {
	events []arrival
	// forgotten is the time before which nothing is known: when the orchestration
	// was started, or when the latest one came that is not among events any more.
	forgotten time.Time
}

// arrival is an event that came at a time.
type arrival struct {
	ID string `json:"id"`
	// At is in seconds since 1970.
	At int64 `json:"at"`
}

// Bounds of what is remembered. A message comes again when the lease of the
// process that died with it ends, which is ten minutes at most: that of the
// Functions host.
const (
	maxArrived = 256
	longAgo    = 30 * time.Minute
)

// noteArrival remembers that an event has come, again perhaps.
func (in *instance) noteArrival(id string, at time.Time) {
	a := &in.arrived
	if in.seen[id] {
		a.events = slices.DeleteFunc(a.events, func(e arrival) bool { return e.ID == id })
	}
	in.seen[id] = true
	a.events = append(a.events, arrival{ID: id, At: at.Unix()})
	forget := max(len(a.events)-maxArrived, 0)
	for a.events[forget].At < at.Add(-longAgo).Unix() {
		forget++
	}
	for _, e := range a.events[:forget] {
		if came := time.Unix(e.At+1, 0); came.After(a.forgotten) {
			a.forgotten = came
		}
	}
	a.events = slices.Delete(a.events, 0, forget)
}

// kept is what an execution that continues as new tells the next one: the
// execution that a client or parent started, the messages whose removal is not
// confirmed, and the last events.
type kept struct {
	Origin    string    `json:"origin,omitempty"`
	Seen      []string  `json:"seen,omitempty"`
	Arrived   []arrival `json:"arrived,omitempty"`
	Forgotten time.Time `json:"forgotten,omitzero"`
	// Sent are the last events that were sent to other instances.
	Sent map[string]taskhub.Earlier `json:"sent,omitempty"`
}

// keep is what the next execution must know of the messages of this one.
func (in *instance) keep() history.Payload {
	for _, it := range in.unacked {
		if it.message != nil && it.message.Event.Type == history.EventRaised {
			in.noteArrival(it.message.ID, in.w.now())
		}
	}
	k := kept{Origin: cmp.Or(in.origin, in.execution), Arrived: in.arrived.events, Forgotten: in.arrived.forgotten, Sent: in.lastSent(in.w.now())}
	for id := range in.held {
		if !slices.ContainsFunc(in.early, func(it *item) bool { return it.message.ID == id }) {
			k.Seen = append(k.Seen, id)
		}
	}
	for _, it := range in.unacked {
		if m := it.message; m != nil && m.Event.Type != history.EventRaised && in.held[m.ID] == nil {
			k.Seen = append(k.Seen, m.ID)
		}
	}
	raw, err := json.Marshal(k)
	if err != nil {
		return nil
	}
	return raw
}

// rememberKept takes over what the execution before has told.
func (in *instance) rememberKept(e *history.Event) {
	in.arrived.forgotten = e.Timestamp
	var k kept
	if e.Own.Options == nil || json.Unmarshal(e.Own.Options, &k) != nil {
		return
	}
	for _, id := range k.Seen {
		in.seen[id] = true
	}
	for _, a := range k.Arrived {
		in.seen[a.ID] = true
	}
	in.origin, in.sentEarlier = k.Origin, k.Sent
	in.arrived = arrived{events: k.Arrived, forgotten: k.Forgotten}
}
