package worker

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

// The row of an instance that another client has started gets what that client leaves to
// the engine: the input that is in a blob of the client, and the empty custom status. The
// row and the history tell the same time of the end.
func TestRowOfAnotherClientIsCompleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := hubtest.Memory(t)
		var changes []taskhub.Change
		store := &hooked{Store: hub, merge: func(_ string, c taskhub.Change) error {
			changes = append(changes, c)
			return nil
		}}
		polling(t, store, each(2), nil)
		m, row := startMessage("i")
		m.Event.Input = history.Payload(`"the input"`)
		if err := hub.Insert(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		send(t, hub, controlQueue, m)
		row = finished(t, hub, "i", time.Minute)
		if string(row.Input) != `"the input"` || row.Origin != row.ExecutionID {
			t.Errorf("the row has the input %s and the origin %q", row.Input, row.Origin)
		}
		written := 0
		for _, c := range changes {
			if c.Input != nil {
				written++
				if c.CustomStatus == nil || *c.CustomStatus != nil {
					t.Error("the empty custom status was not written")
				}
			}
		}
		if written != 1 {
			t.Errorf("the input was written %d times, want once", written)
		}
		loaded, err := hub.Load(t.Context(), "i", 0)
		if err != nil {
			t.Fatal(err)
		}
		last := loaded.Events[len(loaded.Events)-1]
		if !row.Updated.Equal(last.Timestamp) || !row.Completed.Equal(last.Timestamp) {
			t.Errorf("the row was updated at %v and completed at %v, the last event is of %v", row.Updated, row.Completed, last.Timestamp)
		}
	})
}
