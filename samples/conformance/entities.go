package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/durable-go/functions/durable"
)

// counter has a number for a state, and after the operation obj anything. What the
// official app did in one function is an operation each; names that it answered with
// "unknown op" are unknown here.
var counter = durable.NewEntity[value]("Counter")

var (
	counterAdd   = durable.NewOperation(counter, "add", counterAdds)
	counterGet   = durable.NewView(counter, "get", func(s value, _ value) (value, error) { return orZero(s), nil })
	counterThrow = durable.NewCommand(counter, "throw", func(_ *value, _ *durable.EntityContext, in string) error {
		return errThrown("entity boom " + in)
	})
)

func init() {
	durable.NewCommand(counter, "reset", func(s *value, _ *durable.EntityContext, _ value) error {
		*s = value(`0`)
		return nil
	})
	durable.NewCommand(counter, "addthrow", func(s *value, ctx *durable.EntityContext, _ value) error {
		if _, err := counterAdds(s, ctx, 100); err != nil {
			return err
		}
		return errThrown("after set")
	})
	durable.NewCommand(counter, "obj", func(s *value, _ *durable.EntityContext, in value) error {
		raw, err := json.Marshal(struct {
			Value value `json:"value"`
			In    value `json:"in"`
		}{orZero(*s), in})
		*s = raw
		return err
	})
	durable.NewCommand(counter, "signalother", func(s *value, ctx *durable.EntityContext, _ value) error {
		var n float64
		if err := json.Unmarshal(orZero(*s), &n); err != nil {
			return err
		}
		return counterAdd.Signal(ctx, ctx.Key()+"-other", n)
	})
}

func orZero(s value) value {
	if s == nil {
		return value(`0`)
	}
	return s
}

func counterAdds(s *value, _ *durable.EntityContext, n float64) (float64, error) {
	var sum float64
	if err := json.Unmarshal(orZero(*s), &sum); err != nil {
		return 0, err
	}
	sum += n
	raw, err := json.Marshal(sum)
	*s = raw
	return sum, err
}

// keyed is the input of the orchestrators that use a counter.
type keyed struct {
	Key string `json:"key"`
}

// called is what EntityCaller returns.
type called struct {
	A float64 `json:"a"`
	B value   `json:"b"`
}

// Orchestrators that use the entity Counter, and that itself.
var entities = []durable.Registration{
	counter,
	durable.NewOrchestrator("EntityCaller", func(ctx *durable.Context, in keyed) (out called, err error) {
		if out.A, err = counterAdd.Call(ctx, in.Key, 5).Await(); err != nil {
			return out, err
		}
		if err := counterAdd.Signal(ctx, in.Key, 7); err != nil {
			return out, err
		}
		out.B, err = counterGet.Call(ctx, in.Key, nil).Await()
		return out, err
	}),
	durable.NewOrchestrator("EntitySignaler", func(ctx *durable.Context, in keyed) (string, error) {
		return "sent", counterAdd.Signal(ctx, in.Key, 3)
	}),
	durable.NewOrchestrator("EntityThrowCaller", func(ctx *durable.Context, in keyed) (any, error) {
		_, err := counterThrow.Call(ctx, in.Key, "bad").Await()
		if failed := (*durable.TaskError)(nil); errors.As(err, &failed) {
			return caughtError{failed.Message, "Error"}, nil
		}
		return nil, err
	}),
	durable.NewOrchestrator("EntityThrowUncaught", func(ctx *durable.Context, in keyed) (durable.None, error) {
		return counterThrow.Call(ctx, in.Key, "bad").Await()
	}),
	durable.NewOrchestrator("EntityUnknown", func(ctx *durable.Context, _ value) (value, error) {
		v, err := durable.CallEntity[value](ctx, durable.EntityID{Name: "NoSuchEntity", Key: "k"}, "add", 1).Await()
		if err != nil {
			err = fmt.Errorf("the call failed: %w", err)
		}
		return v, err
	}),
}
