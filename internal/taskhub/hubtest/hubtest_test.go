package hubtest_test

import (
	"os"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

func TestMain(m *testing.M) { os.Exit(azuritetest.RunWithoutLeaks(m)) }

// TestKinds: what one process writes another one and the observer see, also when
// answers are lost.
func TestKinds(t *testing.T) {
	for name, open := range map[string]hubtest.Kind{"memory": hubtest.Memory, "strict": hubtest.Strict, "Azurite": hubtest.Azurite} {
		t.Run(name, func(t *testing.T) {
			hub := open(t)
			one, other := hub.Process(fake.Nth("table", "insert", 1, fake.Fault{Lost: true})), hub.Process(nil)
			row := &taskhub.Instance{ID: "i", ExecutionID: "e", Name: "O", Status: history.Pending, Created: time.Now(), Updated: time.Now()}
			_ = one.Insert(t.Context(), row) // its answer may be lost
			for _, store := range []taskhub.Store{one, other, hub} {
				if got, err := store.Instance(t.Context(), "i"); err != nil || got.Name != "O" {
					t.Errorf("%+v, %v", got, err)
				}
			}
			queue := taskhub.ControlQueue(hubtest.Name)
			if name == "Azurite" {
				return
			}
			m := &taskhub.Message{ID: taskhub.NewGUID(), Target: history.InstanceRef{InstanceID: "i"}, Event: &history.Event{Type: history.EventRaised, ID: history.NoID, Name: "E", Timestamp: time.Now()}}
			if _, err := one.Send(t.Context(), queue, m, time.Minute); err != nil || hub.Pending(queue) != 1 {
				t.Errorf("%d messages, %v", hub.Pending(queue), err)
			}
		})
	}
}
