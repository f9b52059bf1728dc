package worker

import (
	"fmt"
	"testing"
	"time"
)

// What came is remembered for as long as its message may come again, each event
// once, and no more of them than a row has room for.
func TestArrivals(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	in := &instance{seen: map[string]bool{}}
	has := func(id string) bool {
		for _, e := range in.arrived.events {
			if e.ID == id {
				return true
			}
		}
		return false
	}
	in.noteArrival("a", now)
	in.noteArrival("b", now.Add(longAgo/2))
	for range 2 * maxArrived {
		in.noteArrival("b", now.Add(longAgo/2))
	}
	if len(in.arrived.events) != 2 || !has("a") || !in.arrived.forgotten.IsZero() {
		t.Errorf("one that came many times: %+v", in.arrived)
	}
	in.noteArrival("a", now.Add(longAgo))
	in.noteArrival("c", now.Add(longAgo+longAgo/2+time.Second))
	if !has("a") || has("b") || !in.arrived.forgotten.Equal(now.Add(longAgo/2+time.Second)) {
		t.Errorf("the one that has not come for long is not forgotten: %+v", in.arrived)
	}
	for n := range 2 * maxArrived {
		in.noteArrival(fmt.Sprint(n), now.Add(2*longAgo))
	}
	if len(in.arrived.events) != maxArrived || has("c") || !in.arrived.forgotten.After(now.Add(2*longAgo)) {
		t.Errorf("%d are remembered, what came before %v is forgotten", len(in.arrived.events), in.arrived.forgotten)
	}
}
