package taskhubtest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"pgregory.net/rapid"
)

// noise is text that does not compress, of the given length in bytes.
func noise(n int) history.Payload {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	source := rand.New(rand.NewPCG(1, uint64(n)))
	out := make(history.Payload, n)
	for i := range out {
		out[i] = letters[source.IntN(len(letters))]
	}
	return out
}

// units is a text of n UTF-16 units, of the given character and one more.
func units(n int, character string) history.Payload {
	each := history.UTF16Len(character)
	return history.Payload(strings.Repeat(character, n/each) + strings.Repeat("x", n%each))
}

// aroundLimit are texts a little shorter and longer than a column may be.
func aroundLimit() (texts []history.Payload) {
	for _, n := range []int{history.MaxColumn - 1, history.MaxColumn, history.MaxColumn + 1, 40 << 10} {
		texts = append(texts, units(n, "x"), units(n, "é"), units(n, "€"), units(n, "😀"), units(n, "\n"), units(n, `"`), noise(n))
	}
	return texts
}

// columnSizes keeps texts of every length around the limit, in every column
// that takes them.
func columnSizes(t *testing.T, h Harness) {
	var events []*history.Event
	for _, text := range aroundLimit() {
		events = append(events,
			&history.Event{Type: history.EventRaised, ID: history.NoID, Timestamp: moment, Name: "e", Input: text},
			&history.Event{Type: history.TaskCompleted, ID: history.NoID, Timestamp: moment, TaskID: 1, Result: text},
			&history.Event{Type: history.TaskFailed, ID: history.NoID, Timestamp: moment, TaskID: 1, Reason: text, Details: text,
				Failure: &history.FailureDetails{ErrorType: "t", ErrorMessage: string(text), StackTrace: text}},
			&history.Event{Type: history.GenericEvent, ID: history.NoID, Timestamp: moment, Reason: text},
		)
	}
	c := &taskhub.Commit{InstanceID: "i", ExecutionID: "x1", Nonce: "n1", Time: moment, Events: events}
	fence := value(h.Store.Commit(t.Context(), c))(t)
	checkEvents(t, h, "i", fence.FirstRow, events)
	checkEvents(t, h, "i", fence.NextRow-8, events[len(events)-8:])
}

// checkEvents compares what is read from a row on.
func checkEvents(t *testing.T, h Harness, id string, from uint64, want []*history.Event) {
	t.Helper()
	got := value(h.Store.Load(t.Context(), id, from))(t).Events
	if len(got) != len(want) {
		t.Fatalf("%d events, want %d", len(got), len(want))
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("event %d, %v with %d bytes, came differently", i, want[i].Type, len(want[i].Input)+len(want[i].Result)+len(want[i].Reason))
		}
	}
}

func largeMessages(t *testing.T, h Harness) {
	overhead := len(taskhub.EncodeMessage(raised("i", "")))
	at := taskhub.MaxInline - overhead
	for i, n := range []int{at - 1, at, at + 1, 64 << 10, 300 << 10} {
		m := raised("i", string(noise(n)))
		m.ID = taskhub.GUID("large", fmt.Sprint(i))
		lease := value(h.Store.Send(t.Context(), ControlQueue, m, time.Minute))(t)
		if opened := value(h.Store.Open(t.Context(), []byte(lease.Body)))(t); !bytes.Equal(opened.Event.Input, m.Event.Input) || opened.ID != m.ID {
			t.Errorf("%d bytes: what was sent is not what is opened", n)
		}
		must(t, h.Store.Renew(t.Context(), lease, 0))
	}
	// The same message twice: each copy can be read while it is there.
	twice := raised("i", string(noise(100<<10)))
	value(h.Store.Send(t.Context(), ControlQueue, twice, 0))(t)
	value(h.Store.Send(t.Context(), ControlQueue, twice, 0))(t)
	got := receive(t, h, time.Minute)
	if len(got) != 7 {
		t.Fatalf("%d messages", len(got))
	}
	for _, d := range got {
		must(t, d.Err)
	}
	must(t, h.Store.Remove(t.Context(), got[5].Lease))
	if _, err := h.Store.Open(t.Context(), []byte(got[6].Lease.Body)); err != nil {
		t.Errorf("the second copy after the first was removed: %v", err)
	}
	must(t, h.Store.Remove(t.Context(), got[6].Lease))
	must(t, h.Store.Remove(t.Context(), got[6].Lease))
	for _, body := range []string{"", "x", "{}"} {
		if m, err := h.Store.Open(t.Context(), []byte(body)); err == nil || errors.Is(err, taskhub.ErrUnread) {
			t.Errorf("%q: %+v %v", body, m, err)
		}
	}
}

