package main

import (
	"fmt"
	"os"

	"github.com/durable-go/functions/durable"
)

// cell is an entity that adds numbers up, and has an operation that always ends the
// process.
type cell struct{ Sum int }

func (c *cell) add(_ *durable.EntityContext, n int) (int, error) {
	c.Sum += n
	return c.Sum, nil
}

func (c *cell) explode(_ *durable.EntityContext, message string) error {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(1)
	return nil
}

var (
	cells    = durable.NewEntity[cell]("Cell")
	adds     = durable.NewOperation(cells, "Add", (*cell).add)
	explodes = durable.NewCommand(cells, "Explode", (*cell).explode)
)

// exitingOperation asks an entity for an operation that ends the process, between two
// that do not.
var exitingOperation = durable.NewOrchestrator("ExitingOperation", func(ctx *durable.Context, message string) (durable.None, error) {
	if err := adds.Signal(ctx, ctx.InstanceID(), 1); err != nil {
		return durable.None{}, err
	}
	explosion, after := explodes.Call(ctx, ctx.InstanceID(), message), adds.Call(ctx, ctx.InstanceID(), 2)
	_, err := explosion.Await()
	if sum, failed := after.Await(); failed != nil || sum != 3 {
		return durable.None{}, fmt.Errorf("the operations beside it: %d, %w", sum, failed)
	}
	return durable.None{}, err
})
