package client

import (
	"context"
	"testing"

	"github.com/durable-go/functions/internal/history"
)

func TestNoObserverCostsNothing(t *testing.T) {
	c, ctx := &Client{}, context.Background()
	if n := testing.AllocsPerRun(100, func() {
		_, started := c.observeStart(ctx, nil)
		started(nil, nil)
		_, raised := c.observeRaise(ctx, "", nil)
		raised(nil)
		c.observeSignals(ctx, history.EntityID{}, nil)(nil)
		_, called := c.observeCall(ctx, nil, nil)
		called(nil, nil)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