func largeRows(t *testing.T, h Harness) {
	for i, text := range aroundLimit() {
		r := row(fmt.Sprintf("row %d.", i))
		r.Input = text
		must(t, h.Store.Insert(t.Context(), r))
		if again := *r; !errors.Is(h.Store.Insert(t.Context(), &again), taskhub.ErrExists) {
			t.Error("a second insert is no ErrExists")
		}
		output := append(text[:len(text):len(text)], "end"...)
		r.ETag = value(h.Store.Merge(t.Context(), r.ID, taskhub.Change{ETag: r.ETag, Output: &output, Input: &output}))(t)
		if got := value(h.Store.Instance(t.Context(), r.ID))(t); !bytes.Equal(got.Input, output) || !bytes.Equal(got.Output, output) {
			t.Errorf("text %d: after a merge the input has %d bytes and the output %d, want %d", i, len(got.Input), len(got.Output), len(output))
		}
		next := row(r.ID)
		next.ExecutionID, next.Input = "x2", text
		must(t, h.Store.Replace(t.Context(), next, r.ETag))
		if got := value(h.Store.Instance(t.Context(), r.ID))(t); !bytes.Equal(got.Input, text) || got.Output != nil {
			t.Errorf("text %d: after a replace the input has %d bytes, want %d", i, len(got.Input), len(text))
		}
	}
	plain := row("plain")
	plain.Input = history.Payload("https://example.com/x-largemessages/plain/a.json.gz")
	must(t, h.Store.Insert(t.Context(), plain))
	if got := value(h.Store.Instance(t.Context(), "plain"))(t); string(got.Input) != string(plain.Input) {
		t.Errorf("a text that is an address came as %q", got.Input)
	}
}

// manyLargeEvents are more bytes than one transaction takes, of texts that all
// stay in their rows, and as many that do not.
func manyLargeEvents(t *testing.T, h Harness) {
	for _, c := range []struct {
		id   string
		text history.Payload
	}{{"inline", units(history.MaxColumn, "€")}, {"apart", noise(64 << 10)}} {
		var events []*history.Event
		for n := range 99 {
			events = append(events, &history.Event{Type: history.TaskCompleted, ID: history.NoID, Timestamp: moment, TaskID: int32(n), Result: c.text})
		}
		fence := value(h.Store.Commit(t.Context(), &taskhub.Commit{InstanceID: c.id, ExecutionID: "x1", Nonce: "n", Time: moment, Events: events}))(t)
		checkEvents(t, h, c.id, fence.FirstRow, events)
	}
}

