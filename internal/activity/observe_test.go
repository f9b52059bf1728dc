package activity

import (
	"context"
	"testing"

	"github.com/durable-go/functions/internal/history"
)

func TestNoObserverCostsNothing(t *testing.T) {
	p, r, ctx := &Pool{}, &Run{Call: &Call{}}, context.Background()
	if n := testing.AllocsPerRun(100, func() {
		_, ended := p.observe(ctx, r)
		ended(nil)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAttempt(t *testing.T) {
	for options, want := range map[string]int{``: 1, `{}`: 1, `{"timeout":5}`: 1, `{"attempt":3,"first":1}`: 3, `{"attempt":-1}`: 1, `nonsense`: 1} {
		if got := attemptOf(history.Payload(options)); got != want {
			t.Errorf("%s: %d", options, got)
		}
	}
	if got := attemptOf(nil); got != 1 {
		t.Errorf("no options: %d", got)
	}
}
