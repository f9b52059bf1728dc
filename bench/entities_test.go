package bench

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/entity"
	"github.com/durable-go/functions/internal/history"
)

// sum is the entity of these tests: its one operation adds.
var sum = history.NewEntityID("sum", "k")

func sums(string) (*entity.Code, error) {
	return &entity.Code{Run: func(_ context.Context, op *entity.Operation) *entity.Outcome {
		n, err := read(op.Input)
		if before, bad := read(op.State); op.State != nil && bad == nil {
			n += before
		}
		if err != nil {
			return &entity.Outcome{Failure: &history.FailureDetails{ErrorMessage: err.Error()}}
		}
		return &entity.Outcome{Result: number(n), State: number(n)}
	}}, nil
}

// callSum calls the entity n times, one after the other.
func callSum(rt *engine.Runtime, n int) (history.Payload, error) {
	for range n {
		if _, err := rt.CallEntity(&engine.EntityCall{Entity: sum, Operation: "add", Input: number(1)}).Await(); err != nil {
			return nil, err
		}
	}
	return number(n), nil
}

func (r *rig) sum() int {
	r.t.Helper()
	s, err := r.client.ReadEntity(r.t.Context(), sum)
	r.must(err)
	n, err := read(s.State)
	r.must(err)
	return n
}

// TestSignals: 10,000 signals from clients of one process to one entity are 10,000
// inserts and few requests of the worker.
func TestSignals(t *testing.T) {
	const n, atOnce = 10_000, 16
	bubble(t, rigOptions{}, func(r *rig) {
		var group sync.WaitGroup
		gate := make(chan struct{}, atOnce)
		for range n {
			gate <- struct{}{}
			group.Go(func() {
				defer func() { <-gate }()
				r.must(r.client.SignalEntities(r.t.Context(), client.EntityRequest{Entity: sum, Operation: "add", Input: number(1)}))
			})
		}
		group.Wait()
		r.settle()
		counts := r.account.Counts()
		if got := r.sum(); got != n {
			t.Errorf("the sum of %d signals is %d", n, got)
		}
		all := requests(counts)
		t.Logf("%d signals: %d requests, %d of them not those of the tellings", n, all, all-n)
		if all-n > n/20 {
			t.Errorf("%d requests of the worker\n%s", all-n, report("signals", counts, 0))
		}
	})
}

// TestManySignals: those that a client sends together are stored 49 at a time.
func TestManySignals(t *testing.T) {
	const n = 4_900
	bubble(t, rigOptions{}, func(r *rig) {
		list := make([]client.EntityRequest, n)
		for i := range list {
			list[i] = client.EntityRequest{Entity: sum, Operation: "add", Input: number(1)}
		}
		r.must(r.client.SignalEntities(r.t.Context(), list...))
		r.settle()
		if got := r.sum(); got != n {
			t.Errorf("the sum of %d signals is %d", n, got)
		}
		t.Logf("%d signals in one call: %d requests", n, requests(r.account.Counts()))
	})
}

// TestEntityCalls: what the calls of an entity cost beside what activities do.
func TestEntityCalls(t *testing.T) {
	const n = 20
	cost := func(orchestrator string) (all int) {
		bubble(t, rigOptions{plain: true}, func(r *rig) {
			<-r.begin(orchestrator, n)
			pass(time.Minute)
			r.settle()
			all = requests(r.account.Counts())
			completed(t, r, n)
		})
		return all
	}
	chain, calls := cost("chain"), cost("calls")
	t.Logf("%d activities: %d requests; %d calls: %d", n, chain, n, calls)
	// Telling, look, commit and row of the entity; a wake-up and the answer, each sent and
	// removed; and what begins and ends.
	if calls-chain > 6*n+6 {
		t.Errorf("a call of an entity takes %.1f requests more than an activity", float64(calls-chain)/n)
	}
}
