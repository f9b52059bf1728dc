package worker

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
	"pgregory.net/rapid"
)

// collects takes n events of any of the names, and gives their inputs in the order in
// which the history has them.
func collects(n int) engine.Program {
	return func(rt *engine.Runtime, _ history.Payload) (history.Payload, error) {
		var got []json.RawMessage
		for range n {
			raw, err := rt.WaitEvent("add").Await()
			if err != nil {
				return nil, err
			}
			got = append(got, json.RawMessage(raw))
		}
		return json.Marshal(got)
	}
}

// What clients of another make send one after the other comes in batches of the host,
// whose messages arrive in any order within 20 milliseconds, and some twice: an instance
// gets it in the order of the messages' own times, and of their numbers where those are
// the same, and each once.
func TestForeignEventsComeInTheOrderOfTheirTimes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		batches := rapid.SliceOfN(rapid.IntRange(1, 40), 1, 5).Draw(rt, "batches")
		same := rapid.Bool().Draw(rt, "clock stands still in a batch")
		synctest.Test(t, func(t *testing.T) {
			want, got := arriveInBatches(t, rand.New(rand.NewPCG(seed, 1)), batches, same)
			if got != want {
				rt.Fatalf("got %s, want %s", got, want)
			}
		})
	})
}

// arriveInBatches sends batches of events and gives them to a worker in another order.
func arriveInBatches(t *testing.T, random *rand.Rand, batches []int, same bool) (want, got string) {
	hub := hubtest.Memory(t)
	total := 0
	for _, n := range batches {
		total += n
	}
	w := newWorker(t, hub, collects(total), nil)
	t.Cleanup(w.Kill)
	start(t, hub, w, "i")
	next := 0
	for _, n := range batches {
		sent := time.Now().UTC()
		for range n {
			m := raised(taskhub.GUID("event", fmt.Sprint(next)), "i", "add", fmt.Sprint(next))
			if m.Event.Timestamp = sent; !same {
				m.Event.Timestamp = sent.Add(time.Duration(next) * time.Microsecond)
			}
			m.Sequence = int64(next)
			send(t, hub, controlQueue, m)
			next++
		}
		arrive(t, hub, w, random)
		<-time.After(time.Second)
	}
	row := finished(t, hub, "i", time.Minute)
	numbers := make([]int, total)
	for i := range numbers {
		numbers[i] = i
	}
	raw, err := json.Marshal(numbers)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw), string(row.Output)
}

// arrive gives a worker what the control queue has, in a random order and spread over
// less than the time for which it is gathered; some of it a second time.
func arrive(t *testing.T, hub taskhub.Store, w *Worker, random *rand.Rand) {
	t.Helper()
	var batch []taskhub.Delivery
	for {
		got, err := hub.Receive(t.Context(), controlQueue, 32, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			break
		}
		batch = append(batch, got...)
	}
	for _, d := range slices.Clone(batch) {
		if random.IntN(8) == 0 {
			batch = append(batch, d)
		}
	}
	random.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	left := 19 * time.Millisecond
	for _, d := range batch {
		pause := time.Duration(random.Int64N(int64(left/4) + 1))
		left -= pause
		<-time.After(pause)
		go func() { _ = w.Deliver(t.Context(), d, false) }()
	}
}

// A start runs at the time in it and not before, although its message is visible as soon
// as the whole seconds are over: a client of another make rounds them down.
func TestForeignScheduledStartIsNeverEarly(t *testing.T) {
	for _, after := range []time.Duration{100 * time.Millisecond, 999 * time.Millisecond, 2700 * time.Millisecond, 45*time.Second + 500*time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			hub := hubtest.Memory(t)
			polling(t, hub, each(1), nil)
			m, row := startMessage("i")
			at := time.Now().UTC().Add(after)
			m.Event.ScheduledStart, row.Scheduled = at, at
			if err := hub.Insert(t.Context(), row); err != nil {
				t.Fatal(err)
			}
			if _, err := hub.Send(t.Context(), controlQueue, m, after.Truncate(time.Second)); err != nil {
				t.Fatal(err)
			}
			row = finished(t, hub, "i", 2*time.Minute)
			loaded, err := hub.Load(t.Context(), "i", 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range loaded.Events {
				if e.Type == history.TaskScheduled && e.Timestamp.Before(at) {
					t.Errorf("after %v: it asked for its activity %v early", after, at.Sub(e.Timestamp))
				}
			}
			if late := row.Completed.Sub(at); late < 0 || late > 2*time.Second {
				t.Errorf("after %v: it ended %v after its time", after, late)
			}
		})
	}
}
