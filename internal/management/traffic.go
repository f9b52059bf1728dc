package management

import (
	"sync"
	"time"
)

// trafficMinutes is how far back the traffic is known.
const trafficMinutes = 15

// Traffic counts the requests to storage of a process by the minute. Its zero value is
// ready; its methods may be called concurrently.
type Traffic struct {
	mu sync.Mutex // guards the rest
	// counts are those of the minutes, a ring; newest is the number of the last one.
	counts [trafficMinutes + 1]int
	newest int64
}

// Count counts one request.
func (t *Traffic) Count(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	minute := t.turn(now)
	t.counts[minute%int64(len(t.counts))]++
}

// turn clears the minutes in which nothing was counted, and returns the present one.
func (t *Traffic) turn(now time.Time) int64 {
	minute := now.Unix() / 60
	if minute-t.newest > int64(len(t.counts)) {
		t.newest = minute - int64(len(t.counts))
	}
	for t.newest < minute {
		t.newest++
		t.counts[t.newest%int64(len(t.counts))] = 0
	}
	return t.newest
}

// Minutes are the counts of the last full minutes, the oldest first.
func (t *Traffic) Minutes(now time.Time) []int {
	t.mu.Lock()
	defer t.mu.Unlock()
	minute := t.turn(now)
	out := make([]int, 0, trafficMinutes)
	for m := minute - trafficMinutes; m < minute; m++ {
		out = append(out, t.counts[(m+int64(len(t.counts)))%int64(len(t.counts))])
	}
	return out
}
