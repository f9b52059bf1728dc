package main

import (
	"slices"
	"strings"

	"github.com/durable-go/functions/durable"
)

// typeOf is what JavaScript's typeof says of a JSON value, and null for null.
func typeOf(v value) string {
	switch {
	case v == nil || string(v) == "null":
		return "null"
	case v[0] == '"':
		return "string"
	case v[0] == '{' || v[0] == '[':
		return "object"
	case v[0] == 't' || v[0] == 'f':
		return "boolean"
	default:
		return "number"
	}
}

// result is a value and its type.
type result struct {
	Type  string `json:"type"`
	Value value  `json:"r"`
}

// Orchestrators that pass values on.
var values = []durable.Registration{
	durable.NewOrchestrator("EchoInput", func(_ *durable.Context, in value) (value, error) { return in, nil }),
	durable.NewOrchestrator("EchoAct", func(ctx *durable.Context, in value) (value, error) {
		return echo.Call(ctx, in).Await()
	}),
	durable.NewOrchestrator("TypeOfInput", func(_ *durable.Context, in value) (string, error) { return typeOf(in), nil }),
	durable.NewOrchestrator("ActString", func(ctx *durable.Context, _ value) (result, error) {
		r, err := echo.Call(ctx, value(`"str"`)).Await()
		return result{typeOf(r), r}, err
	}),
	durable.NewOrchestrator("ActUndefined", func(ctx *durable.Context, _ value) (result, error) {
		r, err := durable.CallActivity[value](ctx, returnUndefined.Name(), nil).Await()
		return result{typeOf(r), r}, err
	}),
	durable.NewOrchestrator("BigOut", func(ctx *durable.Context, size int) (string, error) {
		if size == 0 {
			size = 100_000
		}
		return big.Call(ctx, size).Await()
	}),
	durable.NewOrchestrator("BigCustom", func(ctx *durable.Context, size int) (string, error) {
		ctx.SetCustomStatus(strings.Repeat("y", size))
		_, err := hello.Call(ctx, "x").Await()
		return "ok", err
	}),
	durable.NewOrchestrator("ReturnNothing", func(ctx *durable.Context, _ value) (durable.None, error) {
		_, err := hello.Call(ctx, "x").Await()
		return durable.None{}, err
	}),
	durable.NewOrchestrator("ReturnNull", func(*durable.Context, value) (value, error) { return nil, nil }),
	durable.NewOrchestrator("Guids", func(ctx *durable.Context, _ value) (any, error) {
		ids := []string{ctx.NewGUID(), ctx.NewGUID()}
		if _, err := hello.Call(ctx, "x").Await(); err != nil {
			return nil, err
		}
		ids = append(ids, ctx.NewGUID())
		back, err := durable.CallActivity[[]string](ctx, echo.Name(), ids).Await()
		return struct {
			First []string `json:"first"`
			Same  bool     `json:"same"`
		}{ids, slices.Equal(ids, back)}, err
	}),
}
