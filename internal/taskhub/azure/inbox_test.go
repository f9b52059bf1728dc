package azure_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
)

// told makes telling n, sent now.
func told(n int, input history.Payload) *taskhub.Telling {
	return &taskhub.Telling{
		ID: taskhub.GUID("told", fmt.Sprint(n)), Sent: time.Now(), Sequence: int64(n),
		Event: &history.Event{Type: history.EventRaised, ID: history.NoID, Name: "e", Input: input, Timestamp: time.Now().UTC()},
	}
}

func (s *site) tell(t *testing.T, tellings ...*taskhub.Telling) {
	t.Helper()
	if err := s.Tell(t.Context(), "i", tellings...); err != nil {
		t.Fatal(err)
	}
}

// look reads the inbox and counts the requests.
func (s *site) look(t *testing.T, o taskhub.LookOptions) (in *taskhub.Inbox, requests int) {
	t.Helper()
	before := s.network.Requests()
	in, err := s.Look(t.Context(), "i", o)
	if err != nil {
		t.Fatal(err)
	}
	return in, s.network.Requests() - before
}

// take commits an event for each row.
func (s *site) take(t *testing.T, fence taskhub.Fence, rows ...*taskhub.InboxRow) taskhub.Fence {
	t.Helper()
	c := &taskhub.Commit{InstanceID: "i", ExecutionID: "x", Fence: fence, Nonce: taskhub.NewID(), Time: time.Now()}
	for n, r := range rows {
		c.Events = append(c.Events, r.Telling.Event)
		c.Takes = append(c.Takes, taskhub.Take{Key: r.Key, Event: n})
	}
	fence, err := s.Commit(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return fence
}

func sequences(rows []*taskhub.InboxRow) (out []int64) {
	for _, r := range rows {
		out = append(out, r.Telling.Sequence)
	}
	return out
}

// TestLookRequests: one while the inbox fits a page. A long one is read as far as
// it takes to know what comes first.
func TestLookRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, azure.Options{})
		if in, n := s.look(t, taskhub.LookOptions{}); n != 1 || len(in.Rows) != 0 {
			t.Errorf("nothing: %d rows, %d requests", len(in.Rows), n)
		}
		s.tell(t, told(0, nil), told(1, nil))
		if in, n := s.look(t, taskhub.LookOptions{Max: 10}); n != 1 || len(in.Rows) != 2 {
			t.Errorf("two: %d rows, %d requests", len(in.Rows), n)
		}
		if in, n := s.look(t, taskhub.LookOptions{ControlOnly: true}); n != 1 || len(in.Rows) != 0 || in.Waiting != 0 {
			t.Errorf("control: %+v, %d requests", in, n)
		}
		// Two thousand that came at the rate of one a second, and as many for later.
		for n := 2; n < 2000; n++ {
			s.tell(t, told(n, nil))
			wait(time.Second)
		}
		for n := range 2000 {
			later := told(10_000+n, nil)
			later.Due = later.Sent.Add(time.Hour + time.Duration(n)*time.Second)
			s.tell(t, later)
		}
		in, n := s.look(t, taskhub.LookOptions{Max: 100})
		if n != 2 || len(in.Rows) < 30 || !in.More || !slices.IsSorted(sequences(in.Rows)) || in.Rows[0].Telling.Sequence != 0 {
			t.Errorf("a backlog: %d rows, more %v, %d requests", len(in.Rows), in.More, n)
		}
		got := 0
		for in.More {
			if err := s.Discard(t.Context(), "i", inboxKeys(in.Rows)...); err != nil {
				t.Fatal(err)
			}
			got += len(in.Rows)
			in, _ = s.look(t, taskhub.LookOptions{})
		}
		if got += len(in.Rows); got != 2000 {
			t.Errorf("%d rows in all", got)
		}
		if err := s.Discard(t.Context(), "i", inboxKeys(in.Rows)...); err != nil {
			t.Fatal(err)
		}
		in, n = s.look(t, taskhub.LookOptions{Max: 100})
		if n != 1 || len(in.Rows) != 0 || in.More || in.NextDue.IsZero() || in.Waiting > 100 {
			t.Errorf("for later: %d rows, more %v, next %v, %d seen, %d requests", len(in.Rows), in.More, in.NextDue, in.Waiting, n)
		}
		wait(time.Hour + 1500*time.Second)
		in, n = s.look(t, taskhub.LookOptions{Max: 100})
		if n != 1 || len(in.Rows) != 100 || in.Rows[0].Telling.Sequence != 10_000 || !in.More {
			t.Errorf("due: %d rows, more %v, %d requests", len(in.Rows), in.More, n)
		}
	})
}

