package worker

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

// A client that does not know whether its start was stored deletes the row and repeats
// the start, whose message may come before the row. Where the first had run to its end
// without a row meanwhile, the row shows that end.
func TestStartThatIsRepeatedAfterItsEndIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := hubtest.Memory(t)
		var once sync.Once
		store := &hooked{Store: hub, commit: func(*taskhub.Commit) error {
			once.Do(func() { hub.(interface{ Delete(id string) }).Delete("i") })
			return nil
		}}
		polling(t, store, func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
			_, err := rt.Timer(rt.Now().Add(time.Second)).Await()
			return history.Payload(`"done"`), err
		}, nil)
		m, row := startMessage("i")
		if err := hub.Insert(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		send(t, hub, controlQueue, m)
		<-time.After(time.Minute)
		if head, err := hub.Head(t.Context(), "i"); err != nil || !head.State.Ended {
			t.Fatalf("%+v, %v", head.State, err)
		}
		send(t, hub, controlQueue, m)
		<-time.After(1500 * time.Millisecond)
		if err := hub.Insert(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		if got := finished(t, hub, "i", time.Minute); got.Status != history.Completed || string(got.Output) != `"done"` {
			t.Errorf("%v %s", got.Status, got.Output)
		}
	})
}
