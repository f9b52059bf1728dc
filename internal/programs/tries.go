package programs

import (
	"context"
	"fmt"
	"sync"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/samples/conformance/program"
)

// Tries counts the calls of FailTimes where processes end: a run that a crash
// repeats is no new call, but one that a rewind repeats is. The zero value is
// ready; it may be used concurrently, by all processes of a hub in memory.
type Tries struct {
	mu      sync.Mutex // guards the rest
	rewinds int
	// number is that of a call, by its idempotency key and the rewinds before it;
	// count are the calls of a key of the program.
	number, count map[string]int
}

// Rewound notes that a client is about to rewind an instance.
func (t *Tries) Rewound() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rewinds++
}

// Run is the activity FailTimes.
func (t *Tries) Run(ctx context.Context, f program.Failures) (program.Value, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.number == nil {
		t.number, t.count = map[string]int{}, map[string]int{}
	}
	id := fmt.Sprint(durable.ActivityInfoFromContext(ctx).IdempotencyKey, " ", t.rewinds)
	if t.number[id] == 0 {
		t.count[f.Key]++
		t.number[id] = t.count[f.Key]
	}
	return f.Call(t.number[id])
}
