package worker

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
	"github.com/durable-go/functions/internal/taskhub/memory"
)

// A message that cannot be decoded is moved to the poison queue at its fifth delivery,
// with a log record that shows what it is; until then another version may take it.
func TestUndecodableMessageIsMovedAway(t *testing.T) {
	for name, c := range map[string]struct{ body, shows string }{
		"garbage":           {"\x00\x01garbage", `begins="\"\\x00\\x01garbage\""`},
		"an unknown event":  {`{"ActivityId":"a1","TaskMessage":{"Event":{"EventType":99},"OrchestrationInstance":{"InstanceId":"x"}}}`, "instance=x id=a1"},
		"long garbage":      {strings.Repeat("g", 5000), "bytes=5000"},
		"no instance in it": {`{"TaskMessage":{"Event":{"EventType":15}}}`, "names no instance"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub := memory.New(memory.Options{})
				var log bytes.Buffer
				polling(t, hub, each(1), func(o *Options) {
					o.Log = slog.New(slog.NewTextHandler(&log, nil))
					o.Poison = func(_ context.Context, queue, body string) error {
						hub.Put(queue+"-poison", body, 0)
						return nil
					}
				})
				hub.Put(controlQueue, c.body, 0)
				<-time.After(10 * time.Second)
				if n := hub.Pending(controlQueue); n != 1 {
					t.Errorf("%d messages on the queue after 10 s, want 1", n)
				}
				<-time.After(5 * time.Minute)
				moved, err := hub.Receive(t.Context(), controlQueue+"-poison", 32, time.Minute)
				if err != nil || len(moved) != 1 || moved[0].Lease.Body != c.body || hub.Pending(controlQueue) != 0 {
					t.Errorf("%d moved, %d left: %v", len(moved), hub.Pending(controlQueue), err)
				}
				if said := log.String(); strings.Count(said, "moved to the poison queue") != 1 || strings.Count(said, "put off") != 4 || !strings.Contains(said, c.shows) || len(said) > 8000 {
					t.Errorf("%s", said)
				}
			})
		})
	}
}

// unread is a store whose payloads cannot be decoded for the moment.
type unread struct{ hubtest.Hub }

func (u unread) Receive(ctx context.Context, queue string, most int, hide time.Duration) ([]taskhub.Delivery, error) {
	got, err := u.Hub.Receive(ctx, queue, most, hide)
	for i := range got {
		got[i].Message, got[i].Err = nil, taskhub.ErrSealed
	}
	return got, err
}

// A message that a key or a blob is missing for is kept, however often it comes.
func TestUnreadMessageIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := hubtest.Memory(t)
		polling(t, unread{hub}, each(1), func(o *Options) {
			o.Poison = func(context.Context, string, string) error {
				t.Error("it was moved away")
				return nil
			}
		})
		send(t, hub, controlQueue, taskhub.Look("x", "seed", time.Now()))
		<-time.After(time.Hour)
		if n := hub.Pending(controlQueue); n != 1 {
			t.Errorf("%d messages left, want 1", n)
		}
	})
}
