package taskhubtest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// finished makes a finished instance with n events of history.
func finished(t *testing.T, h Harness, id string, n int) *taskhub.Instance {
	t.Helper()
	r := row(id)
	r.Status = history.Completed
	must(t, h.Store.Insert(t.Context(), r))
	if n > 0 {
		c := commit(taskhub.Fence{}, "n"+id, results(0, n)...)
		c.InstanceID = id
		apply(t, h, c)
	}
	return r
}

// nothing checks that the hub has nothing of an instance.
func nothing(t *testing.T, h Harness, id string) {
	t.Helper()
	if got, err := h.Store.Instance(t.Context(), id); !errors.Is(err, taskhub.ErrNotFound) {
		t.Errorf("row of %q after its purge: %+v, %v", id, got, err)
	}
	if got := value(h.Store.Load(t.Context(), id, 0))(t); got.Fence.ETag != "" || len(got.Events) != 0 {
		t.Errorf("history of %q after its purge: %+v", id, got)
	}
	if rows, err := h.Store.Purge(t.Context(), id, ""); rows != 0 || !errors.Is(err, taskhub.ErrNotFound) {
		t.Errorf("second purge of %q: %d rows, %v", id, rows, err)
	}
}

func purge(t *testing.T, h Harness) {
	for _, id := range []string{"plain", "o'neil", "Zürich 日本 😀", "a b%2Fc", "a/b", "^odd", `say "hi"`, strings.Repeat("ü", 256)} {
		for _, n := range []int{0, 1, 99, 100, 101} {
			r := finished(t, h, id, n)
			want := n + 1
			if n > 0 {
				want++
			}
			if rows := value(h.Store.Purge(t.Context(), id, r.ETag))(t); rows != want {
				t.Errorf("%q with %d events: %d rows, want %d", id, n, rows, want)
			}
			nothing(t, h, id)
		}
	}
}

// purgeLong has more rows than a page of the service.
func purgeLong(t *testing.T, h Harness) {
	r := finished(t, h, "long", 2100)
	if rows := value(h.Store.Purge(t.Context(), "long", r.ETag))(t); rows != 2102 {
		t.Errorf("%d rows", rows)
	}
	nothing(t, h, "long")
}

// purgeChanged finds another row than the one that it is about.
func purgeChanged(t *testing.T, h Harness) {
	r := finished(t, h, "a'b", 3)
	old := r.ETag
	next := row("a'b")
	next.ExecutionID = "x2"
	must(t, h.Store.Replace(t.Context(), next, old))
	if rows, err := h.Store.Purge(t.Context(), "a'b", old); rows != 0 || !errors.Is(err, taskhub.ErrChanged) {
		t.Errorf("%d rows, %v", rows, err)
	}
	if got := value(h.Store.Instance(t.Context(), "a'b"))(t); got.ETag != next.ETag || got.Purging {
		t.Errorf("row %+v", got)
	}
	if got := load(t, h, 0); len(got.Events) != 3 {
		t.Errorf("%d events", len(got.Events))
	}
}

// purgeWithoutRow finds a history whose row somebody has deleted.
func purgeWithoutRow(t *testing.T, h Harness) {
	apply(t, h, commit(taskhub.Fence{}, "n1", results(0, 150)...))
	if rows := value(h.Store.Purge(t.Context(), "a'b", "W/\"x\""))(t); rows != 151 {
		t.Errorf("%d rows", rows)
	}
	nothing(t, h, "a'b")
}

// purgedNotResurrected commits to an execution that was purged.
func purgedNotResurrected(t *testing.T, h Harness) {
	r := row("a'b")
	must(t, h.Store.Insert(t.Context(), r))
	fence := apply(t, h, commit(taskhub.Fence{}, "n1", results(0, 3)...))
	value(h.Store.Purge(t.Context(), "a'b", r.ETag))(t)
	if _, err := h.Store.Commit(t.Context(), commit(fence, "n2", results(3, 1)...)); !errors.Is(err, taskhub.ErrGone) {
		t.Errorf("commit after a purge: %v", err)
	}
	running := history.Running
	if _, err := h.Store.Merge(t.Context(), "a'b", taskhub.Change{ETag: r.ETag, Status: &running}); !errors.Is(err, taskhub.ErrNotFound) {
		t.Errorf("merge after a purge: %v", err)
	}
	nothing(t, h, "a'b")
	again := row("a'b")
	must(t, h.Store.Insert(t.Context(), again))
	apply(t, h, commit(taskhub.Fence{}, "n3", results(7, 2)...))
	sameEvents(t, load(t, h, 0).Events, results(7, 2))
}

