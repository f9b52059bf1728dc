package client

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

func TestStartIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		c := New(h, Options{Queue: queue})
		now := time.Now().UTC()
		in := Start{Name: "O", Version: "2", InstanceID: "i", ExecutionID: "x", Input: history.Payload(`{"a":1}`), Tags: map[string]string{"k": "v"}}
		if _, err := c.Start(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		generation := int32(0)
		got := row(t, h)
		want := &taskhub.Instance{
			ID: "i", ExecutionID: "x", Name: "O", Version: "2", Input: in.Input, Status: history.Pending,
			Created: now, Updated: now, Generation: &generation, Tags: in.Tags, Origin: "x", ETag: got.ETag,
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("row\n%+v, want\n%+v", got, want)
		}
		messages := visible(t, h)
		if len(messages) != 1 {
			t.Fatalf("%d messages are visible, want 1", len(messages))
		}
		ref := history.InstanceRef{InstanceID: "i", ExecutionID: "x"}
		m := messages[0]
		if m.ID != taskhub.GUID("start", "i", "x") || m.Target != ref || m.Sender != (history.InstanceRef{}) || m.Episode != nil {
			t.Errorf("message %+v", m)
		}
		e := m.Event
		if e.Type != history.ExecutionStarted || e.ID != history.NoID || e.Name != "O" || e.Version != "2" || string(e.Input) != `{"a":1}` ||
			e.Instance != ref || e.Generation == nil || *e.Generation != 0 || e.Tags["k"] != "v" || !e.Timestamp.Equal(now) || e.Parent != nil {
			t.Errorf("event %+v", e)
		}
	})
}

func TestStartMakesIDs(t *testing.T) {
	c := New(newHub(t), Options{Queue: queue})
	seen := map[string]bool{}
	for range 20 {
		got, err := c.Start(t.Context(), Start{Name: "O"})
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{got.ID, got.ExecutionID} {
			if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" || seen[id] {
				t.Errorf("id %q", id)
			}
			seen[id] = true
		}
	}
}

// A start is the lease of the process that made it.
func TestStartIsHandedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, w := newHub(t), &local{}
		c := New(h, Options{Queue: queue, Lease: lease, Local: w})
		if _, err := c.Start(t.Context(), Start{Name: "O", InstanceID: "i", ExecutionID: "x"}); err != nil {
			t.Fatal(err)
		}
		if len(w.started) != 1 || w.started[0].Message.Target.ExecutionID != "x" || w.started[0].Dequeued != 0 || w.rows[0].ETag != row(t, h).ETag {
			t.Fatalf("handed over %+v", w.started)
		}
		pass(lease - 1)
		if n := len(visible(t, h)); n != 0 {
			t.Errorf("%d messages are visible within the lease", n)
		}
		if err := h.Renew(t.Context(), w.started[0].Lease, lease); err != nil {
			t.Errorf("the lease is not good: %v", err)
		}
		pass(lease)
		if n := len(visible(t, h)); n != 1 {
			t.Errorf("%d messages are visible after the lease, want 1", n)
		}
	})
}

func TestScheduledStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, w := newHub(t), &local{}
		c := New(h, Options{Queue: queue, Lease: lease, Local: w})
		at := time.Now().Add(time.Hour + 500*time.Millisecond)
		if _, err := c.Start(t.Context(), Start{Name: "O", InstanceID: "i", At: at}); err != nil {
			t.Fatal(err)
		}
		if len(w.started) != 0 {
			t.Error("a start that is not due was handed over")
		}
		if got := row(t, h); !got.Scheduled.Equal(at) {
			t.Errorf("scheduled for %v, want %v", got.Scheduled, at)
		}
		pass(time.Until(at) - 1)
		if n := len(visible(t, h)); n != 0 {
			t.Error("it is visible early")
		}
		pass(time.Second)
		if m := visible(t, h); len(m) != 1 || !m[0].Event.ScheduledStart.Equal(at) {
			t.Errorf("when it is due: %+v", m)
		}
		if _, err := c.Start(t.Context(), Start{Name: "O", InstanceID: "past", At: time.Now().Add(-time.Hour)}); err != nil {
			t.Error(err)
		}
		if n := len(visible(t, h)); n != 2 {
			t.Errorf("a start in the past: %d messages are visible, want 2", n)
		}
	})
}

