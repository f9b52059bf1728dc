package program

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/durable-go/functions/durable"
)

// The activities of programs.
var (
	// Give returns its input.
	Give = durable.NewActivity("Give", func(_ context.Context, v Value) (Value, error) { return v, nil })
	// Hello greets.
	Hello = durable.NewActivity("Hello", func(_ context.Context, name string) (string, error) {
		return "Hello " + name + "!", nil
	})
	// Fail fails with its input as the message.
	Fail = durable.NewAction("Fail", func(_ context.Context, message string) error { return errors.New(message) })
	// FailTimes fails as often as its input says, and then returns a value.
	FailTimes = durable.DeclareActivity[Failures, Value]("FailTimes")
	// Slow returns a value after some time.
	Slow = durable.NewActivity("Slow", runSlow)
)

// Pause is the input of Slow.
type Pause struct {
	MS    int   `json:"ms"`
	Value Value `json:"value"`
}

func runSlow(ctx context.Context, p Pause) (Value, error) {
	select {
	case <-time.After(time.Duration(p.MS) * time.Millisecond):
		return p.Value, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Failures is the input of FailTimes: the first N calls of a Key fail.
type Failures struct {
	Key   string `json:"key"`
	N     int    `json:"n"`
	Value Value  `json:"value"`
}

// Call is what FailTimes does in call number n of its key.
func (f Failures) Call(n int) (Value, error) {
	if n <= f.N {
		return nil, fmt.Errorf("try %d", n)
	}
	return f.Value, nil
}

// tries counts the calls of FailTimes in this process.
type tries struct {
	mu    sync.Mutex // guards calls
	calls map[string]int
}

func (t *tries) run(_ context.Context, f Failures) (Value, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.calls == nil {
		t.calls = map[string]int{}
	}
	t.calls[f.Key]++
	return f.Call(t.calls[f.Key])
}
