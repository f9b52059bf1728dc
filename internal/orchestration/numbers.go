package orchestration

import (
	"maps"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

const (
	// lately is how long the number of a message is known.
	lately = time.Minute
	// near is how far before a message another one of its sender is looked for.
	near = 8
	// tiredFor is how long no message waits after one has waited in vain.
	tiredFor = time.Minute
	// manyNumbers is when numbers that are known no more are forgotten.
	manyNumbers = 4096
)

// Numbers are those of the messages that came to this process from clients of another
// make, each of which counts what it sends to a queue. They show that a message is on its
// way: the host hands the messages of a batch over side by side, on a loaded machine far
// apart. Numbers may be used concurrently; the zero value has none.
type Numbers struct {
	mu   sync.Mutex // guards what follows
	came map[numbered]time.Time
	// tired is until when no message waits: other processes of the app get messages, too.
	tired time.Time
}

// numbered is a message of a queue.
type numbered struct {
	queue  string
	number int64
}

// Came notes that a message was delivered.
func (n *Numbers) Came(d taskhub.Delivery, now time.Time) {
	if d.Message.Sequence <= 0 {
		return // its sender does not count
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.came == nil {
		n.came = map[numbered]time.Time{}
	}
	if len(n.came) >= manyNumbers {
		maps.DeleteFunc(n.came, func(_ numbered, at time.Time) bool { return now.Sub(at) > lately })
	}
	if len(n.came) < 2*manyNumbers {
		n.came[numberOf(d)] = now
	}
}

func numberOf(d taskhub.Delivery) numbered { return numbered{d.Lease.Queue, d.Message.Sequence} }

// lacks reports whether the message before one has not come, although others have that
// its sender has sent shortly before.
func (n *Numbers) lacks(d taskhub.Delivery, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	at := numberOf(d)
	if at.number--; at.number < 1 || now.Before(n.tired) || n.knows(at, now) {
		return false
	}
	for range near {
		if at.number--; n.knows(at, now) {
			return true
		}
	}
	return false
}

func (n *Numbers) knows(m numbered, now time.Time) bool {
	at, ok := n.came[m]
	return ok && now.Sub(at) <= lately
}

// waitedInVain lets the messages of the next while not wait.
func (n *Numbers) waitedInVain(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tired = now.Add(tiredFor)
}