func TestBadStartsChangeNothing(t *testing.T) {
	long := strings.Repeat("x", history.MaxInstanceID)
	for _, id := range []string{"a b", "é'\"&", long, "a+b%2F", "...", "{}", "semi;colon"} {
		if _, err := New(newHub(t), Options{Queue: queue}).Start(t.Context(), Start{Name: "O", InstanceID: id}); err != nil {
			t.Errorf("id %.20q: %v", id, err)
		}
	}
	cases := map[string]struct {
		start Start
		want  error
		text  string
	}{
		"entity":             {Start{InstanceID: "@counter@a"}, ErrInvalidInstanceID, "@"},
		"slash":              {Start{InstanceID: "a/b"}, ErrInvalidInstanceID, "a/b"},
		"backslash":          {Start{InstanceID: `a\b`}, ErrInvalidInstanceID, "slashes"},
		"hash":               {Start{InstanceID: "a#b"}, ErrInvalidInstanceID, "a#b"},
		"question mark":      {Start{InstanceID: "a?b"}, ErrInvalidInstanceID, "a?b"},
		"control character":  {Start{InstanceID: "a\nb"}, ErrInvalidInstanceID, `\n`},
		"C1 control":         {Start{InstanceID: "a\u0085b"}, ErrInvalidInstanceID, "control"},
		"invalid UTF-8":      {Start{InstanceID: "a\xff"}, ErrInvalidInstanceID, "UTF-8"},
		"too long":           {Start{InstanceID: long + "x"}, ErrInvalidInstanceID, "256"},
		"too long in UTF-16": {Start{InstanceID: strings.Repeat("😀", 129)}, ErrInvalidInstanceID, "256"},
		"input too large":    {Start{Name: "O", Input: make(history.Payload, taskhub.MaxPayload+1)}, taskhub.ErrTooLarge, "10485761"},
		"too far away":       {Start{Name: "O", At: time.Now().Add(taskhub.MaxDelay + time.Hour)}, nil, "144h"},
		"before DateTime":    {Start{Name: "O", At: time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC)}, nil, "year 1600"},
		"before Christ":      {Start{Name: "O", At: time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC)}, nil, "year -5"},
		"after DateTime":     {Start{Name: "O", At: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, nil, "year 10000"},
		"no name":            {Start{}, nil, "the name of an orchestrator"},
		"name too long":      {Start{Name: strings.Repeat("x", history.MaxName+1)}, nil, "257"},
		"version too long":   {Start{Name: "O", Version: strings.Repeat("1", history.MaxName+1)}, nil, "257"},
		"tags too large":     {Start{Name: "O", Tags: map[string]string{"note": strings.Repeat("n", 40_000)}}, nil, "40011"},
		"tag of a class":     {Start{Name: "O", Tags: map[string]string{"$type": "x"}}, nil, "$type"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := newHub(t)
			got, err := New(h, Options{Queue: queue}).Start(t.Context(), c.start)
			if err == nil {
				t.Fatalf("started %+v", got)
			}
			if c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error %q, want %v with %q", err, c.want, c.text)
			}
			if h.count("Insert")+h.count("Send") != 0 {
				t.Error("something was stored")
			}
		})
	}
}

func TestLargestInput(t *testing.T) {
	input := history.Payload(`"` + strings.Repeat("x", taskhub.MaxPayload-2) + `"`)
	h := newHub(t)
	if _, err := New(h, Options{Queue: queue}).Start(t.Context(), Start{Name: "O", InstanceID: "i", Input: input}); err != nil {
		t.Fatal(err)
	}
	if string(row(t, h).Input) != string(input) {
		t.Error("the input is not kept")
	}
}

