package durable

import (
	"fmt"
	"reflect"

	"github.com/durable-go/functions/internal/engine"
	"github.com/durable-go/functions/internal/history"
)

// Task is something that was asked for and may not have ended yet: a call, a
// timer, an event, a branch. It belongs to the orchestrator that made it.
type Task[T any] struct {
	ctx  *Context
	of   source
	task *engine.Task

	// Set by the first Await that returns, or by the branch itself.
	known bool
	value T
	err   error
}

// Awaitable is a task of any type.
type Awaitable interface {
	// Done reports whether the task has ended.
	Done() bool
	engineTask() *engine.Task
	context() *Context
}

func newTask[T any](ctx *Context, of source, t *engine.Task) *Task[T] {
	return &Task[T]{ctx: ctx, of: of, task: t}
}

// failedTask is a task whose call was wrong.
func failedTask[T any](ctx *Context, of source, err error) *Task[T] {
	return newTask[T](ctx, of, ctx.rt.Failed(err))
}

// Done reports whether the task has ended. It does not wait. A wait for an event
// that has lost a race takes an event that is there.
func (t *Task[T]) Done() bool { return t.task.Done() }

func (t *Task[T]) engineTask() *engine.Task { return t.task }
func (t *Task[T]) context() *Context        { return t.ctx }

// Await waits until the task has ended and returns its result. The error of a
// failed call is a *TaskError. Awaiting a task again gives the same.
func (t *Task[T]) Await() (T, error) {
	if t.known && t.task.Done() { // which looks at the goroutine, too
		return t.value, t.err
	}
	if t.known { // a branch, which puts its result there itself
		_, _ = t.task.Await()
	} else {
		t.task.AwaitFor((*taker[T])(t))
	}
	return t.value, t.err
}

// Cancel ends a wait for an event or a timer: it takes no event any more, or does
// not fire, and Await fails with ErrCanceled. It reports false where the task has
// ended already, and for all other tasks, which it does not touch: a call goes on
// although nothing waits for it.
func (t *Task[T]) Cancel() bool {
	t.ctx.rt.Check()
	if t.of.kind != eventWait && t.of.kind != timerWait {
		return false
	}
	return t.task.Cancel()
}

// taker makes of a payload the task's result, outside the coroutine.
type taker[T any] Task[T]

func (t *taker[T]) Take() {
	result, err := t.task.Result()
	switch {
	case t.known: // another branch waits for the task as well
	case err != nil:
		t.err = t.of.failed(err, t.ctx.rt.InstanceID())
	case result != nil:
		if err := t.read(result); err != nil {
			t.err = fmt.Errorf("the %s of %v is no %v: %w", t.of.gives(), t.of, reflect.TypeFor[T](), err)
		}
	}
	t.known = true
}

func (t *taker[T]) read(result history.Payload) error {
	if t.of.kind == eventWait {
		return t.ctx.registry.decodeSent(result, &t.value)
	}
	return t.ctx.registry.decode(result, &t.value)
}
