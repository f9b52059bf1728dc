package client

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

// finish is what another process does to the instance.
func finish(t *testing.T, h *faulty) {
	status := history.Completed
	if _, err := h.Merge(t.Context(), "i", taskhub.Change{Status: &status}); err != nil {
		t.Error(err)
	}
}

// One read is enough, however soon it begins: the wait that makes a poll does not
// ask it for a newer read.
func TestWaitForAFinishedInstance(t *testing.T) {
	h, w := newHub(t), &local{}
	put(t, h, "i", "x", history.Failed)
	c := New(h, Options{Local: w})
	for n := 1; n <= 500; n++ {
		got, err := c.Wait(t.Context(), "i", "")
		if err != nil || got.Status != history.Failed || h.count("Instance") != n || w.watches != 0 {
			t.Fatalf("wait %d: %+v, %v after %d reads; %d watches are left", n, got, err, h.count("Instance"), w.watches)
		}
	}
}

func TestWaitForNobody(t *testing.T) {
	w := &local{}
	_, err := New(newHub(t), Options{Local: w}).Wait(t.Context(), "i", "")
	if !errors.Is(err, taskhub.ErrNotFound) || w.watches != 0 {
		t.Errorf("%v; %d watches are left", err, w.watches)
	}
}

// A worker of this process tells at once; nothing is read meanwhile but now and
// then.
func TestWaitForALocalWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, w := newHub(t), &local{}
		put(t, h, "i", "x", history.Running)
		begin := time.Now()
		time.AfterFunc(50*time.Millisecond, func() {
			w.change()
			time.AfterFunc(20*time.Millisecond, func() {
				finish(t, h)
				w.change()
			})
		})
		got, err := New(h, Options{Local: w}).Wait(t.Context(), "i", "")
		if err != nil || got.Status != history.Completed || time.Since(begin) != 70*time.Millisecond {
			t.Errorf("%+v, %v after %v", got, err, time.Since(begin))
		}
		if n := h.count("Instance"); n != 3 || w.watches != 0 {
			t.Errorf("%d reads, want 3; %d watches are left", n, w.watches)
		}
	})
}

func TestWaitForAnotherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		put(t, h, "i", "x", history.Running)
		begin := time.Now()
		time.AfterFunc(time.Minute, func() { finish(t, h) })
		got, err := New(h, Options{}).Wait(t.Context(), "i", "")
		late := time.Since(begin) - time.Minute
		if err != nil || got.Status != history.Completed || late > maxPause {
			t.Errorf("%+v, %v, %v too late", got, err, late)
		}
		// 0.1 + 0.2 + 0.4 + 0.8 + 1.6 s, then every 2 s.
		if n := h.count("Instance"); n > 36 {
			t.Errorf("%d reads in a minute", n)
		}
	})
}

func TestWaitForAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		before := put(t, h, "i", "x", history.Running)
		c := New(h, Options{})
		if got, err := c.Wait(t.Context(), "i", "another"); err != nil || got.ETag != before.ETag || h.count("Instance") != 1 {
			t.Errorf("a row that differs already: %+v, %v", got, err)
		}
		time.AfterFunc(time.Second, func() {
			custom := history.Payload(`1`)
			if _, err := h.Merge(t.Context(), "i", taskhub.Change{CustomStatus: &custom}); err != nil {
				t.Error(err)
			}
		})
		got, err := c.Wait(t.Context(), "i", before.ETag)
		if err != nil || got.ETag == before.ETag || string(got.CustomStatus) != "1" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, w := newHub(t), &local{}
		put(t, h, "i", "x", history.Running)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begin := time.Now()
		got, err := New(h, Options{Local: w}).Wait(ctx, "i", "")
		if err != nil || got.Status != history.Running || time.Since(begin) != 5*time.Second || w.watches != 0 {
			t.Errorf("%+v, %v after %v; %d watches are left", got, err, time.Since(begin), w.watches)
		}
	})
}

// The time can be over while the row is read.
func TestWaitEndsDuringARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, w := newHub(t), &local{}
		put(t, h, "i", "x", history.Running)
		ctx, cancel := context.WithCancel(t.Context())
		h.then["Instance"] = func() {
			h.then["Instance"] = cancel
			h.after["Instance"] = context.Canceled
		}
		got, err := New(h, Options{Local: w}).Wait(ctx, "i", "")
		if err != nil || got.Status != history.Running || w.watches != 0 {
			t.Errorf("%+v, %v; %d watches are left", got, err, w.watches)
		}
	})
}

func TestGet(t *testing.T) {
	h := newHub(t)
	c := New(h, Options{})
	if _, err := c.Get(t.Context(), "i"); !errors.Is(err, taskhub.ErrNotFound) {
		t.Errorf("error %v", err)
	}
	put(t, h, "i", "x", history.Running)
	if got, err := c.Get(t.Context(), "i"); err != nil || got.Name != "Old" {
		t.Errorf("%+v, %v", got, err)
	}
}