func TestStartOverAnUnfinishedInstance(t *testing.T) {
	for _, status := range []history.Status{history.Pending, history.Running, history.Suspended, history.ContinuedAsNew} {
		t.Run(status.String(), func(t *testing.T) {
			h, w := newHub(t), &local{}
			before := put(t, h, "i", "old", status)
			_, err := New(h, Options{Queue: queue, Lease: lease, Local: w}).Start(t.Context(), Start{Name: "O", InstanceID: "i"})
			if !errors.Is(err, ErrRunning) || !strings.Contains(err.Error(), status.String()) {
				t.Errorf("error %v", err)
			}
			if got := row(t, h); got.ETag != before.ETag {
				t.Errorf("the row is %+v now", got)
			}
			if h.Pending(queue) != 0 || len(w.started) != 0 {
				t.Error("the start's message is there still")
			}
		})
	}
}

func TestStartOverAFinishedInstance(t *testing.T) {
	for _, status := range []history.Status{history.Completed, history.Failed, history.Terminated, history.Canceled} {
		t.Run(status.String(), func(t *testing.T) {
			h, w := newHub(t), &local{}
			put(t, h, "i", "old", status)
			if _, err := New(h, Options{Queue: queue, Lease: lease, Local: w}).Start(t.Context(), Start{Name: "O", InstanceID: "i", ExecutionID: "x"}); err != nil {
				t.Fatal(err)
			}
			got := row(t, h)
			if got.Status != history.Pending || got.ExecutionID != "x" || got.Name != "O" || *got.Generation != 4 || got.Output != nil || got.Input != nil {
				t.Errorf("row %+v", got)
			}
			if len(w.started) != 1 || *w.started[0].Message.Event.Generation != 4 {
				t.Errorf("handed over %+v", w.started)
			}
		})
	}
}

// Without a lease the message is visible before the row speaks of its
// execution, and a worker drops it as that of a replaced one.
func TestStartOverAFinishedInstanceWithoutALease(t *testing.T) {
	h := newHub(t)
	put(t, h, "i", "old", history.Completed)
	h.then["Instance"] = func() {
		got, err := h.Receive(t.Context(), queue, 32, time.Minute)
		if err != nil || len(got) != 1 {
			t.Fatalf("%d messages, %v", len(got), err)
		}
		if err := h.Hub.Remove(t.Context(), got[0].Lease); err != nil {
			t.Error(err)
		}
	}
	if _, err := New(h, Options{Queue: queue}).Start(t.Context(), Start{Name: "O", InstanceID: "i", ExecutionID: "x"}); err != nil {
		t.Fatal(err)
	}
	m := visible(t, h)
	if len(m) != 1 || m[0].ID != taskhub.GUID("start", "i", "x") || *m[0].Event.Generation != 4 {
		t.Errorf("visible: %+v", m)
	}
}

// The host repeats a start whose process died, with the same execution id.
func TestRepeatedStart(t *testing.T) {
	cases := []struct {
		status history.Status
		// want is how many messages are visible afterwards: a pending start may
		// have lost its first one.
		want int
	}{{history.Pending, 1}, {history.Running, 0}, {history.Completed, 0}, {history.Failed, 0}}
	for _, c := range cases {
		t.Run(c.status.String(), func(t *testing.T) {
			h := newHub(t)
			before := put(t, h, "i", "x", c.status)
			got, err := New(h, Options{Queue: queue, Lease: lease, Local: &local{}}).Start(t.Context(), Start{Name: "Old", InstanceID: "i", ExecutionID: "x", Input: history.Payload(`"old"`)})
			if err != nil || got.ID != "i" || row(t, h).ETag != before.ETag {
				t.Fatalf("%+v, %v", got, err)
			}
			if m := visible(t, h); len(m) != c.want || h.Pending(queue) != c.want {
				t.Errorf("%d messages are visible, want %d", len(m), c.want)
			}
		})
	}
}

