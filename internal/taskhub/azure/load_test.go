package azure_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
)

// TestLoadMeetsAChange: a history changes while a load is between two of its
// pages. What comes of the load is the history as it was at one moment.
func TestLoadMeetsAChange(t *testing.T) {
	rewind := func(t *testing.T, hub *azure.Hub, fence taskhub.Fence) {
		r := &taskhub.Rewind{InstanceID: "i", Fence: fence, Nonce: "r", Time: time.Now()}
		for i := range 6 {
			r.Marks = append(r.Marks, taskhub.Mark{Event: i, Generic: true, Reason: "Rewound: EventRaised"})
		}
		_, err := hub.Rewind(t.Context(), r)
		must(t, err)
	}
	again := func(t *testing.T, hub *azure.Hub, fence taskhub.Fence) {
		_, err := hub.Commit(t.Context(), &taskhub.Commit{InstanceID: "i", ExecutionID: "e2", Fence: fence, Nonce: "n2", Time: time.Now(), NewExecution: true, Events: raised(4, "new")})
		must(t, err)
	}
	restart := func(t *testing.T, hub *azure.Hub, _ taskhub.Fence) {
		_, err := hub.Purge(t.Context(), "i", "")
		must(t, err)
		_, err = hub.Commit(t.Context(), &taskhub.Commit{InstanceID: "i", ExecutionID: "e3", Nonce: "n3", Time: time.Now(), Events: raised(8, "new")})
		must(t, err)
	}
	for name, change := range map[string]func(*testing.T, *azure.Hub, taskhub.Fence){"rewind": rewind, "continue-as-new": again, "purge and start": restart} {
		for page := 2; page <= 5; page++ {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					account := fake.NewStrict(0)
					hub := behind(t, account, nil)
					fence, err := hub.Commit(t.Context(), &taskhub.Commit{InstanceID: "i", ExecutionID: "e1", Nonce: "n1", Time: time.Now(), Events: raised(6, "old")})
					must(t, err)
					let := make(chan struct{})
					account.Inject(fake.Either(fake.Nth("table", "query", page, fake.Fault{Page: 2, Hold: let}), fake.Nth("table", "query", 0, fake.Fault{Page: 2})))
					done := make(chan *taskhub.History, 1)
					go func() {
						h, err := hub.Load(t.Context(), "i", 0)
						if err != nil {
							t.Error(err)
						}
						done <- h
					}()
					synctest.Wait()
					account.Inject(fake.Nth("table", "query", 0, fake.Fault{Page: 2}))
					change(t, hub, fence)
					close(let)
					checkMoment(t, <-done)
				})
			})
		}
	}
}

// TestPartMeetsAChange: a history changes while a part of it is read, before each of the
// requests for that. What comes is of one moment.
func TestPartMeetsAChange(t *testing.T) {
	const size = 9
	again := func(t *testing.T, hub *azure.Hub, fence taskhub.Fence) {
		_, err := hub.Commit(t.Context(), &taskhub.Commit{InstanceID: "i", ExecutionID: "e2", Fence: fence, Nonce: "n2", Time: time.Now(), NewExecution: true, Events: raised(7, "new")})
		must(t, err)
	}
	grow := func(t *testing.T, hub *azure.Hub, fence taskhub.Fence) {
		_, err := hub.Commit(t.Context(), &taskhub.Commit{InstanceID: "i", ExecutionID: "e1", Fence: fence, Nonce: "n2", Time: time.Now(), Events: raised(5, "old")})
		must(t, err)
	}
	purge := func(t *testing.T, hub *azure.Hub, _ taskhub.Fence) {
		_, err := hub.Purge(t.Context(), "i", "")
		must(t, err)
	}
	for name, change := range map[string]func(*testing.T, *azure.Hub, taskhub.Fence){"commit": grow, "continue-as-new": again, "purge": purge} {
		for request := 1; request <= 4; request++ {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					account := fake.NewStrict(0)
					hub := behind(t, account, nil)
					fence, err := hub.Commit(t.Context(), &taskhub.Commit{InstanceID: "i", ExecutionID: "e1", Nonce: "n1", Time: time.Now(), Events: raised(size, "old")})
					must(t, err)
					let := make(chan struct{})
					account.Inject(fake.Either(fake.Nth("table", "query", request, fake.Fault{Page: 2, Hold: let}), fake.Nth("table", "query", 0, fake.Fault{Page: 2})))
					done := make(chan *taskhub.History, 1)
					go func() {
						h, err := hub.LoadPart(t.Context(), "i", fence.FirstRow+1, 6)
						if err != nil {
							t.Error(err)
						}
						done <- h
					}()
					synctest.Wait()
					account.Inject(nil)
					change(t, hub, fence)
					close(let)
					h := <-done
					if h == nil {
						return
					}
					// Of a new execution, and of a purged one, there may be fewer.
					if want := map[string]int{"e1": 6, "e2": 6}[h.Fence.ExecutionID]; len(h.Events) > want || h.Fence.ExecutionID == "e1" && len(h.Events) != want {
						t.Errorf("execution %q with %d events, want %d", h.Fence.ExecutionID, len(h.Events), want)
					}
					for _, e := range h.Events {
						if old := e.Name == "old"; old != (h.Fence.ExecutionID == "e1") {
							t.Errorf("execution %q has %s", h.Fence.ExecutionID, e.Name)
						}
					}
				})
			})
		}
	}
}

