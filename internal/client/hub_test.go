package client

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/memory"
)

const queue = "hub-control-00"

// lease is what these clients hide start messages for.
const lease = 30 * time.Second

var errLost = errors.New("the connection broke")

// faulty is a hub whose calls fail: before they are made, or after.
type faulty struct {
	*memory.Hub

	mu     sync.Mutex // guards the rest
	before map[string]error
	after  map[string]error
	calls  map[string]int
	failed int
	// then runs after a call that succeeded.
	then map[string]func()
}

func newHub(t *testing.T) *faulty {
	t.Helper()
	h := &faulty{Hub: memory.New(memory.Options{})}
	h.heal()
	return h
}

// heal ends all faults and forgets the calls.
func (f *faulty) heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = 0
	f.before, f.after, f.calls, f.then = map[string]error{}, map[string]error{}, map[string]int{}, map[string]func(){}
}

func (f *faulty) call(op string, do func() error) error {
	f.mu.Lock()
	before, after, then := f.before[op], f.after[op], f.then[op]
	f.calls[op]++
	f.mu.Unlock()
	if before != nil {
		return f.fail(before)
	}
	if err := do(); err != nil {
		return err
	}
	if then != nil {
		then()
	}
	return f.fail(after)
}

func (f *faulty) fail(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		f.failed++
	}
	return err
}

func (f *faulty) count(op string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[op]
}

func (f *faulty) Insert(ctx context.Context, row *taskhub.Instance) error {
	return f.call("Insert", func() error { return f.Hub.Insert(ctx, row) })
}

func (f *faulty) Replace(ctx context.Context, row *taskhub.Instance, etag string) error {
	return f.call("Replace", func() error { return f.Hub.Replace(ctx, row, etag) })
}

func (f *faulty) Renew(ctx context.Context, l *taskhub.Lease, hide time.Duration) error {
	return f.call("Renew", func() error { return f.Hub.Renew(ctx, l, hide) })
}

func (f *faulty) Remove(ctx context.Context, l *taskhub.Lease) error {
	return f.call("Remove", func() error { return f.Hub.Remove(ctx, l) })
}

func (f *faulty) Instance(ctx context.Context, id string) (row *taskhub.Instance, err error) {
	err = f.call("Instance", func() error { row, err = f.Hub.Instance(ctx, id); return err })
	if err != nil {
		return nil, err
	}
	return row, nil
}

func (f *faulty) Send(ctx context.Context, name string, m *taskhub.Message, delay time.Duration) (l *taskhub.Lease, err error) {
	err = f.call("Send", func() error { l, err = f.Hub.Send(ctx, name, m, delay); return err })
	if err != nil {
		return nil, err
	}
	return l, nil
}

// local is a worker that notes what it is given.
type local struct {
	mu      sync.Mutex // guards the rest
	started []taskhub.Delivery
	rows    []*taskhub.Instance
	sent    []taskhub.Delivery
	changed chan struct{}
	watches int
}

func (l *local) Poke(string) bool { return false }

func (l *local) AwaitAnswer(string, string) (<-chan history.Payload, func()) { return nil, func() {} }

func (l *local) Current(string) (origin, name string, ok bool) { return "", "", false }

func (l *local) Started(d taskhub.Delivery, row *taskhub.Instance) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.started, l.rows = append(l.started, d), append(l.rows, row)
}

// Holds tells that every instance is here.
func (l *local) Holds(string) bool { return true }

func (l *local) Sent(d taskhub.Delivery) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = append(l.sent, d)
}

func (l *local) Watch(string) (<-chan struct{}, func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	l.watches++
	return l.changed, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.watches--
	}
}

// change tells who watches.
func (l *local) change() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// pass lets the time of a bubble pass.
func pass(d time.Duration) { <-time.After(d) }

// visible takes the messages that are visible now, and gives them back.
func visible(t *testing.T, h taskhub.Store) []*taskhub.Message {
	t.Helper()
	got, err := h.Receive(t.Context(), queue, 32, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	var out []*taskhub.Message
	for _, d := range got {
		if d.Err != nil {
			t.Fatal(d.Err)
		}
		out = append(out, d.Message)
		if err := h.Renew(t.Context(), d.Lease, 0); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// put writes a row of a status as some worker left it.
func put(t *testing.T, h taskhub.Store, id, execution string, status history.Status) *taskhub.Instance {
	t.Helper()
	generation := int32(3)
	row := &taskhub.Instance{
		ID: id, ExecutionID: execution, Name: "Old", Input: history.Payload(`"old"`), Output: history.Payload(`"out"`),
		Status: status, Created: time.Now().UTC(), Updated: time.Now().UTC(), Generation: &generation,
	}
	if err := h.Insert(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	return row
}

// row reads the row of the instance that these tests start.
func row(t *testing.T, h *faulty) *taskhub.Instance {
	t.Helper()
	got, err := h.Hub.Instance(t.Context(), "i")
	if err != nil {
		t.Fatal(err)
	}
	return got
}
