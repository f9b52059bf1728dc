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
	// forgotten is the time before which not all is known that a sender may ask
	// for: when the orchestration was started, or when the latest one came that is
	// not among events any more and that no later one of its sender has followed.
	forgotten time.Time
	// before is what forgotten was when the execution began: what has come since
	// is in its history.
	before time.Time
	// unsure are the last events that had come when this process, or one before it,
	// read the history: who had taken them may have died before it removed their
	// messages, and they come again, whatever has come since. held are the messages
	// that the execution before held when it ended.
	unsure []arrival
	held   []string
}

// arrival is an event that came at a time.
type arrival struct {
	ID string `json:"id"`
	// At is in seconds since 1970.
	At int64 `json:"at"`
	// Followed says that a later one of the same sender has come.
	Followed bool `json:"next,omitempty"`
}

// Bounds of what is remembered. A message comes again when the lease of the
// process that died with it ends, which is ten minutes at most: that of the
// Functions host.
const (
	maxArrived = 256
	maxUnsure  = 64
	longAgo    = 30 * time.Minute
)

// outlives tells which messages mean the same to an execution that continues
// another one: those of clients that are not the end.
func outlives(t history.Type) bool {
	switch t {
	case history.EventRaised, history.ExecutionSuspended, history.ExecutionResumed:
		return true
	}
	return false
}

// noteArrival remembers that an event has come, again perhaps.
func (in *instance) noteArrival(id string, at time.Time) {
	a, latest := &in.arrived, arrival{ID: id, At: at.Unix(), Followed: in.followed[id]}
	if known := slices.IndexFunc(a.events, func(e arrival) bool { return e.ID == id }); in.seen[id] && known >= 0 {
		latest.Followed = latest.Followed || a.events[known].Followed
		a.events = slices.Delete(a.events, known, known+1)
	}
	in.seen[id] = true
	a.events = append(a.events, latest)
	for a.events[0].At < at.Add(-longAgo).Unix() {
		a.forget(0)
	}
	for len(a.events) > maxArrived {
		// What is followed is not asked for any more, but may come again.
		followed := slices.IndexFunc(a.events[:maxArrived/2], func(e arrival) bool { return e.Followed })
		a.forget(max(followed, 0))
	}
}

func (a *arrived) forget(i int) {
	e := a.events[i]
	if came := time.Unix(e.At+1, 0); !e.Followed && came.After(a.forgotten) {
		a.forgotten = came
	}
	a.events = slices.Delete(a.events, i, i+1)
}

// noteFollowed notes that an event has come after others of its sender.
func (in *instance) noteFollowed(by *taskhub.Message) {
	for _, e := range by.After {
		if in.followed == nil {
			in.followed = map[string]bool{}
		}
		in.followed[e.ID] = true
		if at := slices.IndexFunc(in.arrived.events, func(a arrival) bool { return a.ID == e.ID }); at >= 0 {
			in.arrived.events[at].Followed = true
		}
	}
}

// doubt notes which messages may come again because another process had them.
func (in *instance) doubt() {
	a := &in.arrived
	for _, id := range a.held {
		a.unsure = append(a.unsure, arrival{ID: id, At: in.w.now().Unix()})
	}
	a.unsure = append(a.unsure, a.events[max(len(a.events)-maxUnsure, 0):]...)
	known := map[string]bool{}
	a.unsure = slices.DeleteFunc(a.unsure, func(e arrival) bool {
		twice := known[e.ID]
		known[e.ID] = true
		return twice
	})
	slices.SortStableFunc(a.unsure, func(e, other arrival) int { return cmp.Compare(e.At, other.At) })
	a.unsure = a.unsure[max(len(a.unsure)-maxUnsure, 0):]
}

// kept is what an execution that continues as new tells the next one: the
// execution that a client or parent started, the messages whose removal is not
// confirmed, and the last events.
type kept struct {
	Origin    string    `json:"origin,omitempty"`
	Seen      []string  `json:"seen,omitempty"`
	Arrived   []arrival `json:"arrived,omitempty"`
	Forgotten time.Time `json:"forgotten,omitzero"`
	Unsure    []arrival `json:"unsure,omitempty"`
	// Sent are the last events that were sent to other instances.
	Sent map[string]taskhub.Earlier `json:"sent,omitempty"`
}

// keep is what the next execution must know of the messages of this one.
func (in *instance) keep() *kept {
	for _, it := range in.unacked[in.noted:] {
		if it.message != nil && outlives(it.message.Event.Type) {
			in.noteArrival(it.message.ID, in.w.now())
		}
	}
	in.noted = len(in.unacked)
	k := &kept{Origin: cmp.Or(in.origin, in.execution), Arrived: in.arrived.events, Forgotten: in.arrived.forgotten, Sent: in.lastSent(in.w.now())}
	for _, e := range in.arrived.unsure {
		if e.At >= in.w.now().Add(-longAgo).Unix() {
			k.Unsure = append(k.Unsure, e)
		}
	}
	for id := range in.held {
		if !slices.ContainsFunc(in.early, func(it *item) bool { return it.message.ID == id }) {
			k.Seen = append(k.Seen, id)
		}
	}
	for _, it := range in.unacked {
		if m := it.message; m != nil && !outlives(m.Event.Type) && in.held[m.ID] == nil {
			k.Seen = append(k.Seen, m.ID)
		}
	}
	return k
}

// outlast tells a new execution what came to the one before, which had its
// instance id: the messages of events may come again, and name no execution.
func (in *instance) outlast(start *history.Event, a arrived) (err error) {
	k := &kept{Forgotten: start.Timestamp, Arrived: a.events, Unsure: a.unsure}
	if len(k.Arrived)+len(k.Unsure) > 0 {
		start.Own.Options, err = json.Marshal(k)
	}
	in.recall(k)
	return err
}

// rememberStart takes over what the execution before has told.
func (in *instance) rememberStart(e *history.Event) {
	k := &kept{Forgotten: e.Timestamp}
	if e.Own.Options != nil && json.Unmarshal(e.Own.Options, k) != nil {
		k = &kept{Forgotten: e.Timestamp}
	}
	in.recall(k)
}

func (in *instance) recall(k *kept) {
	for _, id := range k.Seen {
		in.seen[id] = true
	}
	for _, a := range slices.Concat(k.Arrived, k.Unsure) {
		in.seen[a.ID] = true
	}
	in.origin, in.sentEarlier = k.Origin, k.Sent
	in.arrived = arrived{events: k.Arrived, forgotten: k.Forgotten, before: k.Forgotten, unsure: k.Unsure, held: k.Seen}
}
