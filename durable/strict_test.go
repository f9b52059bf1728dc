package durable

import (
	"fmt"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/durable-go/functions/internal/taskhub/hubtest"
	"github.com/durable-go/functions/internal/worker"
)

// strictDays are how many random days a test has on a storage account that answers
// as the real service: such a day costs many times what it costs in memory.
const strictDays = 6

// TestPlansOnAStrictDay is TestPlansOnABadDay on such an account, of which the
// processes also get 503 and 429, short and empty pages, and no answers at all.
func TestPlansOnAStrictDay(t *testing.T) {
	plans := rapid.Custom(func(rt *rapid.T) plan { return drawPlan(rt, 0) })
	for n := range strictDays {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			p := plans.Example(n)
			synctest.Test(t, func(t *testing.T) {
				meanwhile := pester
				if n%3 > 0 {
					meanwhile = nil
				}
				d := badDay(t, hubtest.Strict, p, uint64(n), []worker.Dispatch{worker.Local, worker.Queue}[n%2], meanwhile)
				if wrong := d.differs(p); wrong != "" {
					t.Error(wrong)
				}
			})
		})
	}
}

// TestEventsKeepTheirOrderStrictly is TestEventsKeepTheirOrder on such an account.
func TestEventsKeepTheirOrderStrictly(t *testing.T) {
	for n := range strictDays {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, raised, state := raiseOnABadDay(t, hubtest.Strict, uint64(n), n%4, n%3, []worker.Dispatch{worker.Local, worker.Queue}[n%2])
				if wrong := misplaced(got, raised); wrong != "" {
					t.Errorf("%s\ngot %v\n%s", wrong, got, state)
				}
			})
		})
	}
}
