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
	"github.com/durable-go/functions/internal/entity"
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
		batches := rapid.SliceOfN(rapid.IntRange(1, 120), 1, 3).Draw(rt, "batches")
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

// Where a message shows by its number that one before it is on its way, it waits for that:
// the host of a loaded machine hands over what belongs together far apart. One that
// another process of the app has got is waited for once, and then not for a while.
func TestForeignEventWaitsForTheOneBefore(t *testing.T) {
	for _, c := range []struct {
		name    string
		numbers []int64 // in the order in which they come; the first is of another instance
		apart   time.Duration
		want    string
		took    [2]time.Duration
	}{
		{"the later first", []int64{214, 216, 215}, 300 * time.Millisecond, "[215,216]", [2]time.Duration{300 * time.Millisecond, 500 * time.Millisecond}},
		{"in turn", []int64{214, 215, 216}, time.Millisecond, "[215,216]", [2]time.Duration{0, 60 * time.Millisecond}},
		{"much later", []int64{214, 216, 215}, 700 * time.Millisecond, "[216,215]", [2]time.Duration{700 * time.Millisecond, time.Second}},
		{"others have come in between", []int64{210, 217, 216}, 300 * time.Millisecond, "[216,217]", [2]time.Duration{500 * time.Millisecond, 540 * time.Millisecond}},
		{"of a client that has just begun", []int64{1000, 2, 1}, 30 * time.Millisecond, "[2,1]", [2]time.Duration{0, 100 * time.Millisecond}},
		{"in vain", []int64{214, 216, 218}, time.Second, "[216,218]", [2]time.Duration{time.Second, 1100 * time.Millisecond}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub := hubtest.Memory(t)
				w := newWorker(t, hub, collects(2), nil)
				t.Cleanup(w.Kill)
				start(t, hub, w, "i")
				came := func(number int64, instance string) {
					m := raised(taskhub.GUID("event", fmt.Sprint(number)), instance, "add", fmt.Sprint(number))
					m.Event.Timestamp = m.Event.Timestamp.Add(time.Duration(number) * time.Second)
					m.Sequence = number
					send(t, hub, controlQueue, m)
					deliver(t, hub, w, time.Minute)
				}
				came(c.numbers[0], "another")
				began := time.Now()
				came(c.numbers[1], "i")
				<-time.After(c.apart)
				came(c.numbers[2], "i")
				row := finished(t, hub, "i", 10*time.Second)
				if took := time.Since(began); string(row.Output) != c.want || took < c.took[0] || took > c.took[1] {
					t.Errorf("got %s after %v, want %s after %v", row.Output, took, c.want, c.took)
				}
			})
		})
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

// Signals of clients of another make reach an entity in the order in which they were sent,
// and each once.
func TestForeignSignalsComeInTheOrderOfTheirTimes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		batches := rapid.SliceOfN(rapid.IntRange(1, 60), 1, 4).Draw(rt, "batches")
		same := rapid.Bool().Draw(rt, "clock stands still in a batch")
		synctest.Test(t, func(t *testing.T) {
			hub := hubtest.Memory(t)
			w := newWorker(t, hub, nil, func(o *Options) { o.Entities = counting })
			t.Cleanup(w.Kill)
			random, want, next := rand.New(rand.NewPCG(seed, 1)), "", 0
			for _, n := range batches {
				sent := time.Now().UTC()
				for range n {
					r := history.EntityRequest{Operation: "Add", Input: history.Payload(fmt.Sprintf("%d,", next)), ID: request(next), Signal: true}
					m := raised(r.ID, "@counter@c", history.EntityOperation, string(r.Encode()))
					if m.Event.Timestamp = sent; !same {
						m.Event.Timestamp = sent.Add(time.Duration(next) * time.Microsecond)
					}
					m.Sequence = int64(next)
					send(t, hub, controlQueue, m)
					want += fmt.Sprintf("%d,", next)
					next++
				}
				arrive(t, hub, w, random)
				<-time.After(time.Second)
			}
			loaded, err := hub.Load(t.Context(), "@counter@c", 0)
			if err != nil {
				t.Fatal(err)
			}
			got, err := entity.Read(loaded)
			if err != nil || string(got.State) != `"`+want+`"` {
				rt.Fatalf("got %s %v, want %q", got.State, err, want)
			}
		})
	})
}
