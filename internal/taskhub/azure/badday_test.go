package azure_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
)

// TestBadDay uses a hub as a single careful caller does, who repeats what failed
// without a meaning, on an account that fails in every way of the real service. What
// is stored is what a hub without failures would have, and no failure of the
// network or the service is taken for what another worker did.
func TestBadDay(t *testing.T) {
	for seed := range uint64(24) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCaller(t, seed)
				c.begin()
				for n := range 8 {
					c.commit(n)
				}
				c.rewind()
				c.messages()
				c.rest()
				c.purge()
			})
		})
	}
}

// caller is the one who uses the hub.
type caller struct {
	t       *testing.T
	account *fake.Account
	hub     *azure.Hub
	random  *rand.Rand
	row     *taskhub.Instance
	fence   taskhub.Fence
	events  []*history.Event
}

func newCaller(t *testing.T, seed uint64) *caller {
	account := fake.NewStrict(10 * time.Millisecond)
	connection, err := storage.Parse(account.ConnectionString())
	must(t, err)
	// The pipeline of the SDK hides most failures where it tries again.
	opened, err := storage.Open(connection, storage.Options{Transport: account, MaxRetries: []int32{-1, 1, 3}[seed%3]})
	must(t, err)
	hub, err := azure.Open(opened, "Fake", azure.Options{})
	must(t, err)
	account.Inject(fake.BadDay(seed, 20*time.Second))
	return &caller{t: t, account: account, hub: hub, random: rand.New(rand.NewPCG(seed, 5))}
}

// try repeats a call until it succeeds or fails with one of the sentinels.
func (c *caller) try(what string, call func() error) error {
	c.t.Helper()
	for range 200 {
		err := call()
		if err == nil {
			return nil
		}
		for _, sentinel := range sentinels {
			if errors.Is(err, sentinel) && !errors.Is(err, taskhub.ErrNoHub) {
				return err
			}
		}
		<-time.After(time.Second)
	}
	c.t.Fatalf("%s never succeeds", what)
	return nil
}

// must is a try that has no reason to be refused.
func (c *caller) must(what string, call func() error) {
	c.t.Helper()
	if err := c.try(what, call); err != nil {
		c.t.Fatalf("%s: %v", what, err)
	}
}

func (c *caller) begin() {
	c.must("create", func() error { return c.hub.Create(c.t.Context(), taskhub.Owner{Site: "one"}) })
	c.row = &taskhub.Instance{ID: "i", ExecutionID: "e0", Name: "O", Status: history.Running, Input: largeText(70_000)}
	if err := c.try("insert", func() error { return c.hub.Insert(c.t.Context(), c.row) }); err != nil && !errors.Is(err, taskhub.ErrExists) {
		c.t.Fatalf("insert: %v", err)
	}
	c.readRow()
}

// readRow reads the row, which is the caller's own.
func (c *caller) readRow() {
	c.t.Helper()
	c.must("read", func() (err error) {
		row, err := c.hub.Instance(c.t.Context(), "i")
		if err == nil {
			c.row = row
		}
		return err
	})
	if c.row.Name != "O" || len(c.row.Input) < 70_000 {
		c.t.Fatalf("the row came as %+v", c.row)
	}
}

func (c *caller) commit(n int) {
	c.t.Helper()
	next := &taskhub.Commit{InstanceID: "i", ExecutionID: fmt.Sprint("e", n/3), Fence: c.fence, Nonce: fmt.Sprint("n", n), Time: time.Now(), NewExecution: n > 0 && n%3 == 0}
	for i := range []int{0, 1, 7, 120, 250}[c.random.IntN(5)] {
		result := history.Payload(fmt.Sprint(n, i))
		if i == 3 {
			result = largeText(70_000 + 10*n)
		}
		next.Events = append(next.Events, &history.Event{Type: history.TaskCompleted, ID: history.NoID, TaskID: int32(i), Timestamp: time.Unix(int64(n), 0).UTC(), Result: result})
	}
	c.must("commit", func() (err error) {
		fence, err := c.hub.Commit(c.t.Context(), next)
		if err == nil {
			c.fence = fence
		}
		return err
	})
	if next.NewExecution {
		c.events = nil
	}
	c.events = append(c.events, next.Events...)
	c.load()
	status := history.Payload(fmt.Sprintf(`"%d"`, n))
	err := c.try("merge", func() error {
		_, err := c.hub.Merge(c.t.Context(), "i", taskhub.Change{ETag: c.row.ETag, CustomStatus: &status})
		return err
	})
	// The answer of the merge may have been lost, and then the row was changed: by it.
	if c.readRow(); err != nil && !errors.Is(err, taskhub.ErrChanged) || string(c.row.CustomStatus) != string(status) {
		c.t.Fatalf("merge %d: %v, custom status %s", n, err, c.row.CustomStatus)
	}
}

