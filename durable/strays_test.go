package durable

import (
	"context"
	"errors"
	"slices"
	"sync"
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
		var warned sync.Once
		var first string
		ctx, cancel := context.WithCancel(t.Context())
		s := &strays{hub: hubtest.Name, queue: raw, warn: func(queue string) { warned.Do(func() { first = queue }) }, room: plenty, receive: func(ctx context.Context, queue string, most int) (int, error) {
			got, err := hub.Receive(ctx, queue, most, time.Minute)
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
		if n := taken.Load(); n != 41 || first != "testhub-control-03" || !s.isActive("testhub-control-03") {
			t.Errorf("%d of 41 messages were taken, the warning names %q", n, first)
		}
		// One that another client makes meanwhile is found sooner, and followed at once.
		if err := raw.Put(t.Context(), "testhub-control-05", "x"); err != nil {
			t.Fatal(err)
		}
		<-time.After(straySeek + time.Second)
		if n := taken.Load(); n != 42 || !s.isActive("testhub-control-05") {
			t.Errorf("%d of 42 messages were taken", n)
		}
		<-time.After(strayLasts + time.Minute)
		if s.isActive("testhub-control-03") || s.isActive("testhub-control-05") || s.seeks {
			t.Error("a queue without messages is read for good")
		}
		cancel()
		s.group.Wait()
	})
}

// A queue that a client makes and has not sent to yet is read every second from the
// next look on; one that was there when the process began is not.
func TestStrayQueueIsReadThatAClientMakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := &queueNames{"testhub-control-01"}
		asked := map[string]int{}
		var mu sync.Mutex
		ctx, cancel := context.WithCancel(t.Context())
		s := &strays{hub: "testhub", queue: names, warn: func(string) {}, room: plenty, receive: func(_ context.Context, queue string, _ int) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			asked[queue]++
			return 0, nil
		}}
		for range 2 {
			if err := s.look(ctx); err != nil {
				t.Fatal(err)
			}
			*names = append(*names, "testhub-control-02")
		}
		<-time.After(3500 * time.Millisecond)
		mu.Lock()
		if asked["testhub-control-01"] != 2 || asked["testhub-control-02"] != 4 {
			t.Errorf("the queues were asked %v times, want 2 and 4", asked)
		}
		mu.Unlock()
		cancel()
		s.group.Wait()
	})
}

// A process takes no more messages of such a queue than it can begin, and what is left
// when it can begin others.
func TestStrayQueueIsNotHoarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left, held := 100, 0
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		s := &strays{hub: "testhub", queue: &queueNames{"testhub-control-01"}, warn: func(string) {}, room: func() int {
			mu.Lock()
			defer mu.Unlock()
			return 40 - held
		}, receive: func(_ context.Context, _ string, most int) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			n := min(most, left)
			left, held = left-n, held+n
			return n, nil
		}}
		if err := s.look(ctx); err != nil {
			t.Fatal(err)
		}
		for _, want := range []int{60, 20, 0} {
			<-time.After(strayEvery + strayEvery/2)
			mu.Lock()
			if left != want {
				t.Errorf("%d messages are left, want %d", left, want)
			}
			held = 0
			mu.Unlock()
		}
		cancel()
		s.group.Wait()
	})
}

// A queue that cannot be received from keeps those after it from nothing, and the look
// says what was wrong.
func TestStrayQueueThatFailsKeepsNoneWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		gone := errors.New("the queue is being deleted")
		s := &strays{hub: "testhub", queue: &queueNames{"testhub-control-01", "testhub-control-02"}, warn: func(string) {}, room: plenty, receive: func(_ context.Context, queue string, _ int) (int, error) {
			if queue == "testhub-control-01" {
				return 0, gone
			}
			return 1, nil
		}}
		if err := s.look(ctx); !errors.Is(err, gone) || !s.isActive("testhub-control-02") || s.isActive("testhub-control-01") {
			t.Errorf("the look says %v and follows %v, want the second queue alone", err, s.active)
		}
		cancel()
		s.group.Wait()
	})
}

func plenty() int { return 4 * strayBatch }

// queueNames are the queues of an account.
type queueNames []string

func (*queueNames) Put(context.Context, string, string) error { return nil }

func (q *queueNames) QueueNames(context.Context, string) ([]string, error) {
	return slices.Clone(*q), nil
}
