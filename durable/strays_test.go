package durable

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

// Control queues that a client with more partitions sends to are found within a minute
// and then read every second; the log tells once. Other queues are left alone.
func TestStrayControlQueuesAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := hubtest.Strict(t)
		raw := any(hub).(interface {
			rawQueues
			Peek(ctx context.Context, queue string) ([]azure.RawMessage, error)
		})
		put := func(queue, seed string) {
			m := taskhub.EncodeBody(taskhub.EncodeMessage(taskhub.Look("x", seed, time.Now())))
			if err := raw.Put(t.Context(), queue, m); err != nil {
				t.Fatal(err)
			}
		}
		var taken atomic.Int64
		warned := 0
		ctx, cancel := context.WithCancel(t.Context())
		s := &strays{hub: hubtest.Name, queue: raw, warn: func(string) { warned++ }, receive: func(ctx context.Context, queue string) (int, error) {
			got, err := hub.Receive(ctx, queue, strayBatch, time.Minute)
			for _, d := range got {
				taken.Add(1)
				if err := hub.Remove(ctx, d.Lease); err != nil {
					return 0, err
				}
			}
			return len(got), err
		}}
		look := func() {
			if err := s.look(ctx); err != nil {
				t.Fatal(err)
			}
		}
		look()
		for n := range 40 {
			put("testhub-control-03", string(rune('a'+n)))
		}
		for _, other := range []string{"testhub-control-16", "testhub-control-3", "testhub-control-02-poison", "testhub-workitems-01"} {
			put(other, "x")
		}
		look()
		<-time.After(2 * time.Second)
		if n := taken.Load(); n != 40 {
			t.Errorf("%d of 40 messages were taken", n)
		}
		<-time.After(2 * time.Minute)
		put("testhub-control-03", "later")
		<-time.After(2 * time.Second)
		if n := taken.Load(); n != 41 || warned != 1 || !s.isActive("testhub-control-03") {
			t.Errorf("%d of 41 messages were taken, %d warnings", n, warned)
		}
		<-time.After(strayLasts + time.Minute)
		if s.isActive("testhub-control-03") {
			t.Error("a queue without messages is read for good")
		}
		cancel()
		s.group.Wait()
	})
}