// A client that died between the row and the message leaves an instance that
// nobody works on. The next start of its id heals it.
func TestHealing(t *testing.T) {
	cases := []struct {
		name    string
		age     time.Duration
		prepare func(*testing.T, *faulty)
		want    int
	}{
		{"old and without history", time.Minute, func(t *testing.T, h *faulty) { put(t, h, "i", "old", history.Pending) }, 1},
		{"young", time.Second, func(t *testing.T, h *faulty) { put(t, h, "i", "old", history.Pending) }, 0},
		{"running", time.Minute, func(t *testing.T, h *faulty) { put(t, h, "i", "old", history.Running) }, 0},
		{"without an execution id", time.Minute, func(t *testing.T, h *faulty) { put(t, h, "i", "", history.Pending) }, 0},
		{"with history", time.Minute, func(t *testing.T, h *faulty) {
			put(t, h, "i", "old", history.Pending)
			commit(t, h, "old")
		}, 0},
		{"with the history of an older execution", time.Minute, func(t *testing.T, h *faulty) {
			put(t, h, "i", "old", history.Pending)
			commit(t, h, "older")
		}, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHub(t)
				c.prepare(t, h)
				pass(c.age)
				_, err := New(h, Options{Queue: queue, Lease: lease, Local: &local{}}).Start(t.Context(), Start{Name: "O", InstanceID: "i"})
				if !errors.Is(err, ErrRunning) {
					t.Fatal(err)
				}
				m := visible(t, h)
				if len(m) != c.want || h.Pending(queue) != c.want {
					t.Fatalf("%d messages, want %d", len(m), c.want)
				}
				if c.want == 1 && (m[0].Target.ExecutionID != "old" || m[0].Event.Name != "Old" || m[0].ID != taskhub.GUID("start", "i", "old")) {
					t.Errorf("message %+v of event %+v", m[0], m[0].Event)
				}
			})
		})
	}
}

func commit(t *testing.T, h *faulty, execution string) {
	t.Helper()
	started := &history.Event{Type: history.ExecutionStarted, ID: history.NoID, Name: "Old", Timestamp: time.Now().UTC()}
	_, err := h.Commit(t.Context(), &taskhub.Commit{InstanceID: "i", ExecutionID: execution, Nonce: "n", Time: time.Now(), Events: []*history.Event{started}})
	if err != nil {
		t.Fatal(err)
	}
}

// Whatever call of a start fails, before it was made or after, the same start
// made again succeeds, and its message is seen in time.
func TestStartWithFaults(t *testing.T) {
	prior := map[string]func(*testing.T, *faulty){
		"new":      func(*testing.T, *faulty) {},
		"finished": func(t *testing.T, h *faulty) { put(t, h, "i", "old", history.Completed) },
	}
	for name, prepare := range prior {
		for _, op := range []string{"Insert", "Send", "Instance", "Replace", "Renew", "Remove"} {
			for _, when := range []string{"before", "after"} {
				t.Run(name+"/"+when+" "+op, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						h := newHub(t)
						prepare(t, h)
						startTwice(t, h, op, when)
					})
				})
			}
		}
	}
}

func startTwice(t *testing.T, h *faulty, op, when string) {
	t.Helper()
	c := New(h, Options{Queue: queue, Lease: lease, Local: &local{}})
	start := Start{Name: "O", InstanceID: "i", ExecutionID: "x"}
	h.heal()
	if when == "before" {
		h.before[op] = errLost
	} else {
		h.after[op] = errLost
	}
	_, first := c.Start(t.Context(), start)
	if first != nil && !errors.Is(first, errLost) {
		t.Fatalf("first start: %v", first)
	}
	if h.failed > 0 && first == nil {
		t.Errorf("%s failed and the start says nothing", op)
	}
	h.heal()
	if _, err := c.Start(t.Context(), start); err != nil {
		t.Fatalf("second start: %v", err)
	}
	if got := row(t, h); got.ExecutionID != "x" || got.Status != history.Pending {
		t.Errorf("row %+v", got)
	}
	pass(lease)
	messages := visible(t, h)
	if len(messages) == 0 {
		t.Fatal("no message starts the instance")
	}
	for _, m := range messages {
		if m.ID != taskhub.GUID("start", "i", "x") {
			t.Errorf("message %+v", m)
		}
	}
}

