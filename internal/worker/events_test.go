package worker

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

// counter is the counter of the documentation: one event a generation.
func counter(rt *engine.Runtime, in history.Payload) (history.Payload, error) {
	var total int
	_ = json.Unmarshal(in, &total)
	rt.SetCustomStatus(history.Payload(fmt.Sprint(total)))
	if _, err := rt.WaitEvent("add").Await(); err != nil {
		return nil, err
	}
	raw, _ := json.Marshal(total + 1)
	return nil, &engine.ContinueAsNew{Input: raw}
}

// counted is what the counter has counted.
func counted(t *testing.T, hub taskhub.Store) string {
	t.Helper()
	row, err := hub.Instance(t.Context(), "counter")
	if err != nil {
		t.Fatal(err)
	}
	return string(row.CustomStatus)
}

// An event counts once, although the message that brought it could not be removed
// and came again after many others, over as many generations.
func TestEventCountsOnceWhoseMessageCameAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := hubtest.Memory(t)
		var victim atomic.Value
		victim.Store("")
		store := &hooked{Store: hub, remove: func(l *taskhub.Lease) error {
			m, err := taskhub.DecodeMessage([]byte(l.Body))
			if err == nil && m.ID == victim.Load().(string) {
				victim.Store("")
				return errors.New("503 server busy") // once
			}
			return nil
		}}
		w := polling(t, store, counter, nil)
		start(t, hub, w, "counter")
		const events = 400
		for i := range events {
			m := raised(taskhub.NewGUID(), "counter", "add", fmt.Sprint(i))
			if i == 50 {
				victim.Store(m.ID)
			}
			send(t, hub, controlQueue, m)
			<-time.After(50 * time.Millisecond)
		}
		<-time.After(2 * time.Minute)
		if got := counted(t, hub); got != fmt.Sprint(events) {
			t.Errorf("%d events were raised, each once; the counter says %s", events, got)
		}
	})
}

// What a generation keeps does not grow with the events of those before it.
func TestContinueAsNewCarriesNoMemoryOfEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := hubtest.Strict(t)
		w := polling(t, hub.Process(nil), counter, nil)
		start(t, hub, w, "counter")
		sizes := map[int]int{}
		for n := 1; n <= 400; n++ {
			send(t, hub, controlQueue, raised(taskhub.NewGUID(), "counter", "add", `1`))
			<-time.After(200 * time.Millisecond)
			if n == 100 || n == 400 {
				<-time.After(time.Minute)
				sizes[n] = stored(t, hub)
			}
		}
		if got := counted(t, hub); got != "400" {
			t.Errorf("400 events were raised; the counter says %s", got)
		}
		if sizes[400] > sizes[100] {
			t.Errorf("%d bytes of history after 100 events, %d after 400", sizes[100], sizes[400])
		}
	})
}

// stored is the size of the counter's history, as text.
func stored(t *testing.T, hub taskhub.Store) int {
	t.Helper()
	h, err := hub.Load(t.Context(), "counter", 0)
	if err != nil {
		t.Fatal(err)
	}
	size := len(fmt.Sprint(h.Fence.Spilled))
	for _, e := range h.Events {
		size += len(fmt.Sprintf("%d %s %s %s %s", e.Type, e.Input, e.Own.Options, e.Own.Message, e.Own.Lease))
	}
	return size
}
