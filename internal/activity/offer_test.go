package activity

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/executor"
	"github.com/durable-go/functions/internal/history"
)

// A process keeps what its slots begin within [soon], and at least one for each.
func TestKeep(t *testing.T) {
	for _, test := range []struct {
		slots int
		each  time.Duration
		want  int
	}{
		{10, 20 * time.Millisecond, 1000},
		{10, time.Second, 20},
		{10, soon, 10},
		{10, time.Hour, 10},
		{10, 0, 10 * int(soon/time.Millisecond)}, // nothing is known yet
		{1, soon / 3, 3},
	} {
		if got := keep(test.slots, test.each); got != test.want {
			t.Errorf("%d slots, %v each: %d, want %d", test.slots, test.each, got, test.want)
		}
	}
}

func TestPace(t *testing.T) {
	var p pace
	p.note(8 * time.Second)
	if p.mean != 8*time.Second {
		t.Errorf("after the first: %v", p.mean)
	}
	p.note(16 * time.Second)
	if p.mean != 9*time.Second {
		t.Errorf("after the second: %v", p.mean)
	}
	for range 100 {
		p.note(time.Second)
	}
	if p.mean < time.Second || p.mean > 1100*time.Millisecond {
		t.Errorf("after many of a second: %v", p.mean)
	}
}

// runsOf makes a queue: a letter is a run of the name, an upper-case one a work item,
// '.' a step.
func runsOf(text string, at time.Time) (out []*Run) {
	for _, c := range text {
		r := &Run{Call: &Call{Name: string(c)}, queued: at, Item: c >= 'A' && c <= 'Z'}
		if c == '.' {
			r.Step = func(context.Context, *Call) (history.Payload, *history.FailureDetails) { return nil, nil }
		}
		out = append(out, r)
	}
	return out
}

func names(runs []*Run) (text string) {
	for _, r := range runs {
		text += r.Call.Name
	}
	return text
}

// What is taken is the end of the queue, in its order, without what is in a queue
// already or can run here only.
func TestPart(t *testing.T) {
	for name, test := range map[string]struct {
		queue, out  string
		few, room   int
		rest, taken string
	}{
		"all are kept":       {queue: "abc", few: 3, room: 10, rest: "abc"},
		"all but the first":  {queue: "abcde", few: 2, room: 10, rest: "ab", taken: "cde"},
		"none is kept":       {queue: "abc", room: 10, taken: "abc"},
		"room for two":       {queue: "abcde", few: 1, room: 2, rest: "ade", taken: "bc"},
		"room is taken":      {queue: "abc", out: "xy", few: 1, room: 3, rest: "ac", taken: "xyb"},
		"no room":            {queue: "abc", few: 1, rest: "abc"},
		"room below nothing": {queue: "abc", few: 1, room: -4, rest: "abc"},
		"items stay":         {queue: "aBcD", few: 1, room: 10, rest: "aBD", taken: "c"},
		"steps stay":         {queue: "a.c", room: 10, rest: ".", taken: "ac"},
		"an empty queue":     {few: 1, room: 10},
	} {
		t.Run(name, func(t *testing.T) {
			queue := runsOf(test.queue, time.Time{})
			before := slices.Clone(queue)
			rest, taken := part(queue, runsOf(test.out, time.Time{}), test.few, test.room)
			if names(rest) != test.rest || names(taken) != test.taken {
				t.Errorf("kept %q, taken %q; want %q, %q", names(rest), names(taken), test.rest, test.taken)
			}
			if !slices.Equal(queue, before) {
				t.Error("the queue was changed in place")
			}
		})
	}
}

// What is offered is what waits longer than the patience, beyond what is begun soon,
// in batches that are small while nothing shows that others take them.
func TestSurplus(t *testing.T) {
	const long = time.Hour
	for name, test := range map[string]struct {
		waiting  int
		waited   time.Duration
		mean     time.Duration
		running  time.Duration // how long the one that runs has
		offered  int
		batch    int
		offerAll bool
		want     int
	}{
		"too early":                    {waiting: 5000, waited: time.Millisecond, mean: long},
		"a small batch at first":       {waiting: 5000, waited: time.Second, mean: long, want: minBatch},
		"only what is beyond":          {waiting: 10, waited: time.Second, mean: long, want: 8},
		"short ones stay":              {waiting: 150, waited: time.Second, mean: 20 * time.Millisecond},
		"short ones beyond":            {waiting: 210, waited: time.Second, mean: 20 * time.Millisecond, want: 10},
		"by the one that runs":         {waiting: 10, waited: time.Second, mean: time.Millisecond, running: time.Minute, want: 8},
		"others have not taken":        {waiting: 5000, waited: time.Second, mean: long, offered: minBatch},
		"a larger batch":               {waiting: 5000, waited: time.Second, mean: long, offered: 100, batch: 128, want: 28},
		"all where processes are made": {waiting: 900, waited: time.Second, mean: long, offered: minBatch, offerAll: true, want: 898},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := NewPool(Options{
					Exec: executor.New(executor.SystemClock{}, slog.New(slog.DiscardHandler)), Slots: 2,
					Patience: 200 * time.Millisecond, OfferAll: test.offerAll,
				})
				now := time.Now()
				for range test.waiting {
					p.queue = append(p.queue, runsOf("a", now.Add(-test.waited))...)
				}
				p.running[&Run{began: now.Add(-test.running)}] = struct{}{}
				p.pace.mean, p.offered.batch, p.offered.list = test.mean, test.batch, make([]offer, test.offered)
				out := p.surplus()
				if len(out) != test.want || len(p.queue) != test.waiting-test.want {
					t.Errorf("offered %d, kept %d of %d; want %d", len(out), len(p.queue), test.waiting, test.want)
				}
			})
		})
	}
}

// Runs that wait for the bound of their activity are offered as well, and the place
// of one that is offered goes to the next.
func TestSurplusOfABoundedActivity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(Options{Exec: executor.New(executor.SystemClock{}, slog.New(slog.DiscardHandler)), Slots: 10, Patience: time.Second})
		p.pace.mean = time.Hour
		b := &bound{most: 2, taken: 2, waiting: runsOf("abcde", time.Now().Add(-time.Minute))}
		p.bounds["x"] = b
		if out := p.surplus(); names(out) != "cde" || names(b.waiting) != "ab" {
			t.Errorf("offered %q, kept %q", names(out), names(b.waiting))
		}
	})
}
