package client

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/memory"
)

// stumbling is a hub whose third telling is lost.
type stumbling struct {
	*memory.Hub
	calls []int
}

func (s *stumbling) Tell(ctx context.Context, id string, tellings ...*taskhub.Telling) error {
	if s.calls = append(s.calls, len(tellings)); len(s.calls) == 3 {
		return errors.New("connection reset by peer")
	}
	return s.Hub.Tell(ctx, id, tellings...)
}

// What is stored of many signals is not told again when a later part is lost.
func TestManySignalsGoOnWhereTheyWere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := &stumbling{Hub: memory.New(memory.Options{})}
		c := New(hub, Options{Queue: "control"})
		id := history.NewEntityID("Cell", "k")
		list := make([]EntityRequest, 3*taskhub.MaxTold+1)
		for i := range list {
			list[i] = EntityRequest{Entity: id, Operation: "add"}
		}
		if err := c.SignalEntities(t.Context(), list...); err != nil {
			t.Fatal(err)
		}
		told := 0
		for _, n := range hub.calls {
			told += n
		}
		if len(hub.calls) != 5 || told != len(list)+taskhub.MaxTold {
			t.Errorf("told %v of %d", hub.calls, len(list))
		}
		in, err := hub.Look(t.Context(), id.String(), taskhub.LookOptions{Now: time.Now().Add(time.Hour)})
		if err != nil || in.Waiting != len(list) {
			t.Errorf("%d signals wait, %v", in.Waiting, err)
		}
	})
}