// The answer to a replacement can be lost on the way so that the storage
// client's own repetition finds the row changed: by itself.
func TestReplacementThatLooksLost(t *testing.T) {
	h := newHub(t)
	put(t, h, "i", "old", history.Completed)
	h.after["Replace"] = taskhub.ErrChanged
	got, err := New(h, Options{Queue: queue, Lease: lease, Local: &local{}}).Start(t.Context(), Start{Name: "O", InstanceID: "i", ExecutionID: "x"})
	if err != nil || got.ExecutionID != "x" {
		t.Fatalf("%+v, %v", got, err)
	}
	if len(visible(t, h)) != 1 {
		t.Error("no message starts the instance")
	}
}

func TestReplacementThatIsLost(t *testing.T) {
	h := newHub(t)
	old := put(t, h, "i", "old", history.Completed)
	h.then["Instance"] = func() {
		other := *old
		other.ExecutionID = "other"
		if err := h.Hub.Replace(t.Context(), &other, ""); err != nil {
			t.Error(err)
		}
	}
	_, err := New(h, Options{Queue: queue, Lease: lease}).Start(t.Context(), Start{Name: "O", InstanceID: "i"})
	if !errors.Is(err, ErrRunning) || row(t, h).ExecutionID != "other" || h.Pending(queue) != 0 {
		t.Errorf("%v; row of %s; %d messages", err, row(t, h).ExecutionID, h.Pending(queue))
	}
}

func TestPurgeDuringStart(t *testing.T) {
	h := newHub(t)
	put(t, h, "i", "old", history.Completed)
	h.before["Insert"] = taskhub.ErrExists
	h.Delete("i")
	_, err := New(h, Options{Queue: queue, Lease: lease}).Start(t.Context(), Start{Name: "O", InstanceID: "i"})
	if !errors.Is(err, taskhub.ErrNotFound) || !strings.Contains(err.Error(), "purged") || h.Pending(queue) != 0 {
		t.Errorf("%v; %d messages", err, h.Pending(queue))
	}
}

// Of many starts of one id, one wins, over nothing and over a finished
// instance.
func TestConcurrentStarts(t *testing.T) {
	for _, finished := range []bool{false, true} {
		h, w := newHub(t), &local{}
		if finished {
			put(t, h, "i", "old", history.Failed)
		}
		c := New(h, Options{Queue: queue, Lease: lease, Local: w})
		var wg sync.WaitGroup
		errs := make([]error, 16)
		for i := range errs {
			wg.Go(func() { _, errs[i] = c.Start(context.Background(), Start{Name: "O", InstanceID: "i"}) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, ErrRunning) {
				t.Error(err)
			}
		}
		if won != 1 || len(w.started) != 1 || h.Pending(queue) != 1 || w.started[0].Message.Target.ExecutionID != row(t, h).ExecutionID {
			t.Errorf("finished before: %v; %d starts won, %d were handed over, %d messages are left", finished, won, len(w.started), h.Pending(queue))
		}
	}
}

// A start that finds its own id with another orchestrator or input is none that was
// repeated: it fails, and changes nothing.
func TestRepeatedStartOfSomethingElse(t *testing.T) {
	for name, other := range map[string]Start{
		"orchestrator": {Name: "Other", InstanceID: "i", ExecutionID: "x"},
		"input":        {Name: "Old", InstanceID: "i", ExecutionID: "x", Input: history.Payload(`"other"`)},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t)
			before := put(t, h, "i", "x", history.Running)
			if _, err := New(h, Options{Queue: queue, Lease: lease, Local: &local{}}).Start(t.Context(), other); !errors.Is(err, ErrExists) {
				t.Errorf("got %v", err)
			}
			if row(t, h).ETag != before.ETag || h.Pending(queue) != 0 {
				t.Error("something was stored")
			}
		})
	}
}
