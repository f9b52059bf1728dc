package taskhubtest

import (
	"errors"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// limited are events with a limit: one process stores exactly as many, and others as
// soon as some were taken. Those without a limit, and control rows, are always stored.
func limited(t *testing.T, h Harness) {
	const limit = 8
	n := 0
	raise := func() error {
		e := event("s", n)
		e.Limit = limit
		err := h.Store.Tell(t.Context(), "a'b", e)
		if err == nil {
			n++
		}
		return err
	}
	refused := func(when string) {
		t.Helper()
		if err := raise(); !errors.Is(err, taskhub.ErrBacklog) {
			t.Fatalf("%s: %d are stored, and the next: %v", when, n, err)
		}
	}
	for n < limit {
		must(t, raise())
	}
	refused("the limit is reached")
	refused("once more")
	// A repetition of what was stored is not one more.
	again := event("s", 3)
	again.Limit = limit
	must(t, h.Store.Tell(t.Context(), "a'b", again))
	must(t, h.Store.Tell(t.Context(), "other", again))
	tell(t, h, event("unlimited", 1), control(history.ExecutionSuspended, 1))
	h.Wait(2 * taskhub.CrowdPause)
	refused("later")
	rows := look(t, h, taskhub.LookOptions{}).Rows
	if len(rows) != limit+2 {
		t.Fatalf("%d rows", len(rows))
	}
	must(t, h.Store.Discard(t.Context(), "a'b", keys(rows[:6])...))
	h.Wait(2 * taskhub.CrowdPause)
	for range 4 {
		must(t, raise())
	}
	refused("the limit is reached again")
	if in := look(t, h, taskhub.LookOptions{}); in.Waiting != limit {
		t.Errorf("%d wait", in.Waiting)
	}
}

// limitedBytes are events with a limit of the size of their data: as much as that is
// stored, and again what was taken.
func limitedBytes(t *testing.T, h Harness) {
	const size = 40 << 10
	n := 0
	raise := func() int {
		for from := n; ; n++ {
			e := event("s", n)
			e.Event.Input, e.Limit, e.LimitBytes = noise(size), 1000, 8*size
			err := h.Store.Tell(t.Context(), "a'b", e)
			if errors.Is(err, taskhub.ErrBacklog) || n == 100 {
				return n - from
			}
			must(t, err)
		}
	}
	if got := raise(); got != 8 && (!h.Encodes || got < 4) {
		t.Errorf("%d were stored", got)
	}
	must(t, h.Store.Discard(t.Context(), "a'b", keys(look(t, h, taskhub.LookOptions{}).Rows)...))
	h.Wait(2 * taskhub.CrowdPause)
	if got := raise(); got != 8 && (!h.Encodes || got < 4) {
		t.Errorf("%d were stored when all were taken", got)
	}
}

// lookedBytes looks into an inbox with more bytes than one look reads.
func lookedBytes(t *testing.T, h Harness) {
	const size = taskhub.MaxLookBytes / 8
	var want []*taskhub.Telling
	for n := range 20 {
		e := event("s", n)
		e.Event.Input = noise(size)
		want = append(want, e)
		must(t, h.Store.Tell(t.Context(), "a'b", e))
		h.Wait(5 * time.Millisecond)
	}
	for looks := 1; len(want) > 0; looks++ {
		in := look(t, h, taskhub.LookOptions{})
		read := 0
		for _, r := range in.Rows {
			read += r.Size()
		}
		if read == 0 || read > taskhub.MaxLookBytes+4*size || in.More != (len(in.Rows) < len(want)) || looks > 4 {
			t.Fatalf("look %d has %d rows of %d, %d bytes, more: %v", looks, len(in.Rows), len(want), read, in.More)
		}
		sameRows(t, in.Rows, want[:len(in.Rows)]...)
		must(t, h.Store.Discard(t.Context(), "a'b", keys(in.Rows)...))
		want = want[len(in.Rows):]
	}
}