// However many wait, the instance is read as if one did; each sees what it waits
// for, and no row that was read before it came.
func TestWaitersShareOnePoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		before := put(t, h, "i", "x", history.Running)
		c := New(h, Options{})
		type result struct {
			row *taskhub.Instance
			err error
		}
		results := make(chan result, 1000)
		for i := range 1000 {
			go func() {
				etag := ""
				if i%2 == 0 {
					etag = before.ETag
				}
				row, err := c.Wait(t.Context(), "i", etag)
				results <- result{row, err}
			}()
		}
		<-time.After(time.Minute)
		if n := h.count("Instance"); n > 40 {
			t.Errorf("%d reads in a minute", n)
		}
		custom := history.Payload(`1`)
		if _, err := h.Merge(t.Context(), "i", taskhub.Change{CustomStatus: &custom}); err != nil {
			t.Error(err)
		}
		for range 500 {
			if r := <-results; r.err != nil || r.row.Status != history.Running || string(r.row.CustomStatus) != "1" {
				t.Fatalf("%+v, %v", r.row, r.err)
			}
		}
		finish(t, h)
		for range 500 {
			if r := <-results; r.err != nil || r.row.Status != history.Completed {
				t.Fatalf("%+v, %v", r.row, r.err)
			}
		}
		if _, err := c.Wait(t.Context(), "i", ""); err != nil || len(c.polls.byID) != 0 {
			t.Errorf("%v; %d polls are left", err, len(c.polls.byID))
		}
	})
}

// A wait that begins sees what was there then, though others wait already.
func TestWaitSeesWhatCameBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		put(t, h, "i", "x", history.Running)
		c := New(h, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := c.Wait(ctx, "i", "")
			ended <- err
		}()
		<-time.After(10 * time.Second)
		custom := history.Payload(`1`)
		if _, err := h.Merge(t.Context(), "i", taskhub.Change{CustomStatus: &custom}); err != nil {
			t.Error(err)
		}
		begin := time.Now()
		short, stop := context.WithTimeout(t.Context(), time.Millisecond)
		defer stop()
		if row, err := c.Wait(short, "i", ""); err != nil || string(row.CustomStatus) != "1" || time.Since(begin) > time.Millisecond {
			t.Errorf("%+v, %v after %v", row, err, time.Since(begin))
		}
		cancel()
		if err := <-ended; err != nil || len(c.polls.byID) != 0 {
			t.Errorf("%v; %d polls are left", err, len(c.polls.byID))
		}
	})
}

// late is a hub in which something happens between a read and its answer, once.
type late struct {
	taskhub.Store
	then func()
}

func (l *late) Instance(ctx context.Context, id string) (*taskhub.Instance, error) {
	row, err := l.Store.Instance(ctx, id)
	if then := l.then; then != nil {
		l.then = nil
		then()
	}
	return row, err
}

// An instance that was started while others learn that there is none is found.
func TestWaitJoinsDuringARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, found := newHub(t), make(chan error, 1)
		l := &late{Store: h}
		c := New(l, Options{})
		l.then = func() {
			put(t, h, "i", "x", history.Completed)
			go func() {
				_, err := c.Wait(t.Context(), "i", "")
				found <- err
			}()
			<-time.After(time.Millisecond)
		}
		if _, err := c.Wait(t.Context(), "i", ""); !errors.Is(err, taskhub.ErrNotFound) {
			t.Errorf("the first: %v", err)
		}
		if err := <-found; err != nil {
			t.Errorf("the one that came later: %v", err)
		}
	})
}

// A status without its input is that of this very instance, and of no other whose
// id begins like it, also where lists begin with an empty page.
func TestGetWithoutInput(t *testing.T) {
	for name, kind := range map[string]hubtest.Kind{"memory": hubtest.Memory, "strict": hubtest.Strict} {
		t.Run(name, func(t *testing.T) { getWithoutInput(t, kind(t)) })
	}
}

func getWithoutInput(t *testing.T, h taskhub.Store) {
	t.Helper()
	for _, id := range []string{"i", "i2", "j2"} {
		put(t, h, id, "x", history.Running)
	}
	input := history.Payload(`"in"`)
	if _, err := h.Merge(t.Context(), "i", taskhub.Change{Input: &input}); err != nil {
		t.Fatal(err)
	}
	c := New(h, Options{})
	whole, err := c.Get(t.Context(), "i")
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.GetWithoutInput(t.Context(), "i")
	if err != nil || got.ID != "i" || got.Input != nil || got.ETag != whole.ETag || whole.Input == nil {
		t.Errorf("%+v %v", got, err)
	}
	for _, id := range []string{"j", "", "i22", "I"} {
		if got, err := c.GetWithoutInput(t.Context(), id); !errors.Is(err, taskhub.ErrNotFound) {
			t.Errorf("%q: %+v %v", id, got, err)
		}
	}
}

// A wait that shows no input reads none, beside one that does, and goes by the same
// ETag.
func TestWaitWithoutInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t)
		put(t, h, "i", "x", history.Running)
		input := history.Payload(`"in"`)
		etag, err := h.Merge(t.Context(), "i", taskhub.Change{Input: &input})
		if err != nil {
			t.Fatal(err)
		}
		c := New(h, Options{})
		time.AfterFunc(time.Minute, func() { finish(t, h) })
		begin := time.Now()
		full := make(chan *taskhub.Instance)
		go func() {
			row, _ := c.Wait(t.Context(), "i", etag)
			full <- row
		}()
		got, err := c.WaitWithoutInput(t.Context(), "i", etag)
		if err != nil || got.Status != history.Completed || got.Input != nil || time.Since(begin) < time.Minute {
			t.Errorf("%+v, %v after %v", got, err, time.Since(begin))
		}
		if row := <-full; row == nil || string(row.Input) != `"in"` {
			t.Errorf("with the input: %+v", row)
		}
		h.heal()
		if _, err := c.WaitWithoutInput(t.Context(), "i", ""); err != nil || h.count("Instance") != 0 || len(c.polls.byID) != 0 {
			t.Errorf("%v after %d whole rows, %d polls are left", err, h.count("Instance"), len(c.polls.byID))
		}
	})
}