// TestPartReadsWhatItTakes: a part of a long history takes as many requests as it has
// pages, and one for the sentinel; a short history takes one.
func TestPartReadsWhatItTakes(t *testing.T) {
	account := fake.New(0)
	hub := behind(t, account, nil)
	fence, err := hub.Commit(t.Context(), &taskhub.Commit{InstanceID: "i", ExecutionID: "e1", Nonce: "n1", Time: time.Now(), Events: raised(2600, "old")})
	must(t, err)
	for _, c := range []struct {
		from, most, requests int
	}{{0, 1, 2}, {0, 500, 2}, {0, 1000, 2}, {100, 1500, 3}, {100, 2400, 4}, {2000, 500, 2}, {2000, 1000, 1}, {2600, 10, 1}} {
		account.Reset()
		h, err := hub.LoadPart(t.Context(), "i", fence.FirstRow+uint64(c.from), c.most)
		must(t, err)
		if want := min(c.most, 2600-c.from); len(h.Events) != want {
			t.Errorf("from %d: %d events, want %d", c.from, len(h.Events), want)
		}
		got := 0
		for _, count := range account.Counts() {
			got += count.Requests
		}
		if got != c.requests {
			t.Errorf("%d events from %d: %d requests, want %d", c.most, c.from, got, c.requests)
		}
	}
}

// checkMoment finds events that are not of the time of the fence.
func checkMoment(t *testing.T, h *taskhub.History) {
	t.Helper()
	if h == nil {
		return
	}
	want := map[string]int{"e1": 6, "e2": 4, "e3": 8}[h.Fence.ExecutionID]
	if len(h.Events) != want {
		t.Errorf("execution %q with %d events, want %d", h.Fence.ExecutionID, len(h.Events), want)
	}
	for i, e := range h.Events {
		if rewound := e.Type == history.GenericEvent; rewound != (h.Fence.Rewinds > 0) {
			t.Errorf("event %d is rewound: %v, after %d rewinds", i, rewound, h.Fence.Rewinds)
		}
	}
}

// TestUnreadableHistory: a history with a missing or broken row is no history.
func TestUnreadableHistory(t *testing.T) {
	for name, request := range map[string]struct{ method, body string }{
		"missing row":       {http.MethodDelete, ""},
		"unknown EventType": {"MERGE", `{"EventType":"Nonsense"}`},
		"wrong type":        {"MERGE", `{"EventId":"seven"}`},
	} {
		account := fake.New(0)
		hub := behind(t, account, nil)
		fence, err := hub.Commit(t.Context(), &taskhub.Commit{InstanceID: "i", ExecutionID: "e1", Nonce: "n1", Time: time.Now(), Events: raised(6, "old")})
		must(t, err)
		tamper(t, account, request.method, fence.FirstRow+3, request.body)
		if h, err := hub.Load(t.Context(), "i", 0); !errors.Is(err, taskhub.ErrUnreadable) {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
		if h, err := hub.Load(t.Context(), "i", fence.FirstRow+4); err != nil || len(h.Events) != 2 {
			t.Errorf("%s: the rows after it: %v", name, err)
		}
	}
}
