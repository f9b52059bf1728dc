package arrival

import (
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
	// manyNumbers is how many of the last numbers are known at least.
	manyNumbers = 4096
)

// Numbers are those of the messages that came to this process from clients of another
// make, each of which counts what it sends, over all queues. They show that a message is
// on its way: the host hands the messages of a batch over side by side, on a loaded
// machine far apart. Numbers may be used concurrently; the zero value has none.
type Numbers struct {
	mu sync.Mutex // guards what follows
	// came are the last numbers, before those that came before them.
	came, before map[int64]time.Time
	// tired is until when no message waits: other processes of the app get messages, too.
	tired time.Time
}

// Came notes that a message was delivered.
func (n *Numbers) Came(d taskhub.Delivery, now time.Time) {
	if d.Message.Sequence <= 0 {
		return // its sender does not count
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.came == nil || len(n.came) >= manyNumbers {
		n.came, n.before = map[int64]time.Time{}, n.came
	}
	n.came[d.Message.Sequence] = now
}

// lacks reports whether the message before one has not come, although others have that
// its sender has sent shortly before.
func (n *Numbers) lacks(d taskhub.Delivery, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	at := d.Message.Sequence
	if at--; at < 1 || now.Before(n.tired) || n.knows(at, now) {
		return false
	}
	for range near {
		if at--; n.knows(at, now) {
			return true
		}
	}
	return false
}

func (n *Numbers) knows(number int64, now time.Time) bool {
	at, ok := n.came[number]
	if !ok {
		at, ok = n.before[number]
	}
	return ok && now.Sub(at) <= lately
}

// waitedInVain lets the messages of the next while not wait.
func (n *Numbers) waitedInVain(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tired = now.Add(tiredFor)
}
