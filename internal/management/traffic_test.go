package management

import (
	"slices"
	"testing"
	"time"
)

func TestTraffic(t *testing.T) {
	var traffic Traffic
	now := begin.Truncate(time.Minute)
	for minute, n := range []int{3, 0, 2, 7} {
		for range n {
			traffic.Count(now.Add(time.Duration(minute)*time.Minute + time.Duration(n)*time.Second))
		}
	}
	got := traffic.Minutes(now.Add(3*time.Minute + 59*time.Second))
	if want := []int{3, 0, 2}; len(got) != trafficMinutes || !slices.Equal(got[trafficMinutes-3:], want) {
		t.Errorf("%v, want %v at the end", got, want)
	}
	got = traffic.Minutes(now.Add(4 * time.Minute))
	if want := []int{3, 0, 2, 7}; !slices.Equal(got[trafficMinutes-4:], want) {
		t.Errorf("%v, want %v at the end", got, want)
	}
	// What is older than it is known is forgotten, however long nothing was counted.
	for _, later := range []time.Duration{20 * time.Minute, 1000 * time.Hour} {
		if got := traffic.Minutes(now.Add(later)); slices.Max(got) != 0 {
			t.Errorf("after %v: %v", later, got)
		}
	}
	traffic.Count(now.Add(1000 * time.Hour))
	if got := traffic.Minutes(now.Add(1000*time.Hour + time.Minute)); got[trafficMinutes-1] != 1 {
		t.Errorf("%v", got)
	}
}
