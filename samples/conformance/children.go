package main

import "github.com/durable-go/functions/durable"

// born is what Child knows of itself.
type born struct {
	A      string `json:"a"`
	Parent string `json:"parent"`
	ID     string `json:"id"`
	Input  value  `json:"input"`
}

// typed is a value and what JavaScript would call its type.
type typed struct {
	Type  string `json:"type"`
	Value value  `json:"i"`
}

var (
	child = durable.NewOrchestrator("Child", func(ctx *durable.Context, in value) (born, error) {
		a, err := hello.Call(ctx, "child").Await()
		parent, _ := ctx.Parent()
		return born{A: a, Parent: parent.InstanceID, ID: ctx.InstanceID(), Input: in}, err
	})
	childFail = durable.NewOrchestrator("ChildFail", func(ctx *durable.Context, _ value) (durable.None, error) {
		if _, err := hello.Call(ctx, "childfail").Await(); err != nil {
			return durable.None{}, err
		}
		return durable.None{}, errThrown("child failed")
	})
	typeOfInputEcho = durable.NewOrchestrator("TypeOfInputEcho", func(_ *durable.Context, in value) (typed, error) {
		return typed{typeOf(in), in}, nil
	})
)

// Orchestrators that call orchestrators.
var children = []durable.Registration{
	child, childFail, typeOfInputEcho,
	durable.NewOrchestrator("Parent", func(ctx *durable.Context, _ value) (born, error) {
		return child.Call(ctx, value(`{"from":"parent"}`)).Await()
	}),
	durable.NewOrchestrator("ParentId", func(ctx *durable.Context, _ value) (born, error) {
		return child.Call(ctx, value(`{"from":"parentid"}`), durable.WithInstanceID(ctx.InstanceID()+"-child")).Await()
	}),
	durable.NewOrchestrator("ParentDupSub", func(ctx *durable.Context, in struct {
		Sub string `json:"sub"`
	}) (born, error) {
		return child.Call(ctx, value(`{"dup":1}`), durable.WithInstanceID(in.Sub)).Await()
	}),
	durable.NewOrchestrator("ParentLong", func(ctx *durable.Context, _ value) (value, error) {
		return long.Call(ctx, nil, durable.WithInstanceID(ctx.InstanceID()+"-sub")).Await()
	}),
	durable.NewOrchestrator("ParentActFail", func(ctx *durable.Context, _ value) (durable.None, error) {
		return actThrow.Call(ctx, value(`1`)).Await()
	}),
	durable.NewOrchestrator("ParentFailCaught", func(ctx *durable.Context, _ value) (any, error) {
		out, err := childFail.Call(ctx, value(`1`)).Await()
		if err != nil {
			return caught(err), nil
		}
		return out, nil
	}),
	durable.NewOrchestrator("ParentFailUncaught", func(ctx *durable.Context, _ value) (durable.None, error) {
		return childFail.Call(ctx, value(`1`)).Await()
	}),
	durable.NewOrchestrator("ParentUnknownSub", func(ctx *durable.Context, _ value) (value, error) {
		return durable.CallOrchestrator[value](ctx, "NoSuchOrchestrator", 1).Await()
	}),
	durable.NewOrchestrator("SubRetry", func(ctx *durable.Context, _ value) (durable.None, error) {
		return childFail.Call(ctx, value(`1`), retry(300, 2, 1)).Await()
	}),
	durable.NewOrchestrator("SubString", func(ctx *durable.Context, _ value) (typed, error) {
		return typeOfInputEcho.Call(ctx, value(`"str"`)).Await()
	}),
}
