// Package payloads has payloads that cannot be stored.
package payloads

import (
	"context"
	"encoding/json"
	"time"

	"example.com/flows"
	"github.com/durable-go/functions/durable"
)

type (
	hidden   struct{ a, b int }
	failed   struct{ Err error }
	channels struct{ C []chan int }
	skipped  struct {
		Done func() `json:"-"`
		N    int
	}
	embedded struct{ inner }
	inner    struct{ N int }
	node     struct{ Next *node }
	text     struct{ s string }
)

func (t text) MarshalText() ([]byte, error) { return []byte(t.s), nil }

var (
	_ = durable.NewActivity("A", func(context.Context, hidden) (int, error) { return 0, nil })       // want `DUR017 types: a payload of type hidden cannot be stored: none of its fields is exported`
	_ = durable.NewActivity("B", func(context.Context, int) (*failed, error) { return nil, nil })    // want `field Err: it has an error`
	_ = durable.NewActivity("C", func(context.Context, []channels) (int, error) { return 0, nil })   // want `field C: it has a channel`
	_ = durable.NewActivity("D", func(context.Context, func()) (complex64, error) { return 0, nil }) // want `it has a function`
	_ = durable.NewActivity("E", func(context.Context, skipped) (embedded, error) { return embedded{}, nil })
	_ = durable.NewActivity("F", func(context.Context, map[string]any) (node, error) { return node{}, nil })
	_ = durable.NewActivity("G", func(context.Context, time.Time) (text, error) { return text{}, nil })
	_ = durable.NewActivity("H", func(context.Context, durable.None) (json.RawMessage, error) { return nil, nil })
)

var _ = flows.Charge

func flow(ctx *durable.Context, n int) (string, error) {
	_, _ = durable.CallActivity[int](ctx, "ChargeCard", 5).Await()      // want `activity "ChargeCard" returns a JSON string, and the call expects a number`
	_, _ = durable.CallActivity[string](ctx, "ChargeCard", "x").Await() // want `activity "ChargeCard" takes a JSON number, and is given a string`
	_, _ = durable.CallActivity[string](ctx, "ChargeCard", 5).Await()
	_, _ = durable.CallActivity[any](ctx, "ChargeCard", json.RawMessage("5")).Await()
	if n > 5 {
		return "", ctx.ContinueAsNew(func() {}) // want `a payload of type func\(\) cannot be stored`
	}
	ctx.SetCustomStatus(make(chan int)) // want `a payload of type chan int cannot be stored`
	return "", nil
}

func generic[T any]() *durable.Activity[T, T] { return durable.NewActivity[T, T]("Generic", nil) }