// TestLookIntoABacklog: what was told at once has to be read as a whole before its
// first rows are known. So a look returns many of them: working a backlog off reads
// it a few times, not once for each thousand.
func TestLookIntoABacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all = taskhub.MaxLook + 2000
		s := newSite(t, azure.Options{})
		for from := 0; from < all; from += taskhub.MaxTold {
			var some []*taskhub.Telling
			for n := from; n < min(from+taskhub.MaxTold, all); n++ {
				some = append(some, told(n, nil))
			}
			s.tell(t, some...)
		}
		in, n := s.look(t, taskhub.LookOptions{})
		if n > all/1000+1 || len(in.Rows) != taskhub.MaxLook || !in.More || !slices.IsSorted(sequences(in.Rows)) || in.Rows[0].Telling.Sequence != 0 {
			t.Errorf("%d rows, more %v, %d requests", len(in.Rows), in.More, n)
		}
		few, _ := s.look(t, taskhub.LookOptions{Max: 100})
		if len(few.Rows) != 100 || !few.More || few.Waiting != all || !slices.Equal(inboxKeys(few.Rows), inboxKeys(in.Rows[:100])) {
			t.Errorf("%d rows, more %v, %d seen", len(few.Rows), few.More, few.Waiting)
		}
		if err := s.Discard(t.Context(), "i", inboxKeys(in.Rows)...); err != nil {
			t.Fatal(err)
		}
		if in, n = s.look(t, taskhub.LookOptions{}); n > 3 || len(in.Rows) != 2000 || in.More {
			t.Errorf("the rest: %d rows, more %v, %d requests", len(in.Rows), in.More, n)
		}
	})
}

func inboxKeys(rows []*taskhub.InboxRow) (out []string) {
	for _, r := range rows {
		out = append(out, r.Key)
	}
	return out
}

// TestTellingKeepsItsBlob: a large payload is written once, under the telling's
// id, and the history names the same blob.
func TestTellingKeepsItsBlob(t *testing.T) {
	s := newSite(t, azure.Options{})
	large := told(1, largeText(70_000))
	s.tell(t, large, told(2, history.Payload(`"small"`)))
	s.tell(t, large)
	names := slices.Collect(maps.Keys(s.account.Blobs(largeContainer)))
	if len(names) != 1 || !strings.HasPrefix(names[0], "i/inbox-"+large.ID) {
		t.Fatalf("blobs %v", names)
	}
	in, _ := s.look(t, taskhub.LookOptions{})
	fence := s.take(t, taskhub.Fence{}, in.Rows...)
	if got := slices.Collect(maps.Keys(s.account.Blobs(largeContainer))); !slices.Equal(got, names) || !fence.Apart {
		t.Errorf("blobs %v, fence %+v", got, fence)
	}
	got, err := s.Load(t.Context(), "i", 0)
	if err != nil || string(got.Events[0].Input) != string(large.Event.Input) {
		t.Errorf("%+v, %v", got, err)
	}
	// An event that is another than the telling's has a blob of its own.
	other := told(3, largeText(80_000))
	s.tell(t, other)
	in, _ = s.look(t, taskhub.LookOptions{})
	in.Rows[0].Telling.Event.Input = largeText(90_000)
	s.take(t, fence, in.Rows...)
	if got, err = s.Load(t.Context(), "i", 0); err != nil || len(got.Events[2].Input) != len(largeText(90_000)) || s.blobs() != 3 {
		t.Errorf("%v, %d blobs", err, s.blobs())
	}
}