// load reads the history and compares it.
func (c *caller) load() {
	c.t.Helper()
	var loaded *taskhub.History
	c.must("load", func() (err error) {
		loaded, err = c.hub.Load(c.t.Context(), "i", 0)
		return err
	})
	if !reflect.DeepEqual(loaded.Fence, c.fence) || len(loaded.Events) != len(c.events) {
		c.t.Fatalf("%d events, want %d; fence %+v, want %+v", len(loaded.Events), len(c.events), loaded.Fence, c.fence)
	}
	for i, e := range c.events {
		if !reflect.DeepEqual(loaded.Events[i], e) {
			c.t.Fatalf("event %d: %+v, want %+v", i, loaded.Events[i], e)
		}
	}
}

func (c *caller) rewind() {
	r := &taskhub.Rewind{InstanceID: "i", Fence: c.fence, Nonce: "r", Time: time.Now()}
	for i := range c.events {
		if e := *c.events[i]; len(e.Result) < 100 {
			r.Marks = append(r.Marks, taskhub.Mark{Event: i, Reason: "Rewound: TaskCompleted"})
			e.Reason = history.Payload("Rewound: TaskCompleted")
			c.events[i] = &e
		}
	}
	c.must("rewind", func() (err error) {
		fence, err := c.hub.Rewind(c.t.Context(), r)
		if err == nil {
			c.fence = fence
		}
		return err
	})
	c.load()
}

// messages sends one, keeps it hidden, and removes it and its copies: a renewal
// is never told that the lease is lost, as long as its receipt is the newest.
func (c *caller) messages() {
	queue := taskhub.ControlQueue("Fake")
	var lease *taskhub.Lease
	c.must("send", func() (err error) {
		lease, err = c.hub.Send(c.t.Context(), queue, largeEvent(100), time.Hour)
		return err
	})
	for range 5 {
		if err := c.hub.Renew(c.t.Context(), lease, time.Hour); err != nil && !wrapsOnly(err, nil) {
			c.t.Fatalf("renewal of a message that is held: %v", err)
		} else if err != nil {
			return // its receipt may be unknown now
		}
	}
	c.must("remove", func() error { return c.hub.Remove(c.t.Context(), lease) })
}

// rest is what else a hub keeps.
func (c *caller) rest() {
	ctx := c.t.Context()
	c.must("progress", func() error { return c.hub.SaveProgress(ctx, "i", "k", history.Payload(`5`)) })
	c.must("progress", func() error {
		p, err := c.hub.Progress(ctx, "i", "k")
		if err == nil && string(p) != "5" {
			c.t.Errorf("progress %q", p)
		}
		return err
	})
	c.must("secret", func() error {
		raw, err := c.hub.Secrets(ctx, "keys.json", []byte("one"))
		if err == nil && string(raw) != "one" {
			c.t.Errorf("secret %q", raw)
		}
		return err
	})
	c.must("replace", func() error { return c.hub.ReplaceSecret(ctx, "keys.json", []byte("one"), []byte("two")) })
	found := 0
	for q := (taskhub.Query{}); ; {
		var page *taskhub.Page
		c.must("list", func() (err error) { page, err = c.hub.List(ctx, q); return err })
		found += len(page.Instances)
		if q.Token = page.Token; q.Token == "" {
			break
		}
	}
	if found != 1 {
		c.t.Errorf("%d instances are listed", found)
	}
	c.must("sweep", func() error { return c.hub.Sweep(ctx, "i", c.fence) })
	c.load()
}

func (c *caller) purge() {
	etag := c.row.ETag
	err := c.try("purge", func() error { _, err := c.hub.Purge(c.t.Context(), "i", etag); return err })
	if err != nil && !errors.Is(err, taskhub.ErrNotFound) {
		c.t.Fatalf("purge: %v", err)
	}
	c.account.Inject(nil)
	if left, blobs := rowsOf(c.t, c.account), len(c.account.Blobs(largeContainer)); left > 0 || blobs > 0 {
		c.t.Errorf("%d rows and %d blobs are left after the purge", left, blobs)
	}
}
