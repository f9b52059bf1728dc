package orchestration

import (
	"encoding/json"
	"slices"

	"github.com/durable-go/functions/durable/observe"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/tracing"
)

const (
	// maxLinks is how many links a span has where nothing else is set.
	maxLinks = 128
	// maxCarried is how many of them a continuation is told of: they are a part of its
	// first event.
	maxCarried = 32
)

// carriedLinks are the options (Own.Options) of the ExecutionStarted of a continuation:
// the traceparents of the senders of events that the executions before it have taken in.
type carriedLinks struct {
	Links []string `json:"links"`
}

// links are the contexts in which the events were sent that the execution, and those that
// it continues, have taken in: the last ones, at most so many.
func (x *execution) links(most int) (out []observe.Trace) {
	seen := map[string]bool{}
	add := func(t observe.Trace) {
		if t.Valid() && !seen[t.Parent] {
			seen[t.Parent] = true
			out = append(out, t)
		}
	}
	if e := x.started(); e != nil && e.Own.Options != nil {
		var carried carriedLinks
		_ = json.Unmarshal(e.Own.Options, &carried) // what another version wrote there is left out
		for _, parent := range carried.Links {
			add(observe.Trace{Parent: parent})
		}
	}
	for _, events := range [][]*history.Event{x.record.events, x.draft.events} {
		for _, e := range events {
			if e.Type == history.EventRaised {
				add(tracing.Of(e.Trace))
			}
		}
	}
	return out[max(len(out)-most, 0):]
}

// carryLinks gives the start of a continuation the links of the execution before it. An
// event that this one has kept for it is among them, and counts once.
func (in *Instance) carryLinks(next []*history.Event) {
	if in.Observer == nil {
		return
	}
	links := in.x.links(maxCarried)
	at := slices.IndexFunc(next, func(e *history.Event) bool { return e.Type == history.ExecutionStarted })
	if len(links) == 0 || at < 0 {
		return
	}
	var carried carriedLinks
	for _, t := range links {
		carried.Links = append(carried.Links, t.Parent)
	}
	next[at].Own.Options, _ = json.Marshal(carried) // texts can be encoded
}