func repeatedLargeCommit(t *testing.T, h Harness) {
	events := []*history.Event{{Type: history.TaskCompleted, ID: history.NoID, Timestamp: moment, TaskID: 1, Result: noise(100 << 10)}}
	c := &taskhub.Commit{InstanceID: "i", ExecutionID: "x1", Nonce: "n1", Time: moment, Events: events}
	fence := value(h.Store.Commit(t.Context(), c))(t)
	if again := value(h.Store.Commit(t.Context(), c))(t); !reflect.DeepEqual(again, fence) {
		t.Errorf("repeated: %+v, want %+v", again, fence)
	}
	checkEvents(t, h, "i", 0, events)
	// Somebody else's commit to the same row must not touch its payload.
	other := *c
	other.Nonce, other.Events = "n2", []*history.Event{{Type: history.TaskCompleted, ID: history.NoID, Timestamp: moment, TaskID: 1, Result: noise(101 << 10)}}
	if _, err := h.Store.Commit(t.Context(), &other); !errors.Is(err, taskhub.ErrConflict) {
		t.Errorf("a second first commit: %v", err)
	}
	checkEvents(t, h, "i", 0, events)
	if h.LoseAnswer == nil {
		return
	}
	c.Fence, c.Nonce = fence, "n3"
	h.LoseAnswer()
	if _, err := h.Store.Commit(t.Context(), c); err != nil {
		value(h.Store.Commit(t.Context(), c))(t)
	}
	checkEvents(t, h, "i", 0, append(events, events...))
}

// largeNewExecution replaces a generation again and again: what is current can
// always be read, before and after a sweep.
func largeNewExecution(t *testing.T, h Harness) {
	fence := taskhub.Fence{}
	r := row("i")
	r.Input = noise(70 << 10)
	must(t, h.Store.Insert(t.Context(), r))
	for n := range 3 {
		input := noise(80<<10 + n)
		events := []*history.Event{{Type: history.ExecutionStarted, ID: history.NoID, Timestamp: moment, Instance: history.InstanceRef{InstanceID: "i"}, Name: "o", Input: input}}
		c := &taskhub.Commit{
			InstanceID: "i", ExecutionID: fmt.Sprint("x", n), Fence: fence, Nonce: fmt.Sprint("n", n), Time: moment, Events: events, NewExecution: n > 0,
		}
		fence = value(h.Store.Commit(t.Context(), c))(t)
		r.ETag = value(h.Store.Merge(t.Context(), "i", taskhub.Change{ETag: r.ETag, Input: &input, ExecutionID: c.ExecutionID}))(t)
		must(t, h.Store.Sweep(t.Context(), "i", fence))
		must(t, h.Store.Sweep(t.Context(), "i", fence))
		checkEvents(t, h, "i", 0, events)
		if got := value(h.Store.Instance(t.Context(), "i"))(t); !bytes.Equal(got.Input, input) {
			t.Errorf("generation %d: the row's input has %d bytes, want %d", n, len(got.Input), len(input))
		}
	}
}

// largeRoundTrip writes random texts, some of them large, everywhere.
func largeRoundTrip(t *testing.T, h Harness) {
	n := 0
	rapid.Check(t, func(r *rapid.T) {
		n++
		id := fmt.Sprint("random-", n)
		text := rapid.Custom(func(r *rapid.T) history.Payload {
			seed := rapid.StringN(1, 20, -1).Draw(r, "seed")
			return history.Payload(strings.Repeat(seed, rapid.IntRange(1, 8000).Draw(r, "times")))
		})
		e := &history.Event{
			Type: history.TaskFailed, ID: history.NoID, Timestamp: moment, TaskID: 2, Reason: text.Draw(r, "reason"), Details: text.Draw(r, "details"),
			Failure: &history.FailureDetails{ErrorType: "t", ErrorMessage: string(text.Draw(r, "message"))},
		}
		c := &taskhub.Commit{InstanceID: id, ExecutionID: "x", Nonce: "n", Time: moment, Events: []*history.Event{e}}
		if _, err := h.Store.Commit(t.Context(), c); err != nil {
			r.Fatal(err)
		}
		loaded, err := h.Store.Load(t.Context(), id, 0)
		if err != nil {
			r.Fatal(err)
		}
		if len(loaded.Events) != 1 || !reflect.DeepEqual(loaded.Events[0], e) {
			r.Fatalf("got  %+v\nwant %+v", loaded.Events, e)
		}
	})
}
