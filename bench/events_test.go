package bench

import (
	"sync"
	"testing"
	"time"
)

// raise raises n events for the orchestration, so many at the same time.
func (r *rig) raise(n, atOnce int) {
	var group sync.WaitGroup
	gate := make(chan struct{}, atOnce)
	for range n {
		gate <- struct{}{}
		group.Go(func() {
			defer func() { <-gate }()
			if err := r.client.Raise(r.t.Context(), "bench", "go", number(1)); err != nil {
				r.t.Error(err)
			}
		})
	}
	group.Wait()
}

// TestAnEvent: an event that comes alone costs a read of the row, the transaction that
// stores it, a wake-up that is sent and removed, and one look; the rest is its turn.
func TestAnEvent(t *testing.T) {
	bubble(t, rigOptions{}, func(r *rig) {
		<-r.begin("events", 2)
		r.settle()
		r.account.Reset()
		r.raise(1, 1)
		r.settle()
		counts := r.account.Counts()
		// row, telling, message, look, commit, removal
		if got := requests(counts); got != 6 {
			t.Errorf("an event took %d requests, want 6\n%s", got, report("event", counts, 0))
		}
	})
}

// TestBurstOfEvents: what comes together is taken in together, and needs few wake-ups.
func TestBurstOfEvents(t *testing.T) {
	const n = 500
	for _, atOnce := range []int{1, 16, n} {
		bubble(t, rigOptions{}, func(r *rig) {
			<-r.begin("events", n)
			r.settle()
			r.account.Reset()
			r.raise(n, atOnce)
			r.settle()
			counts := r.account.Counts()
			completed(t, r, n)
			reads := 0
			for _, c := range counts {
				if c.Target == hubName+"Instances" && c.Operation == "get" {
					reads += c.Requests
				}
			}
			// Beside the read of the row that each raise begins with.
			if got := requests(counts) - reads; atOnce > 1 && got > 620 {
				t.Errorf("%d events, %d at once, took %d requests, want at most 620\n%s", n, atOnce, got, report("events", counts, 0))
			}
			t.Logf("%d events, %d at once: %d requests and %d reads of the row", n, atOnce, requests(counts)-reads, reads)
		})
	}
}

// TestFanOutOfWork: a fan-out of activities that wait takes little more than the slots
// need, and none runs twice.
func TestFanOutOfWork(t *testing.T) {
	const n, slots, takes = 1000, 20, 20 * time.Millisecond
	bubble(t, rigOptions{takes: takes}, func(r *rig) {
		began := time.Now()
		changed := r.begin("fan-out", n)
		for {
			<-changed
			if row := r.result(); row.Status.Finished() {
				break
			}
			changed, _ = r.worker.Watch("bench")
		}
		took := time.Since(began)
		r.settle()
		completed(t, r, n)
		ideal := n / slots * takes
		if ratio := float64(took) / float64(ideal); ratio > 1.3 {
			t.Errorf("it took %v, %.2f times what %d slots need", took, ratio, slots)
		}
		if got := requests(r.account.Counts()); got > 250 {
			t.Errorf("%d requests", got)
		}
		t.Logf("%v for %d activities of %v in %d slots; %d requests", took, n, takes, slots, requests(r.account.Counts()))
	})
}
