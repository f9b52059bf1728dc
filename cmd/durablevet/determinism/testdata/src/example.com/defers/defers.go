// Package defers uses the Context in deferred calls.
package defers

import (
	"errors"

	"github.com/durable-go/functions/durable"
)

var undo = durable.NewActivity[string, int]("Undo", nil)

func Bad(ctx *durable.Context) (err error) {
	defer undo.Call(ctx, "a") // want `DUR011 defer: a deferred call of the Context runs also whenever the orchestrator leaves memory`
	defer func() {
		_, _ = undo.Call(ctx, "b").Await() // want `a deferred call of the Context`
	}()
	defer helper(ctx) // want `a deferred call of the Context`
	return nil
}

func helper(ctx *durable.Context) { _, _ = undo.Call(ctx, "c").Await() }

func Good(ctx *durable.Context) (err error) {
	timer := ctx.NewTimer(5e9)
	defer timer.Cancel()
	defer func() {
		if err != nil {
			_, failed := undo.Call(ctx, "a").Await()
			err = errors.Join(err, failed)
		}
	}()
	defer func() {
		if err == nil {
			return
		}
		_, _ = undo.Call(ctx, "b").Await()
	}()
	id := ctx.InstanceID()
	defer func() { _ = len(id) }()
	return nil
}
