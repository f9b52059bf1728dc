package durable

import (
	"errors"
	"fmt"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/worker"
)

// maxResult is the largest result of an orchestrator, in bytes of JSON.
const maxResult = worker.MaxPayload

// Task is a call that has been made and may not have ended yet. It belongs to
// the orchestrator that made it.
type Task[T any] struct {
	ctx  *Context
	name string
	task *engine.Task

	// Set by the first Await that returns.
	decoded bool
	value   T
	err     error
}

// Await waits until the call has ended and returns its result. The error of a
// failed activity is a *TaskError. Awaiting a task again gives the same.
func (t *Task[T]) Await() (T, error) {
	if t.decoded {
		return t.value, t.err
	}
	result, err := t.task.Await()
	if err != nil {
		t.err = taskError(err, t.name, t.ctx.InstanceID())
	} else {
		t.decode(result)
	}
	t.decoded = true
	return t.value, t.err
}

func (t *Task[T]) decode(result history.Payload) {
	if result == nil {
		return
	}
	var err error
	t.ctx.rt.Outside(func() { t.value, err = decode[T](result) })
	if err != nil {
		t.err = fmt.Errorf("the result of activity %q is not a %T: %w", t.name, t.value, err)
	}
}

// All waits for all the tasks and returns their results in the order of the
// arguments. When some failed the error joins their errors (errors.Join), and
// the results of the others are there.
func All[T any](tasks ...*Task[T]) ([]T, error) {
	results := make([]T, len(tasks))
	errs := make([]error, len(tasks))
	for i, t := range tasks {
		results[i], errs[i] = t.Await()
	}
	return results, errors.Join(errs...)
}