// TestSweepOfTellings deletes the payloads of tellings that nothing names, when
// they are older than any teller that may be about to name them.
func TestSweepOfTellings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, azure.Options{})
		if err := s.Insert(t.Context(), &taskhub.Instance{ID: "i", ExecutionID: "x"}); err != nil {
			t.Fatal(err)
		}
		for n := range 4 {
			s.tell(t, told(n, largeText(70_000+10*n)))
			wait(time.Second)
		}
		in, _ := s.look(t, taskhub.LookOptions{})
		fence := s.take(t, taskhub.Fence{}, in.Rows[0])
		// One is dropped by a commit, one is discarded, which deletes its payload,
		// and one waits.
		c := &taskhub.Commit{InstanceID: "i", ExecutionID: "x", Fence: fence, Nonce: "n", Time: time.Now(), Takes: []taskhub.Take{{Key: in.Rows[1].Key, Event: -1}}}
		fence, err := s.Commit(t.Context(), c)
		if err == nil {
			err = s.Discard(t.Context(), "i", in.Rows[2].Key)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			wait time.Duration
			left int
		}{{30 * time.Minute, 3}, {time.Hour, 2}, {time.Hour, 2}} {
			wait(step.wait)
			if err := s.Sweep(t.Context(), "i", fence); err != nil || s.blobs() != step.left {
				t.Errorf("%d blobs, want %d, %v", s.blobs(), step.left, err)
			}
		}
		in, _ = s.look(t, taskhub.LookOptions{})
		if len(in.Rows) != 1 || in.Rows[0].Err != nil || len(in.Rows[0].Telling.Event.Input) < 70_000 {
			t.Errorf("what waits: %+v", in.Rows)
		}
		if got, err := s.Load(t.Context(), "i", 0); err != nil || len(got.Events[0].Input) < 70_000 {
			t.Errorf("what was taken in: %v", err)
		}
	})
}

// TestSweepDuringATake: a row goes from the inbox into the history while a sweep
// reads both.
func TestSweepDuringATake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for at := 1; at < 12; at++ {
			s := newSite(t, azure.Options{})
			if err := s.Insert(t.Context(), &taskhub.Instance{ID: "i", ExecutionID: "x"}); err != nil {
				t.Fatal(err)
			}
			s.tell(t, told(1, largeText(70_000)))
			wait(2 * time.Hour)
			in, _ := s.look(t, taskhub.LookOptions{})
			requests := 0
			s.before = func(*http.Request) {
				if requests++; requests == at {
					s.before = nil
					s.take(t, taskhub.Fence{}, in.Rows...)
				}
			}
			if err := s.Sweep(t.Context(), "i", taskhub.Fence{}); err != nil {
				t.Fatal(err)
			}
			if done := s.before != nil; done {
				return
			}
			if got, err := s.Load(t.Context(), "i", 0); err != nil || len(got.Events) != 1 {
				t.Errorf("taken before request %d: %v", at, err)
			}
		}
		t.Error("a sweep has no end")
	})
}

// TestLookWithoutItsBlobs: what cannot be read now is told from what is gone, and
// what needs no blob is read.
func TestLookWithoutItsBlobs(t *testing.T) {
	s := newSite(t, azure.Options{})
	s.tell(t, told(1, largeText(70_000)), told(2, nil))
	s.noBlobs.Store(true)
	in, _ := s.look(t, taskhub.LookOptions{})
	if len(in.Rows) != 2 || !errors.Is(in.Rows[0].Err, taskhub.ErrUnread) || errors.Is(in.Rows[0].Err, taskhub.ErrPayloadGone) || in.Rows[1].Err != nil {
		t.Errorf("without the blob service: %+v", in.Rows)
	}
	s.noBlobs.Store(false)
	for name := range s.account.Blobs(largeContainer) {
		if _, err := s.opened.Blobs.DeleteBlob(t.Context(), largeContainer, name, nil); err != nil {
			t.Fatal(err)
		}
	}
	in, _ = s.look(t, taskhub.LookOptions{})
	if len(in.Rows) != 2 || !errors.Is(in.Rows[0].Err, taskhub.ErrPayloadGone) || errors.Is(in.Rows[0].Err, taskhub.ErrUnread) || in.Rows[1].Err != nil {
		t.Errorf("without the blob: %+v", in.Rows)
	}
	s.take(t, taskhub.Fence{}, in.Rows[1])
}