// purgeTogether purges one instance many times at once.
func purgeTogether(t *testing.T, h Harness) {
	r := finished(t, h, "a'b", 420)
	type answer struct {
		rows int
		err  error
	}
	answers := make(chan answer)
	for range 4 {
		go func() {
			rows, err := h.Store.Purge(t.Context(), "a'b", r.ETag)
			answers <- answer{rows, err}
		}()
	}
	succeeded := 0
	for range 4 {
		a := <-answers
		switch {
		case a.err == nil:
			succeeded++
		case !errors.Is(a.err, taskhub.ErrNotFound):
			t.Errorf("%d rows, %v", a.rows, a.err)
		}
	}
	if succeeded == 0 {
		t.Error("nobody purged it")
	}
	nothing(t, h, "a'b")
}

// purgeCut ends the process at every request of a purge; another repeats it,
// with the same ETag or with that of the row as it is now.
func purgeCut(t *testing.T, h Harness) {
	etags := map[string]string{}
	begin := func(id string) { etags[id] = finished(t, h, id, 150).ETag }
	call := func(id string) error {
		_, err := h.Store.Purge(t.Context(), id, etags[id])
		return err
	}
	for _, again := range []bool{true, false} {
		eachCut(t, h, fmt.Sprint(again), begin, call, func(id string) {
			if got := value(h.Store.Load(t.Context(), id, 0))(t); got.Fence.ETag != "" && len(got.Events) != 150 {
				t.Errorf("%q: a worker would go on with %d events", id, len(got.Events))
			}
			etag := etags[id]
			if !again {
				etag = ""
			}
			if _, err := h.Store.Purge(t.Context(), id, etag); err != nil && !errors.Is(err, taskhub.ErrNotFound) {
				t.Errorf("%q: repeated purge: %v", id, err)
			}
			nothing(t, h, id)
		})
	}
}

// purgeCutThenStart starts over an instance whose purge was cut, in the way
// that the contract tells. The purge that sleeps wakes up later.
func purgeCutThenStart(t *testing.T, h Harness) {
	etags := map[string]string{}
	begin := func(id string) { etags[id] = finished(t, h, id, 150).ETag }
	call := func(id string) error {
		_, err := h.Store.Purge(t.Context(), id, etags[id])
		return err
	}
	eachCut(t, h, "start", begin, call, func(id string) {
		next := row(id)
		next.ExecutionID = "x2"
		err := h.Store.Insert(t.Context(), next)
		if errors.Is(err, taskhub.ErrExists) {
			have := value(h.Store.Instance(t.Context(), id))(t)
			if !have.Purging {
				if have.ETag != etags[id] {
					t.Errorf("%q: the row was changed without a mark", id)
				}
				must(t, h.Store.Replace(t.Context(), next, have.ETag))
				return
			}
			value(h.Store.Purge(t.Context(), id, have.ETag))(t)
			err = h.Store.Insert(t.Context(), next)
		}
		must(t, err)
		c := commit(taskhub.Fence{}, "n2"+id, results(500, 3)...)
		c.InstanceID, c.ExecutionID = id, "x2"
		apply(t, h, c)
		if rows, err := h.Store.Purge(t.Context(), id, etags[id]); rows != 0 || !errors.Is(err, taskhub.ErrChanged) {
			t.Errorf("%q: a late purge: %d rows, %v", id, rows, err)
		}
		sameEvents(t, value(h.Store.Load(t.Context(), id, 0))(t).Events, results(500, 3))
	})
}

// eachCut ends the process before and after each request of a call, until there
// is no such request. begin comes before the call, check after it.
func eachCut(t *testing.T, h Harness, name string, begin func(id string), call func(id string) error, check func(id string)) {
	t.Helper()
	if h.Cut == nil {
		t.Skip("the calls of this store cannot be cut")
	}
	for at := 1; at < 50; at++ {
		reached := false
		for _, after := range []bool{false, true} {
			id := fmt.Sprint(name, "'", at, after)
			begin(id)
			h.Cut(at, after)
			err := call(id)
			h.Cut(0, false)
			if err != nil && !errors.Is(err, ErrCut) {
				t.Fatalf("cut at request %d: %v", at, err)
			}
			reached = reached || err != nil
			check(id)
		}
		if !reached {
			return
		}
	}
	t.Fatal("the call has no end")
}
